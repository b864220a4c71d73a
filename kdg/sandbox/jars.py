"""Owns Kafka's jars: they are fetched once through jgo, checked against jars.lock, and kept in the user's cache.

Every jar in the cache folder is complete and verified, because a download goes to another folder and is moved only
after the check. No dependency is resolved here: jars.lock lists every jar (pin.py writes it).
"""

from __future__ import annotations

import fcntl
import hashlib
import logging
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from kdg.runtime.folders import cache_folder
from kdg.sandbox.errors import EXTRA, SandboxError

LOCK = Path(__file__).with_name("jars.lock")

_TRIES = 3
_AT_ONCE = 8
_TIMEOUT = 30  # seconds without a byte of a download


class Jar(NamedTuple):
    """One line of jars.lock: Maven coordinates and checksum."""

    group: str
    artifact: str
    version: str
    sha256: str

    @property
    def file(self) -> str:
        """Its file name in the cache."""
        return f"{self.artifact}-{self.version}.jar"


def pinned() -> list[Jar]:
    """All jars of jars.lock."""
    return [Jar(*line.split()) for line in LOCK.read_text().splitlines()]


def kafka_version() -> str:
    """The version of Kafka in jars.lock, such as 4.3.1."""
    return next(jar.version for jar in pinned() if jar.artifact == "kafka-clients")


def find_jars(note: Callable[[str], None]) -> Path:
    """The folder that holds exactly the jars of jars.lock; missing ones are fetched. Raises SandboxError."""
    folder = cache_folder() / f"kafka-{kafka_version()}-{sha256(LOCK)[:8]}"
    if _missing(folder):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with _locked(_beside(folder, "lock"), note):
                _fetch(_missing(folder), folder, note)
        except OSError as exc:
            raise SandboxError(f"Kafka's jars cannot be kept in {folder}: {exc.strerror or exc}.") from exc
    return folder


def maven(folder: Path) -> Any:  # jgo has no types
    """A jgo context that downloads into `folder`.

    It uses the repositories in the user's jgo configuration, or Maven Central. Raises SandboxError without jgo.
    """
    try:
        from jgo.config import GlobalSettings
        from jgo.constants import MAVEN_CENTRAL_URL
        from jgo.maven import MavenContext
    except ImportError as exc:
        raise SandboxError("the sandbox fetches Kafka with jgo, which is not installed.", EXTRA) from exc
    logging.getLogger("jgo").addHandler(logging.NullHandler())  # otherwise its warnings appear on stderr
    mirrors: dict[str, str] = GlobalSettings.load().repositories
    remotes = mirrors | {"central": mirrors.get("central", MAVEN_CENTRAL_URL)}
    return MavenContext(repo_cache=folder, remote_repos=remotes, timeout=_TIMEOUT)


def sha256(path: Path) -> str:
    """The file's SHA-256 in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _missing(folder: Path) -> list[Jar]:
    return [jar for jar in pinned() if not (folder / jar.file).exists()]


def _beside(folder: Path, suffix: str) -> Path:
    return folder.with_name(f"{folder.name}.{suffix}")


@contextmanager
def _locked(path: Path, note: Callable[[str], None]) -> Iterator[None]:
    """Let one process fetch at a time. The lock is released when its process ends in any way."""
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            note("another kdg is fetching Kafka; waiting for it")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _fetch(jars: list[Jar], folder: Path, note: Callable[[str], None]) -> None:
    if not jars:
        return
    note(f"fetching Apache Kafka {kafka_version()}, once: {len(jars)} jars into {folder}")
    scratch = _beside(folder, "partial")
    shutil.rmtree(scratch, ignore_errors=True)  # left by a process that was killed; this process holds the lock
    context = maven(scratch)
    pool = ThreadPoolExecutor(_AT_ONCE)
    try:
        for _ in pool.map(lambda jar: _fetch_one(context, jar, folder), jars):
            pass
    finally:
        pool.shutdown(cancel_futures=True)
        shutil.rmtree(scratch, ignore_errors=True)


def _fetch_one(context: Any, jar: Jar, folder: Path) -> None:
    artifact = context.project(jar.group, jar.artifact).at_version(jar.version).artifact()
    for tries_left in reversed(range(_TRIES)):
        try:
            download = artifact.resolve()
        except (OSError, RuntimeError) as exc:  # OSError: from requests; RuntimeError: jgo's "not found"
            artifact.cached_path.unlink(missing_ok=True)  # jgo would take a partial file for the complete one
            if not tries_left:
                raise _unfetched(jar, exc) from exc
        else:
            break
    if sha256(download) != jar.sha256:
        raise SandboxError(
            f"{jar.file} is not the file that kdg knows (its SHA-256 differs), so it was not kept.",
            "Something between here and the registry changes files: a proxy, or a mirror in jgo's configuration.",
        )
    download.replace(folder / jar.file)


def _unfetched(jar: Jar, exc: Exception) -> SandboxError:
    """The error without the text of the exception, which is long and names hosts."""
    what = "the registry does not have it" if isinstance(exc, RuntimeError) else type(exc).__name__
    return SandboxError(
        f"the sandbox needs Kafka's jars, and {jar.file} cannot be fetched: {what}.",
        f"The first start needs the network (a proxy: HTTPS_PROXY). Offline: copy {cache_folder()} from a machine that "
        "has run `kdg sandbox`.",
    )
