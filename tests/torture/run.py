"""`make torture`: every guarantee under every fault, over the ways to share a group and the sizes of a cluster.

Each run has a cluster of its own. Exactly-once gets most of the time. Exit 0 only if every promise held, the faults hit
while records flowed, and what may go wrong did go wrong somewhere: at-most-once lost, at-least-once doubled.
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
"""Seconds of a run in which nothing is disturbed: starting, settling, counting."""
SHARE = {True: 5.0, False: 1.0}
"""How much of the time a run gets: of those that promise neither loss nor doubling, and of the others."""
ENOUGH = 200
"""How many faults a whole plan has to see bite under exactly-once."""


@dataclass(frozen=True, slots=True)
class Case:
    """One run of the plan."""

    row: Guarantee
    protocol: str
    brokers: int
    seconds: float
    seed: int

    @property
    def name(self) -> str:
        """What `--only` is compared with."""
        return f"{self.row.name} {self.protocol} {self.brokers}"


def plan(minutes: float, seed: int, only: Sequence[str] = ()) -> list[Case]:
    """All combinations, or those whose name holds every word of one of `only`; the time shared out among them."""
    everything = [
        Case(row, protocol, brokers, 0.0, seed + index)
        for index, (brokers, protocol, row) in enumerate(product((1, 3), PROTOCOLS, reversed(GUARANTEES)))
    ]
    chosen = [case for case in everything if not only or any(_matches(case, words) for words in only)]
    shares = sum(SHARE[strict(case.row)] for case in chosen) or 1.0
    left = max(minutes * 60 - AROUND * len(chosen), 0.0)
    return [
        Case(case.row, case.protocol, case.brokers, max(left * SHARE[strict(case.row)] / shares, 20.0), case.seed)
        for case in chosen
    ]


def _matches(case: Case, words: str) -> bool:
    return set(words.replace(",", " ").split()) <= {*case.name.split(), case.row.short}


def strict(row: Guarantee) -> bool:
    """Whether the row allows nothing."""
    return not (row.may_lose or row.may_duplicate)


def judge(results: Sequence[Result], *, whole: bool) -> list[str]:
    """What is wrong with the outcome; whole: it was the whole plan, so that what may happen has to have happened."""
    rows = {row.name: row for row in GUARANTEES}
    wrong = []
    for result in results:
        name = f"{result.guarantee} {result.protocol} {result.brokers} (seed {result.seed})"
        wrong += [f"{name}: {breach}" for breach in result.breaches(rows[result.guarantee])]
        wrong += [f"{name}: {reason}" for reason in result.too_few()]
    return wrong + (_did_not_bite(results) if whole else [])


def _did_not_bite(results: Sequence[Result]) -> list[str]:
    wrong = []
    for row in GUARANTEES:
        mine = [result for result in results if result.guarantee == row.name]
        if row.may_lose and not sum(result.tally.lost for result in mine):
            wrong.append(f"{row.name} lost nothing in the whole plan: the faults do not bite")
        if row.may_duplicate and not sum(result.tally.duplicated for result in mine):
            wrong.append(f"{row.name} doubled nothing in the whole plan: the faults do not bite")
        if strict(row) and (bites := sum(result.while_flowing for result in mine)) < ENOUGH:
            wrong.append(f"{row.name} saw {bites} faults that bit, {ENOUGH} are wanted")
    return wrong


def run(case: Case, logs: Path, note: Callable[[str], None]) -> Result:
    """One run on a cluster of its own."""
    setup = Setup(case.row, case.protocol, case.seed, case.seconds, logs=logs / case.name.replace(" ", "-"))
    with Sandbox(case.brokers, properties=broker_settings(setup.pace)) as sandbox:
        result = engine.run(setup, sandbox.bootstrap, sandbox.brokers, note)
        if result.stuck and setup.logs is not None:
            _keep_transactions(sandbox, setup.logs)
        return result


def _keep_transactions(sandbox: Sandbox, logs: Path) -> None:
    """What the brokers know of transactions when one does not end, before they are gone."""
    for question in (["list"], ["find-hanging", "--max-transaction-timeout", "0", "--broker-id", "1"]):
        command = sandbox.tool(
            "org.apache.kafka.tools.TransactionsCommand", "--bootstrap-server", sandbox.bootstrap, *question
        )
        with (logs / f"transactions-{question[0]}.txt").open("wb") as file:
            subprocess.run(command, stdout=file, stderr=subprocess.STDOUT, check=False, timeout=60)


def run_all(cases: Sequence[Case], logs: Path, deadline: float, *, verbose: bool) -> tuple[list[Result], list[str]]:
    """The results, and what kept a run from having one."""
    results, broken = [], []
    for case in cases:
        if time.monotonic() + case.seconds + AROUND > deadline:
            broken.append(f"{case.name}: no time was left for it")
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
    """What the README shows of a run: when, where, the table, and what was wrong."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    machine = f"{os.cpu_count()} cores, {memory:.0f} GB, {platform.system()}, Python {platform.python_version()}"
    bites = sum(result.while_flowing for result in results)
    head = f"`make torture`, {time.strftime('%Y-%m-%d')}, on {machine}: {bites} faults that hit while records flowed."
    return f"{head}\n\n{table(results)}" + "".join(f"\n- {line}" for line in wrong) + ("\n" if wrong else "")


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--minutes", type=float, default=45.0, help="for all runs together, at most 60 (45)")
    parser.add_argument("--only", action="append", default=[], metavar="WORDS", help="such as 'exactly-once,range,3'")
    parser.add_argument("--seed", type=int, default=1, help="the first run's; the others count on from it (1)")
    parser.add_argument("--quick", action="store_true", help="one broker, about 8 minutes")
    parser.add_argument("--json", type=Path, metavar="FILE", help="the results with their histories")
    parser.add_argument("--page", type=Path, metavar="FILE", help="the table with its date and machine, for the README")
    parser.add_argument("--logs", type=Path, metavar="FOLDER", help="keep the workers' stderr there")
    parser.add_argument("--verbose", action="store_true", help="each fault as it happens")
    options = parser.parse_args(arguments)
    if not 0 < options.minutes <= 60:
        parser.error("--minutes is between 0 and 60")
    return options


def _stop(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the plan and print what came out."""
    options = _options(arguments)
    signal.signal(signal.SIGTERM, _stop)  # cleaned up like Ctrl-C
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
        told = {"results": [result.as_json() for result in results], "wrong": wrong}
        options.json.write_text(json.dumps(told, indent=1, default=str))
    if wrong:
        _say(f"the workers' stderr is in {logs}")
    elif not options.logs:
        shutil.rmtree(logs)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
