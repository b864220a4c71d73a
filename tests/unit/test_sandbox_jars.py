"""Kafka's jars: fetched once, checked, kept in the cache; and the message if they cannot be fetched."""

from __future__ import annotations

import fcntl
import hashlib
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from kdg.sandbox import jars
from kdg.sandbox.errors import SandboxError


def silent(_: str) -> None: ...


@pytest.fixture
def content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """A registry of two jars that are in the lock; the cache is empty."""
    offered = {"kafka-clients-1.0.jar": b"clients", "other-2.0.jar": b"other"}
    lock = tmp_path / "jars.lock"
    hashes = [hashlib.sha256(each).hexdigest() for each in offered.values()]
    lock.write_text(f"org.a kafka-clients 1.0 {hashes[0]}\norg.b other 2.0 {hashes[1]}\n")
    monkeypatch.setattr(jars, "LOCK", lock)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return offered


class Registry:
    """A fake of jgo: `context.project(g, a).at_version(v).artifact()` has `cached_path` and `resolve()`."""

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
            path.write_bytes(self.content[path.name][:3])  # a partial file in its final place, as jgo writes it
            if self.failures:
                raise self.failures.pop()
            path.write_bytes(self.content[path.name])
        return path


def test_jars_are_fetched_once(content: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    """Jars are fetched once; the second time no registry is asked."""
    registry = Registry(content)
    monkeypatch.setattr(jars, "maven", registry)
    first, second = jars.find_jars(silent), jars.find_jars(silent)
    assert first == second
    assert {file.name: file.read_bytes() for file in first.iterdir()} == content
    assert registry.asked == 2
    assert not registry.folder.exists()


def test_only_a_missing_jar_is_fetched(content: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    registry = Registry(content)
    monkeypatch.setattr(jars, "maven", registry)
    (jars.find_jars(silent) / "other-2.0.jar").unlink()
    assert (jars.find_jars(silent) / "other-2.0.jar").exists()
    assert registry.asked == 3


def test_broken_download_starts_again(content: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    """A download that breaks off is tried again from the beginning."""
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
def test_jars_that_cannot_be_fetched_are_named(
    content: dict[str, bytes], monkeypatch: pytest.MonkeyPatch, failure: Exception, what: str
) -> None:
    """A jar that cannot be fetched is named, with a remedy and without the name of a host."""
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
    """The second of two processes waits for the first, and then fetches nothing."""
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


def test_the_lock_pins_one_kafka_its_tools_and_a_logger() -> None:
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
