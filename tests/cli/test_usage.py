"""The commands in-process, without a network: help, wrong usage, contradictions, settings, `explain`."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.main import get_command

from kdg.cli.app import make_app
from kdg.cli.commands import COMMANDS as ALL
from kdg.core.guarantees import GUARANTEES, Guarantee
from kdg.errors import EXIT_CODES

COMMANDS = {"produce": ["t"], "consume": ["t"], "pipe": ["t", "u", "-G", "g"]}
each_command = pytest.mark.parametrize("command", COMMANDS)
Kdg = Callable[..., tuple[int, str, str]]


def refused(told: tuple[int, str, str], *named: str) -> None:
    """Exit 2, nothing on stdout, one message that names these, and what to do."""
    code, out, err = told
    assert code == 2, err
    assert out == ""
    assert err.startswith("kdg: ")
    assert sum(line.startswith("kdg: ") for line in err.splitlines()) == 1
    for name in named:
        assert name in err


def settings_of(out: str) -> dict[str, tuple[str, str]]:
    """Value and origin of each setting that --dry-run printed; of a pipe's the producer's, which comes last."""
    found = {}
    for line in out.splitlines():
        parts = line.split()
        if line.startswith("  ") and len(parts) >= 3:
            found[parts[0]] = (parts[1], parts[2])
    return found


# ── help ──


@pytest.mark.parametrize(
    "command", [[], ["produce"], ["consume"], ["pipe"], ["explain"], ["verify"], ["sandbox"]], ids=str
)
@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_every_command_has_help_on_stdout(kdg: Kdg, command: list[str], flag: str) -> None:
    code, out, err = kdg(*command, flag)
    assert (code, err) == (0, "")
    assert out.startswith("Usage: kdg" if not command else f"Usage: kdg {command[0]}")


def test_the_four_commands_lead_the_help(kdg: Kdg) -> None:
    _code, out, _err = kdg("--help")
    places = [
        out.index(f"\n  {command} ") for command in ("produce", "consume", "pipe", "explain", "verify", "sandbox")
    ]
    assert places == sorted(places)


FLAGS = {
    "produce": "-g -b -X -F --profile --progress --strict --dry-run --report -q -v --timeout --batch-records --batch-interval --crash-at --acks --resume --restart --transactional-id --undelivered --allow-unterminated -D -K -k -H -Z -J --key-encoding --value-encoding -p --partitioner -z -c",
    "consume": "-g -b -X -F --profile --progress --strict --dry-run --report -q -v --timeout --batch-records --batch-interval --crash-at -G -o -c -e --until --idle-timeout -p -D -K -J -f -Z --key-encoding --value-encoding --output --sqlite --table --retry --dedup-by --dedup-store --dedup-ttl",
    "pipe": "-g -b -X -F --profile --progress --strict --dry-run --report -q -v --timeout --batch-records --batch-interval --crash-at -G -o -c -e --until --idle-timeout --transactional-id --acks -z --keep-partition --lines --ok-exit --dedup-by --dedup-store --dedup-ttl",
    "verify": "-g -b -X -F --profile --records --workers --faults --for --brokers --report --junit --on-this-cluster --cost --seed -q -v",
}  # fmt: skip


@pytest.mark.parametrize(("command", "flag"), [(c, f) for c, flags in FLAGS.items() for f in flags.split()])
def test_every_flag_of_the_contract_is_in_the_help(kdg: Kdg, command: str, flag: str) -> None:
    _code, out, _err = kdg(command, "--help")
    assert any(flag in line.replace(",", " ").split()[:3] for line in out.splitlines() if line.strip().startswith("-"))


def test_nothing_typed_is_answered_with_help(kdg: Kdg) -> None:
    _code, out, err = kdg()
    assert "Usage: kdg" in out + err


def test_the_version_is_printed(kdg: Kdg) -> None:
    code, out, _err = kdg("--version")
    assert code == 0
    assert out.startswith("kdg ")


# ── wrong usage ──


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
    brokers = ["-b", "127.0.0.1:1"] if words[0] in COMMANDS else []
    refused(kdg(*words, *brokers), named)


@each_command
def test_without_brokers_it_says_where_they_can_be_named(kdg: Kdg, command: str) -> None:
    refused(kdg(command, *COMMANDS[command]), "-b", "KDG_BROKERS", "kdg sandbox")


@each_command
def test_unwritable_report_is_noticed_first(kdg: Kdg, command: str) -> None:
    """A report that cannot be written is noticed before anything is done."""
    refused(kdg(command, *COMMANDS[command], "-b", "127.0.0.1:1", "--report", "/no/folder/report"), "/no/folder/report")


# ── contradictions ──


@pytest.mark.parametrize(
    ("argv", "named"),
    [
        ("produce t -g eos -X acks=0", "acks=0 exactly-once acks=all"),
        ("produce t -g eos -X acks=1", "acks=1 exactly-once acks=all"),
        ("produce t -g eos -X enable.idempotence=false", "enable.idempotence=false exactly-once"),
        ("produce t -g eos -X retries=0", "message.send.max.retries=0 exactly-once"),
        ("produce t -g alo -X acks=0", "acks=0 at-least-once at-most-once"),
        ("produce t -g alo -X retries=0", "message.send.max.retries=0 at-least-once"),
        ("produce t -g amo -X enable.idempotence=true", "enable.idempotence=true at-most-once"),
        ("produce t -g amo -X retries=3", "message.send.max.retries=3 at-most-once"),
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
        ("pipe a a -G g", "a"),
        ("pipe a b -G g -g alo --transactional-id x", "--transactional-id at-least-once exactly-once"),
        ("produce t -g eos -X transactional.id=", "transactional.id --transactional-id"),
    ],
)
def test_a_contradiction_is_exit_2_and_names_both_sides(kdg: Kdg, argv: str, named: str) -> None:
    words = argv.split()
    at = words.index("--") if "--" in words else len(words)
    told = kdg(*words[:at], "-b", "127.0.0.1:1", *words[at:])
    refused(told, *named.split())


@pytest.mark.parametrize("name", ["sasl.pasword", "linger", "max.poll.interval"])
def test_unknown_property_never_shows_its_value(kdg: Kdg, name: str) -> None:
    """An unknown property is refused without showing its value."""
    told = kdg("consume", "t", "-b", "127.0.0.1:1", "-X", f"{name}=hunter2")
    refused(told, name)
    assert "hunter2" not in told[2]


# ── -g ──


@pytest.mark.parametrize(
    ("row", "text"),
    [
        (row, text)
        for row in GUARANTEES
        for text in (row.name, row.short, row.name[:5], row.name.upper(), row.name.replace("-", "_"), row.name[:-1])
    ],
)
def test_guarantee_by_name_alias_or_prefix(kdg: Kdg, row: Guarantee, text: str) -> None:
    """A name an alias and an unambiguous beginning choose the guarantee."""
    code, out, _err = kdg("produce", "t", "-g", text, "--dry-run")
    assert code == 0
    assert row.name in out.splitlines()[0]


@pytest.mark.parametrize("text", ["at", "at-", "a", "at-m-o"])
def test_what_could_be_two_guarantees_or_none_is_refused(kdg: Kdg, text: str) -> None:
    told = kdg("produce", "t", "-g", text, "--dry-run")
    refused(told, text, "at-most-once", "at-least-once")


@pytest.mark.parametrize("text", ["mygroup", "billing-service", "0"])
def test_g_with_a_group_offers_the_capital_one(kdg: Kdg, text: str) -> None:
    refused(kdg("consume", "t", "-g", text), text, "-G", "group")


def test_without_g_it_is_at_least_once(kdg: Kdg) -> None:
    assert "at-least-once" in kdg("produce", "t", "--dry-run")[1].splitlines()[0]


# ── where settings come from ──


def test_flags_beat_properties_beat_environment(kdg: Kdg, monkeypatch: pytest.MonkeyPatch) -> None:
    """Flags win over properties and properties over the environment."""
    monkeypatch.setenv("KDG_BROKERS", "from-env:1")
    monkeypatch.setenv("KDG_GROUP", "from-env")
    monkeypatch.setenv("KDG_GUARANTEE", "amo")

    def of(*argv: str) -> dict[str, tuple[str, str]]:
        return settings_of(kdg("consume", "t", "--dry-run", *argv)[1])

    assert of()["bootstrap.servers"] == ("from-env:1", "KDG_BROKERS")
    assert of()["group.id"] == ("from-env", "KDG_GROUP")
    both = of("-X", "bootstrap.servers=from-x:1", "-X", "group.id=from-x")
    assert both["bootstrap.servers"] == ("from-x:1", "-X")
    assert both["group.id"] == ("from-x", "-X")
    all_three = of("-X", "bootstrap.servers=from-x:1", "-X", "group.id=from-x", "-b", "flag:1", "-G", "from-flag")
    assert all_three["bootstrap.servers"] == ("flag:1", "-b")
    assert all_three["group.id"] == ("from-flag", "-G")
    assert "at-most-once" in kdg("consume", "t", "--dry-run")[1].splitlines()[0]
    assert "at-least-once" in kdg("consume", "t", "--dry-run", "-g", "alo")[1].splitlines()[0]


def test_a_wrong_guarantee_in_the_environment_is_refused_too(kdg: Kdg, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KDG_GUARANTEE", "always")
    refused(kdg("consume", "t", "-b", "127.0.0.1:1"), "always")


@each_command
def test_a_dry_run_masks_secrets_from_the_line_and_from_a_file(kdg: Kdg, tmp_path: Path, command: str) -> None:
    secret = tmp_path / "secret"
    secret.write_text("hunter2\n")
    for value in ("hunter2", f"@{secret}"):
        argv = [command, *COMMANDS[command], "--dry-run", "-X", f"sasl.password={value}", "-X", "sasl.username=me"]
        code, out, err = kdg(*argv, "-X", "security.protocol=SASL_PLAINTEXT", "-X", "sasl.mechanism=PLAIN")
        assert (code, err) == (0, "")
        assert "hunter2" not in out
        assert settings_of(out)["sasl.password"][0].strip("*") == ""
        assert settings_of(out)["sasl.username"][0] == "me"


@pytest.mark.parametrize(("row", "command"), list(itertools.product(GUARANTEES, COMMANDS)))
def test_dry_run_shows_origin_and_reason(kdg: Kdg, row: Guarantee, command: str) -> None:
    """A dry run shows every setting of the row with its origin and reason."""
    code, out, err = kdg(command, *COMMANDS[command], "-g", row.name, "--dry-run")
    assert (code, err) == (0, "")
    settings = [*(row.consumer if command != "produce" else ()), *(row.producer if command != "consume" else ())]
    for setting in settings:
        if setting.value and (not setting.commands or command in setting.commands):
            (line,) = {line for line in out.splitlines() if line.split()[:2] == [setting.name, setting.value]}
            assert row.name in line
            assert setting.why in line


def test_acks_leader_shows_what_follows_from_it(kdg: Kdg) -> None:
    settings = settings_of(kdg("produce", "t", "--acks", "leader", "--dry-run")[1])
    assert settings["acks"][0] == "1"
    assert settings["enable.idempotence"][0] == "false"
    assert settings["max.in.flight.requests.per.connection"][0] == "1"


def test_what_follows_the_first_double_dash_is_never_parsed(kdg: Kdg) -> None:
    code, out, _err = kdg("produce", "t", "--dry-run", "--", "cat", "-g", "nonsense", "--", "--help")
    assert code == 0
    assert "at-least-once" in out.splitlines()[0]


# ── explain ──


@pytest.mark.parametrize("names", [[], *([row.name] for row in GUARANTEES), ["acks"], ["exit", "5"], ["alo", "eos"]])
@pytest.mark.parametrize("format_", ["text", "markdown", "json"])
def test_explain_answers_on_stdout_in_each_format(kdg: Kdg, names: list[str], format_: str) -> None:
    code, out, err = kdg("explain", *names, "--format", format_)
    assert (code, err) == (0, "")
    if format_ == "json":
        assert json.loads(out)
    else:
        assert out.endswith("\n")
        assert len(out) > 100


@pytest.mark.parametrize("row", GUARANTEES, ids=lambda row: row.name)
def test_explain_guarantee_has_promise_settings_steps(kdg: Kdg, row: Guarantee) -> None:
    """Explain of a guarantee has its promise its settings and its steps."""
    told = " ".join(kdg("explain", row.short)[1].split())
    assert row.promise in told
    for setting in (*row.producer, *row.consumer):
        if setting.value:
            assert setting.name in told
            assert " ".join(setting.why.split()) in told
    for step in row.steps:
        assert step.value in told.lower().replace(" ", "-") or step.value.replace("-", " ") in told.lower()


@pytest.mark.parametrize("client", ["librdkafka", "python", "dotnet", "java"])
def test_explain_speaks_the_clients_language(kdg: Kdg, client: str) -> None:
    code, out, _err = kdg("explain", "exactly-once", "--client", client)
    assert code == 0
    assert {"dotnet": "EnableIdempotence", "java": "enable.idempotence"}.get(client, "enable.idempotence") in out
    if client == "dotnet":
        assert "Acks.All" in out
        assert "TransactionalId" in out


@pytest.mark.parametrize("code_", [row.code for row in EXIT_CODES])
def test_explain_knows_every_exit_code(kdg: Kdg, code_: int) -> None:
    assert str(code_) in kdg("explain", "exit", str(code_))[1]


# ── verify ──


@pytest.mark.parametrize(
    ("typed", "named"),
    [
        (["-g", "payments"], ["payments", "-G"]),
        (["--faults", "kill,flood"], ["flood", "broker-pause"]),
        (["--faults", ""], ["--faults"]),
        (["--for", "0"], ["--for 0"]),
        (["--for", "soon"], ["--for", "soon"]),
        (["--brokers", "2"], ["--brokers 2", "1 or 3"]),
        (["-b", "h:1"], ["-b", "--on-this-cluster"]),
        (["--on-this-cluster"], ["-b", "KDG_BROKERS"]),
        (["--on-this-cluster", "-b", "h:1", "--brokers", "3"], ["--brokers", "--on-this-cluster"]),
        (["--on-this-cluster", "-b", "h:1", "--faults", "broker-kill"], ["broker-kill", "not ours"]),
        (["-g", "eos", "--faults", "broker-kill"], ["broker-kill", "--brokers 3"]),
        (["-g", "eos", "-X", "acks=0"], ["acks=0", "exactly-once"]),
        (["-X", "linger.ms=1", "--", "sh"], ["-X", "CMD"]),
        (["--", "no-such-command-here"], ["no-such-command-here"]),
        (["--cost", "-g", "eos"], ["-g", "--cost"]),
        (["--cost", "--junit", "f"], ["--junit", "--cost"]),
        (["--cost", "--", "sh"], ["-- CMD", "--cost"]),
        (["--report", "no/such/folder/r"], ["--report"]),
        (["--junit", "no/such/folder/j"], ["--junit"]),
    ],
    ids=str,
)
def test_verify_refuses_contradictions(
    kdg: Kdg, typed: list[str], named: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Verify refuses what contradicts itself before anything is started."""
    monkeypatch.delenv("KDG_BROKERS", raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("kdg.sandbox.cluster.Sandbox.__enter__", lambda _self: pytest.fail("a sandbox was started"))
    refused(kdg("verify", *typed), *named)


# ── the start ──


def loaded(*argv: str) -> set[str]:
    """The modules that a command line has loaded when it is done."""
    code = "import sys\nfrom kdg.cli.app import run\nrun(sys.argv[1:])\nprint('\\n' + ' '.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code, *argv], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())


def test_a_command_loads_itself_and_no_other() -> None:
    commands = {f"kdg.cli.commands.{name}" for name in ALL}
    assert loaded("--help") & commands == set()
    assert loaded("explain", "eos") & commands == {"kdg.cli.commands.explain"}
    assert loaded("explain", "eos") & {"confluent_kafka", "rich", "pydantic"} == set()
    sending = loaded("produce", "t", "--dry-run", "-b", "h:1")
    assert "confluent_kafka" in sending


def test_help_is_the_same_whether_or_not_the_commands_are_loaded(kdg: Kdg) -> None:
    whole = get_command(make_app())
    assert kdg("--help")[1] == whole.get_help(whole.context_class(whole, info_name="kdg")) + "\n"
    assert list(ALL) == [command.name for command in make_app().registered_commands]
