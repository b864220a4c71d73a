"""Each program holds its guarantee under the faults of `kdg verify`, on a single broker."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from kdg.core.guarantees import GUARANTEES, Guarantee
from tests.support.kafka import Kafka
from tests.support.processes import Run
from tests.support.programs import command

from .conftest import SECONDS

LONG = SECONDS >= 60
WORKERS = 3 if LONG else 2
FAULTS = 20 if LONG else 1
"""How many faults have to hit while records flow."""
FIELDS = ("lost", "doubled", "out_of_order", "foreign", "aborted_seen", "went_back")


def _start(kafka: Kafka, guarantee: Guarantee, client: str, report: Path) -> Run:
    options = ["-g", guarantee.name, "--for", f"{SECONDS}s", "--workers", str(WORKERS), "--seed", "1"]
    options += ["--on-this-cluster", "-b", kafka.bootstrap, "--report", str(report)]
    return kafka.start("verify", *options, "--", *command(guarantee, client))


def _reports(kafka: Kafka, client: str, folder: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The report of each guarantee. The programs run at the same time if they run for a short time."""
    for together in [[each] for each in GUARANTEES] if LONG else [GUARANTEES]:
        with ExitStack() as stack:
            runs = {g.name: stack.enter_context(_start(kafka, g, client, folder / g.name)) for g in together}
            for name, run in runs.items():
                done = run.end(SECONDS + 240)
                print(client, name, done.out.decode(), done.err)  # pytest shows it if the test fails
                yield name, json.loads((folder / name).read_text())


@pytest.fixture(scope="module")
def reports(kafka: Kafka, client: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Mapping[str, Any]]:
    """What `kdg verify` has found about the programs of a client, by the name of the guarantee."""
    return dict(_reports(kafka, client, tmp_path_factory.mktemp(client)))


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("guarantee", GUARANTEES, ids=lambda guarantee: guarantee.name)
def test_program_holds_its_guarantee_under_faults(
    reports: Mapping[str, Mapping[str, Any]], client: str, guarantee: Guarantee
) -> None:
    report = reports[guarantee.name]
    permitted = {"lost": guarantee.may_lose, "doubled": guarantee.may_duplicate, "out_of_order": guarantee.may_lose}
    assert {name: report[name] for name in FIELDS if not permitted.get(name)} == {
        name: 0 for name in FIELDS if not permitted.get(name)
    }, report
    assert report["exit_code"] == 0, report
    assert report["records"] > 500 * SECONDS
    assert report["faults_while_flowing"] >= FAULTS, report
