"""`make torture`: long fault runs of every guarantee, on one and on three brokers, with every way to share a group.

Each run has a cluster of its own. Exactly-once gets most of the time. Exit 0 only if every promise held, enough faults
hit while records flowed, and the faults were hard enough: at-most-once lost records, and at-least-once duplicated some.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from types import FrameType

from kdg.core.guarantees import GUARANTEES, Guarantee
from kdg.sandbox import Sandbox
from kdg.verify import engine
from kdg.verify.clients.observer import Failures
from kdg.verify.result import Result, table
from kdg.verify.setup import PROTOCOLS, Setup, broker_settings

AROUND = 30.0
"""Seconds of a run without faults: for starting, settling and counting."""
SHARE = {True: 5.0, False: 1.0}
"""How much of the time a run gets: if the guarantee allows neither loss nor duplicates, and if it allows one of them.
"""
ENOUGH = 200
"""How many faults have to hit exactly-once while records flow, in the whole plan."""


@dataclass(frozen=True, slots=True)
class Case:
    """One run of the plan."""

    guarantee: Guarantee
    protocol: str
    brokers: int
    seconds: float
    seed: int

    @property
    def name(self) -> str:
        """The words with which `--only` is compared."""
        return f"{self.guarantee.name} {self.protocol} {self.brokers}"


def plan(minutes: float, seed: int, only: Sequence[str] = ()) -> list[Case]:
    """All combinations, or those whose name has every word of an entry of `only`. The time is divided among them."""
    everything = [
        Case(guarantee, protocol, brokers, 0.0, seed + index)
        for index, (brokers, protocol, guarantee) in enumerate(product((1, 3), PROTOCOLS, reversed(GUARANTEES)))
    ]
    chosen = [case for case in everything if not only or any(_matches(case, words) for words in only)]
    shares = sum(SHARE[strict(case.guarantee)] for case in chosen) or 1.0
    left = max(minutes * 60 - AROUND * len(chosen), 0.0)
    return [
        Case(
            case.guarantee,
            case.protocol,
            case.brokers,
            max(left * SHARE[strict(case.guarantee)] / shares, 20.0),
            case.seed,
        )
        for case in chosen
    ]


def _matches(case: Case, words: str) -> bool:
    return set(words.replace(",", " ").split()) <= {*case.name.split(), case.guarantee.short}


def strict(guarantee: Guarantee) -> bool:
    """Whether the guarantee allows neither loss nor duplicates."""
    return not (guarantee.may_lose or guarantee.may_duplicate)


def judge(results: Sequence[Result], *, whole: bool) -> list[str]:
    """What is wrong with the results. whole: all combinations were run, so some run must show what may happen."""
    by_name = {guarantee.name: guarantee for guarantee in GUARANTEES}
    wrong = []
    for result in results:
        name = f"{result.guarantee} {result.protocol} {result.brokers} (seed {result.seed})"
        wrong += [f"{name}: {breach}" for breach in result.breaches(by_name[result.guarantee])]
        wrong += [f"{name}: {reason}" for reason in result.too_few()]
    return wrong + (_too_easy(results) if whole else [])


def _too_easy(results: Sequence[Result]) -> list[str]:
    wrong = []
    for guarantee in GUARANTEES:
        mine = [result for result in results if result.guarantee == guarantee.name]
        if guarantee.may_lose and not sum(result.tally.lost for result in mine):
            wrong.append(f"{guarantee.name} lost nothing in the whole plan: the faults are too easy")
        if guarantee.may_duplicate and not sum(result.tally.duplicated for result in mine):
            wrong.append(f"{guarantee.name} duplicated nothing in the whole plan: the faults are too easy")
        if strict(guarantee) and (hits := sum(result.while_flowing for result in mine)) < ENOUGH:
            wrong.append(f"{guarantee.name} had {hits} faults while records flowed, and needs {ENOUGH}")
    return wrong


def run(case: Case, logs: Path, note: Callable[[str], None]) -> Result:
    """One run on a cluster of its own."""
    setup = Setup(case.guarantee, case.protocol, case.seed, case.seconds, logs=logs / case.name.replace(" ", "-"))
    with Sandbox(case.brokers, properties=broker_settings(setup.pace)) as sandbox:
        result = engine.run(setup, sandbox.bootstrap, sandbox.brokers, note)
        if result.stuck and setup.logs is not None:
            _keep_transactions(sandbox, setup.logs)
        return result


def _keep_transactions(sandbox: Sandbox, logs: Path) -> None:
    """Write what the brokers know of their transactions into the logs: one of them did not end."""
    for question in (["list"], ["find-hanging", "--max-transaction-timeout", "0", "--broker-id", "1"]):
        command = sandbox.tool(
            "org.apache.kafka.tools.TransactionsCommand", "--bootstrap-server", sandbox.bootstrap, *question
        )
        with (logs / f"transactions-{question[0]}.txt").open("wb") as file:
            subprocess.run(command, stdout=file, stderr=subprocess.STDOUT, check=False, timeout=60)


def run_all(cases: Sequence[Case], logs: Path, deadline: float, *, verbose: bool) -> tuple[list[Result], list[str]]:
    """The results, and the reasons why other runs have none."""
    results, broken = [], []
    for case in cases:
        if time.monotonic() + case.seconds + AROUND > deadline:
            broken.append(f"{case.name}: not run, because no time was left")
            continue
        _say(f"{case.name}, {case.seconds:.0f} s, seed {case.seed}")
        try:
            results.append(run(case, logs, _say if verbose else lambda _line: None))
        except Failures as exc:
            broken.append(f"{case.name} (seed {case.seed}): {type(exc).__name__}: {exc}")
            _say(broken[-1])
        else:
            _say(table(results[-1:]).splitlines()[-1])
    return results, broken


def page(results: Sequence[Result], wrong: Sequence[str]) -> str:
    """The page for the README: the date, the machine, the table, and what was wrong."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    machine = f"{os.cpu_count()} cores, {memory:.0f} GB, {platform.system()}, Python {platform.python_version()}"
    hits = sum(result.while_flowing for result in results)
    head = f"`make torture`, {time.strftime('%Y-%m-%d')}, on {machine}: {hits} faults that hit while records flowed."
    return f"{head}\n\n{table(results)}" + "".join(f"\n- {line}" for line in wrong) + ("\n" if wrong else "")


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--minutes", type=float, default=45.0, help="for all runs together, at most 60 (default: 45)")
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="WORDS",
        help="only these runs, such as 'exactly-once,range,3'; may be repeated",
    )
    parser.add_argument(
        "--seed", type=int, default=1, help="the seed of the first run; each next run adds 1 (default: 1)"
    )
    parser.add_argument("--quick", action="store_true", help="one broker, about 8 minutes")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results with their histories to FILE")
    parser.add_argument(
        "--page", type=Path, metavar="FILE", help="write the table with date and machine to FILE, for the README"
    )
    parser.add_argument("--logs", type=Path, metavar="FOLDER", help="keep the workers' stderr in FOLDER")
    parser.add_argument("--verbose", action="store_true", help="show each fault when it happens")
    options = parser.parse_args(arguments)
    if not 0 < options.minutes <= 60:
        parser.error("--minutes is between 0 and 60")
    return options


def _stop(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the plan and print the results."""
    options = _options(arguments)
    signal.signal(signal.SIGTERM, _stop)  # so that everything is removed, as after Ctrl-C
    only = [f"{protocol} 1" for protocol in PROTOCOLS] if options.quick and not options.only else options.only
    cases = plan(8.0 if options.quick else options.minutes, options.seed, only)
    logs = options.logs or Path(tempfile.mkdtemp(prefix="kdg-torture-"))
    try:
        results, broken = run_all(cases, logs, time.monotonic() + 60 * 60, verbose=options.verbose)
    except KeyboardInterrupt:
        if not options.logs:
            shutil.rmtree(logs)
        return 130
    wrong = broken + judge(results, whole=not only)
    sys.stdout.write(table(results) + "".join(f"\n- {line}" for line in wrong) + ("\n" if wrong else ""))
    if options.page:
        options.page.write_text(page(results, wrong))
    if options.json:
        written = {"results": [result.as_json() for result in results], "wrong": wrong}
        options.json.write_text(json.dumps(written, indent=1, default=str))
    if wrong:
        _say(f"the workers' stderr is in {logs}")
    elif not options.logs:
        shutil.rmtree(logs)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
