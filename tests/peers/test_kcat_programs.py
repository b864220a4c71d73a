"""The commands for kcat that `kdg explain GUARANTEE --client kcat` shows: they send a file, and read the topic."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from kdg.core.guarantees import GUARANTEES, Guarantee
from tests.peers.programs import kcat
from tests.support.kafka import Kafka
from tests.support.processes import lines, text
from tests.support.programs import source


@pytest.mark.parametrize("guarantee", GUARANTEES, ids=lambda guarantee: guarantee.name)
def test_commands_send_a_file_and_read_it(kafka: Kafka, guarantee: Guarantee, tmp_path: Path) -> None:
    file, topic = tmp_path / "records", kafka.topic(1)
    file.write_bytes(text(lines(1000)))
    path = f"{Path(kcat()).parent}{os.pathsep}{os.environ['PATH']}"
    names = {"KDG_TARGET": topic, "KDG_GROUP": topic, "PATH": path}
    argv = ["sh", str(source(guarantee, "kcat")), str(file)]
    done = subprocess.run(argv, env=kafka.environment(names), capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    # -e ends before records whose commit marker is not written yet: right after the commit, that may be all of them.
    assert done.stdout in ({file.read_bytes(), b""} if guarantee.transactional else {file.read_bytes()})
    assert kafka.settled_values(topic) == lines(1000)
