"""No line, module, class or list of parameters is longer than a reader can take in."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
SOURCES = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for folder in ("kdg", "tests")
    for path in sorted((ROOT / folder).rglob("*.py"))
}
LONGEST_LINE, LONGEST_MODULE, LONGEST_CLASS, MOST_PARAMETERS = 120, 300, 200, 8


def nodes(*kinds: type[ast.AST]) -> Iterator[tuple[str, Any]]:
    """Every node of these kinds, with the file that it is in."""
    for name, text in SOURCES.items():
        yield from ((name, node) for node in ast.walk(ast.parse(text)) if isinstance(node, kinds))


def parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """How many parameters a function has, apart from self and cls."""
    names = [each.arg for each in (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)]
    return len(names) - (names[:1] in (["self"], ["cls"]))


def test_no_line_is_too_long() -> None:
    """ruff does not report a long line if a URL is in it, or `fmt: skip` at its end."""
    assert [
        f"{name}:{number}"
        for name, text in SOURCES.items()
        for number, line in enumerate(text.splitlines(), 1)
        if len(line) > LONGEST_LINE
    ] == []


def test_no_module_is_too_long() -> None:
    assert {name for name, text in SOURCES.items() if text.count("\n") > LONGEST_MODULE} == set()


def test_no_class_is_too_long() -> None:
    assert {
        f"{name}: {node.name}" for name, node in nodes(ast.ClassDef) if node.end_lineno - node.lineno >= LONGEST_CLASS
    } == set()


def test_no_function_has_too_many_parameters() -> None:
    assert {
        f"{name}: {node.name}"
        for name, node in nodes(ast.FunctionDef, ast.AsyncFunctionDef)
        if parameters(node) > MOST_PARAMETERS
    } == set()
