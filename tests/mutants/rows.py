"""Owns the mutants that are a changed row of the table of guarantees: another order of the steps, or one step less."""

from __future__ import annotations

from kdg.core.guarantees import AT_LEAST_ONCE, AT_MOST_ONCE, EXACTLY_ONCE, Step

from .mutant import Caught, Mutant, Row

S = Step
BY_TEST = ("tests/broker/test_mutants.py", "tests/torture/test_engine.py")


def _found(command: str, harm: str) -> tuple[Caught, ...]:
    return (Caught(command, (harm,)),)


MUTANTS = (
    Mutant(
        "alo-commits-first",
        "At-least-once commits the position before it writes the records.",
        Row(AT_LEAST_ONCE, {"chunk": AT_MOST_ONCE.chunk, "interval": AT_MOST_ONCE.interval, "end": AT_MOST_ONCE.end}),
        simulated=_found("alo consume", "lost"),
        explored=_found("consume", "lost"),
        applied_by=BY_TEST,
    ),
    Mutant(
        "alo-commits-before-it-flushes",
        "At-least-once commits the position before the records are acknowledged.",
        Row(AT_LEAST_ONCE, {"interval": (S.MARK, S.COMMIT, S.FLUSH)}),
        explored=_found("pipe", "lost"),
    ),
    Mutant(
        "alo-does-not-flush",
        "At-least-once does not wait for the acknowledgement of the records.",
        Row(AT_LEAST_ONCE, {"interval": (S.MARK, S.COMMIT)}),
        explored=_found("pipe", "lost"),
    ),
    Mutant(
        "alo-does-not-read-again",
        "Under at-least-once a second run does not read an input without a position again.",
        Row(AT_LEAST_ONCE, {"reads_again": False}),
        simulated=_found("alo produce", "lost"),
        explored=_found("produce", "lost"),
    ),
    Mutant(
        "marks-before-it-flushes",
        "Deduplication marks records as written before they are acknowledged.",
        Row(AT_LEAST_ONCE, {"interval": (S.MARK, S.FLUSH, S.COMMIT)}),
        explored=_found("pipe --dedup-store", "lost"),
    ),
    Mutant(
        "marks-before-it-writes",
        "Deduplication marks records as written before they are written.",
        Row(AT_LEAST_ONCE, {"chunk": (S.READ, S.DEDUP, S.MARK, S.WRITE), "interval": (S.FLUSH, S.COMMIT)}),
        explored=_found("consume --dedup-store", "lost"),
    ),
    Mutant(
        "amo-writes-first",
        "At-most-once commits the position after it writes the records.",
        Row(AT_MOST_ONCE, {"chunk": AT_LEAST_ONCE.chunk, "interval": AT_LEAST_ONCE.interval, "end": AT_LEAST_ONCE.end}),
        simulated=_found("amo consume", "doubled"),
        explored=_found("consume", "duplicated"),
        applied_by=BY_TEST,
    ),
    Mutant(
        "amo-reads-again",
        "Under at-most-once a second run reads an input without a position again.",
        Row(AT_MOST_ONCE, {"reads_again": True}),
        simulated=_found("amo produce", "doubled"),
        explored=_found("produce", "duplicated"),
    ),
    Mutant(
        "eos-records-after-the-commit",
        "Exactly-once adds the position after the transaction is committed.",
        Row(EXACTLY_ONCE, {"interval": (S.FLUSH, S.COMMIT_TRANSACTION, S.RECORD_POSITION)}),
        explored=_found("pipe", "duplicated"),
    ),
    Mutant(
        "eos-records-nothing",
        "Exactly-once does not add the position to the transaction.",
        Row(EXACTLY_ONCE, {"interval": (S.FLUSH, S.COMMIT_TRANSACTION)}),
        explored=_found("produce --resume", "duplicated"),
    ),
    Mutant(
        "eos-does-not-flush",
        "Exactly-once commits the transaction before its records are acknowledged.",
        Row(EXACTLY_ONCE, {"interval": (S.RECORD_POSITION, S.COMMIT_TRANSACTION)}),
        explored=_found("pipe", "lost"),
    ),
    Mutant(
        "eos-commits-outside",
        "Exactly-once commits the position before the transaction, and outside of it.",
        Row(
            EXACTLY_ONCE,
            {"chunk": (S.READ, S.COMMIT, S.BEGIN, S.WRITE, S.FLUSH, S.COMMIT_TRANSACTION), "interval": ()},
        ),
        explored=_found("pipe", "lost"),
    ),
    Mutant(
        "eos-writes-outside",
        "Exactly-once writes the records before the transaction begins.",
        Row(
            EXACTLY_ONCE,
            {"chunk": (S.READ, S.WRITE, S.FLUSH, S.BEGIN), "interval": EXACTLY_ONCE.interval[1:]},
        ),
        explored=_found("pipe", "duplicated"),
    ),
)
