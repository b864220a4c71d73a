"""Wrong usage and contradictions: exit 2, and one message that names what is wrong."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from kdg.cli import completion

from .answers import ARGUMENTS, each_command, refused
from .conftest import Kdg


@pytest.mark.parametrize(
    ("argv", "named"),
    [
        ("nothing", "nothing"),
        ("produce", "TOPIC"),
        ("consume", "TOPIC"),
        ("pipe a", "TARGET"),
        ("produce t --nonsense", "--nonsense"),
        ("consume t -c 0", "0"),
        ("consume t -c five", "five"),
        ("consume t -p -1", "-1"),
        ("produce t -p x", "x"),
        ("consume t -o middle", "middle"),
        ("consume t -o s@soon", "soon"),
        ("consume t --until soon", "soon"),
        ("consume t --timeout soon", "soon"),
        ("consume t --idle-timeout 5y", "5y"),
        ("consume t --batch-interval x", "x"),
        ("consume t --batch-records 0", "0"),
        ("produce t -D \\q", "-D"),
        ("produce t -H =v", "-H"),
        ("produce t --acks some", "some"),
        ("produce t --key-encoding rot13", "rot13"),
        ("consume t --value-encoding rot13", "rot13"),
        ("consume t -f %q", "%q"),
        ("consume t -X nonsense.property=1", "nonsense.property"),
        ("consume t -X fetch.min.bytes", "fetch.min.bytes"),
        ("consume t -X linger.ms=5", "linger.ms"),
        ("produce t -X fetch.min.bytes=5", "fetch.min.bytes"),
        ("produce t -X sasl.password=@/no/such/file", "/no/such/file"),
        ("produce t --crash-at lunch", "lunch"),
        ("produce t --crash-at write:0", "write:0"),
        ("produce t --crash-at begin -g alo", "begin"),
        ("produce t /no/such/file", "/no/such/file"),
        ("produce t -z rar --dry-run", "rar"),
        ("produce t --partitioner dice --dry-run", "dice"),
        ("sandbox --brokers 0", "0"),
        ("sandbox --topic t:x", "t:x"),
        ("explain nonsense", "nonsense"),
        ("explain eos --client cobol", "cobol"),
        ("explain eos --format pdf", "pdf"),
    ],
)
def test_wrong_usage_is_exit_2_and_one_message_that_names_it(kdg: Kdg, argv: str, named: str) -> None:
    words = argv.split()
    brokers = ["-b", "127.0.0.1:1"] if words[0] in ARGUMENTS else []
    refused(kdg(*words, *brokers), named)


@each_command
def test_without_brokers_it_says_where_they_can_be_named(kdg: Kdg, command: str) -> None:
    refused(kdg(command, *ARGUMENTS[command]), "-b", "KDG_BROKERS", "kdg sandbox")


@each_command
def test_unwritable_report_is_noticed_first(kdg: Kdg, command: str) -> None:
    """A report that cannot be written is refused before a broker is asked."""
    refused(
        kdg(command, *ARGUMENTS[command], "-b", "127.0.0.1:1", "--report", "/no/folder/report"), "/no/folder/report"
    )


@pytest.mark.parametrize(
    ("argv", "named"),
    [
        ("produce t -g eos -X acks=0", "acks=0 exactly-once acks=all"),
        ("produce t -g eos -X acks=1", "acks=1 exactly-once acks=all"),
        ("produce t -g eos -X enable.idempotence=false", "enable.idempotence=false exactly-once"),
        ("produce t -g eos -X retries=0", "retries=0 message.send.max.retries exactly-once"),
        ("produce t -g alo -X acks=0", "acks=0 at-least-once at-most-once"),
        ("produce t -g alo -X retries=0", "retries=0 message.send.max.retries at-least-once"),
        ("produce t -g amo -X enable.idempotence=true", "enable.idempotence=true at-most-once"),
        ("produce t -g amo -X retries=3", "retries=3 message.send.max.retries at-most-once"),
        ("produce t -g alo -X transactional.id=x", "transactional.id=x at-least-once exactly-once"),
        ("consume t -X enable.auto.commit=true", "enable.auto.commit=true at-least-once"),
        ("consume t -g amo -X enable.auto.offset.store=true", "enable.auto.offset.store=true at-most-once"),
        ("consume t -g eos -X isolation.level=read_uncommitted", "isolation.level=read_uncommitted exactly-once"),
        ("consume t -X auto.offset.reset=latest", "auto.offset.reset=latest at-least-once"),
        ("consume t -X enable.partition.eof=false", "enable.partition.eof=false"),
        ("produce t -g alo --transactional-id x", "--transactional-id at-least-once exactly-once"),
        ("produce t -g amo --resume x", "--resume at-most-once exactly-once"),
        ("produce t --allow-unterminated", "--allow-unterminated at-least-once exactly-once"),
        ("produce t -g amo --acks all", "--acks at-most-once at-least-once"),
        ("produce t -g eos --acks leader", "--acks exactly-once at-least-once"),
        ("produce t -g eos --undelivered f", "--undelivered exactly-once at-least-once"),
        ("produce t -g amo --undelivered f", "--undelivered at-most-once at-least-once"),
        ("produce t -g eos --restart", "--restart --resume"),
        ("produce t -g eos --batch-records 5", "--batch-records --resume"),
        ("produce t -g eos --batch-interval 5s", "--batch-interval --resume"),
        ("produce t --acks leader -X enable.idempotence=true", "enable.idempotence=true acks=1"),
        ("produce t -J -K :", "-J -K"),
        ("produce t -k a -K :", "-k -K"),
        ("produce t --keep-partition", "--keep-partition -J"),
        ("produce t file -- cat", "file CMD"),
        ("consume t -J -f %s", "-J -f"),
        ("consume t -e --until 2026-01-01", "-e --until"),
        ("consume t -g eos -G group", "exactly-once stdout group --output --sqlite pipe at-least-once --dedup-by"),
        ("consume t -g eos -G group -- cat", "exactly-once CMD group --output --sqlite pipe at-least-once"),
        ("consume t --output f --sqlite d", "--output --sqlite"),
        ("consume t --sqlite d -- cat", "--sqlite CMD"),
        ("consume t --table x", "--table --sqlite"),
        ("consume t --sqlite d --table kdg_x", "--table kdg_x"),
        ("consume t --sqlite d -J", "-J --sqlite"),
        ("consume t --retry 3", "--retry CMD"),
        ("consume t -g amo --retry 3 -- cat", "--retry at-most-once at-least-once"),
        ("consume t -- /no/such/command", "/no/such/command"),
        ("consume t -g eos --dedup-by key", "--dedup-by exactly-once at-least-once"),
        ("consume t -g amo --dedup-by key", "--dedup-by at-most-once at-least-once"),
        ("consume t --dedup-by nothing", "--dedup-by nothing header:NAME"),
        ("consume t --dedup-store f", "--dedup-store --dedup-by"),
        ("consume t --dedup-ttl 5d", "--dedup-ttl --dedup-by"),
        ("consume t --dedup-by key --dedup-ttl soon", "--dedup-ttl soon"),
        ("pipe a b -G g --lines", "--lines CMD"),
        ("pipe a b -G g --ok-exit 0,1", "--ok-exit CMD"),
        ("pipe a b -G g --ok-exit 0,x -- cat", "--ok-exit 0,x"),
        ("pipe a b -G g --ok-exit 300 -- cat", "--ok-exit 300"),
        ("pipe a b -G g --lines --keep-partition -- cat", "--lines --keep-partition"),
        ("pipe a b -G g --dedup-by position -- cat", "--dedup-by position"),
        ("pipe a b", "-G KDG_GROUP"),
        ("pipe a a -G g", "a -e -c --until"),
        ("pipe a a -G g --idle-timeout 3s", "a -e -c --until"),
        ("pipe a a -G g --until 2999-01-01", "a -e -c --until"),
        ("pipe a b -G g -g alo --transactional-id x", "--transactional-id at-least-once exactly-once"),
        ("produce t -g eos -X transactional.id=", "transactional.id --transactional-id"),
    ],
)
def test_a_contradiction_is_exit_2_and_names_both_sides(kdg: Kdg, argv: str, named: str) -> None:
    words = argv.split()
    at = words.index("--") if "--" in words else len(words)
    answer = kdg(*words[:at], "-b", "127.0.0.1:1", *words[at:])
    refused(answer, *named.split())


@pytest.mark.parametrize("name", ["sasl.pasword", "linger", "max.poll.interval"])
def test_unknown_property_never_shows_its_value(kdg: Kdg, name: str) -> None:
    """An unknown property is refused without showing its value."""
    answer = kdg("consume", "t", "-b", "127.0.0.1:1", "-X", f"{name}=hunter2")
    refused(answer, name)
    assert "hunter2" not in answer[2]


@pytest.mark.parametrize(
    ("argv", "hint"),
    [
        ("consume -t x", "kdg consume TOPIC"),
        ("produce -t x", "kdg produce TOPIC"),
        ("-b h -C -t x", "kdg consume TOPIC"),
        ("-P -t x", "kdg produce TOPIC"),
        ("-L", "kdg check --topic TOPIC"),
        ("consume -C x", "kdg consume TOPIC"),
        ("check client.properties", "kdg check -F FILE"),
    ],
)
def test_habits_of_kcat_are_answered(kdg: Kdg, argv: str, hint: str) -> None:
    refused(kdg(*argv.split()), hint)


def test_control_characters_are_escaped_in_a_message(kdg: Kdg) -> None:
    """A name could otherwise clear the screen, colour it, or look like another message."""
    answer = kdg("produce", "t", "-b", "h:1", "no\x1b[2J\nkdg: \x9b31m\u202e")
    refused(answer, "no\\x1b[2J\\nkdg: \\x9b31m\\u202e")
    assert len(answer[2].splitlines()) == 2


@pytest.mark.parametrize(
    ("shell", "offered"),
    [
        ("bash", ["plain", "'x;rm -rf .'", "'$(id)'"]),
        ("zsh", ["plain"]),
        ("fish", ["plain", "x;rm -rf .", "$(id)"]),
    ],
)
def test_a_completion_is_one_word_of_the_shell(monkeypatch: pytest.MonkeyPatch, shell: str, offered: list[str]) -> None:
    """A group may be called anything; control characters are never offered."""
    monkeypatch.setenv("_KDG_COMPLETE", f"complete_{shell}")
    monkeypatch.setattr(completion, "_groups", lambda _settings: ["plain", "x;rm -rf .", "$(id)", "a\x1bb", "a\nb"])
    context = SimpleNamespace(params={"brokers": "h:1"})
    assert completion.groups(context, "") == offered  # type: ignore[arg-type]
