"""Owns what must hold at the end of every history under its guarantee."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from kdg.errors import Fenced, PositionGone

from .faults import Fault

if TYPE_CHECKING:
    from .history import Case
    from .opening import Scene
    from .upstream import Upstream

_LATE = frozenset({Fault.FREEZE, Fault.SLEEP, Fault.OVERTAKE, Fault.HOLD, Fault.SLOW, Fault.CRASH, Fault.EXPEL})
"""After one of these, a process under at-most-once may write its records late, and so out of order.

So it may if its command goes on working when the partitions have to go."""


class Verdict(NamedTuple):
    """lost, doubled: numbers of records. broken: the invariants that do not hold, in words; empty if all do."""

    lost: int
    doubled: int
    broken: tuple[str, ...]


def judge(case: Case, scene: Scene, upstream: Upstream, output: list[bytes], trouble: list[str]) -> Verdict:
    """The verdict on a history.

    output: the records that a reader sees at its end. trouble: what is known to be wrong already.
    """
    counts, guarantee = Counter(output), case.guarantee
    lost = [value for value in upstream.sent if value not in counts and value not in upstream.gone]
    doubled = [value for value, count in counts.items() if count > 1]
    broken = [*trouble, *scene.world.conduct.broken]
    # kdg has reported that retention deleted records. A topic that was made again is read completely.
    noticed = Fault.RETAIN in scene.world.bitten and any(
        isinstance(process.error, PositionGone) for process in scene.world.processes
    )
    if lost and not guarantee.may_lose and not noticed:
        broken.append(f"lost: {_names(lost)}")
    if doubled and not guarantee.may_duplicate:
        broken.append(f"doubled: {_names(doubled)}")
    if strangers := counts.keys() - set(upstream.sent):
        broken.append(f"aborted seen: {_names(strangers)}")
    if scene.cycle.whole and lost and len(lost) != len(upstream.sent):
        broken.append(f"a part is visible: {_names(output)}")
    if scene.group.went_back:
        broken.append(f"went back: {', '.join(scene.group.went_back)}")
    broken += [
        f"taken over: {process.name} has an id of its own, and ends with: {process.error}"
        for process in scene.world.processes
        if process.frame is not None and process.frame.plan.own_id and isinstance(process.error, Fenced)
    ]
    late = case.works or scene.world.bitten & _LATE or any(process.crashed for process in scene.world.processes)
    if not (guarantee.may_lose and late) and (
        disorder := out_of_order(value for value in output if value not in upstream.gone)
    ):
        broken.append(f"out of order: {_names(disorder)}")
    return Verdict(len(lost), len(doubled), tuple(broken))


def out_of_order(output: Iterable[bytes]) -> list[bytes]:
    """Records that come for the first time after a later record of their partition. Their number is their order."""
    last: dict[bytes, int] = {}
    seen: set[bytes] = set()
    wrong = []
    for value in output:
        if value in seen:
            continue
        seen.add(value)
        place, _, number = value.partition(b":")
        if int(number) < last.get(place, -1):
            wrong.append(value)
        last[place] = max(last.get(place, -1), int(number))
    return wrong


def _names(values: Iterable[bytes]) -> str:
    return b" ".join(sorted(values)).decode()
