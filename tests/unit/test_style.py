"""House rules that a reader relies on and no linter holds: sizes, and no trace of a machine."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("engine", "agents", "tables", "connectors", "tests", "benchmarks", "docs", ".ci", ".monitoring")
TEXT_SUFFIXES = {"", ".py", ".md", ".toml", ".yml", ".json", ".html", ".js", ".css", ".lock"}

MAX_MODULE_LINES = 300
MAX_FUNCTION_LINES = 30

# Tables of declarations: one row after the other, without a statement that anybody has to follow.
TABLES = {"engine/core/payloads.py", "engine/web/routes.py"}
# Tables of rules are read row by row too; a few functions beside them make rows that are alike.
LONG_RULES = (
    "care",
    "corrections",
    "directory",
    "drafts",
    "drifts",
    "figures",
    "forecasts",
    "orders",
    "signals",
    "stock",
)
RULES = {f"tests/unit/rules/{name}.py" for name in LONG_RULES}

# What is over a limit today, with the size that it may have at most. These lists may only shrink.
LONG_MODULES: dict[str, int] = {}
LONG_FUNCTIONS: dict[str, int] = {}

PARENTS = ("work", "root", "home", "tmp", "Users")
MACHINE_FOLDER = re.compile(rf"(?<![\w.~-])/(?:{'|'.join(PARENTS)})/")
REGISTRY = re.compile(r"pypi[.]|pythonhosted[.]|npmjs[.]|docker[.]io|ghcr[.]io|quay[.]io")


def _files() -> Iterator[Path]:
    yield from (path for path in sorted(ROOT.iterdir()) if path.is_file())
    for folder in FOLDERS:
        yield from (path for path in sorted((ROOT / folder).rglob("*")) if path.is_file())


TEXTS = [path for path in _files() if path.suffix in TEXT_SUFFIXES and "__pycache__" not in path.parts]
MODULES = [path for path in TEXTS if path.suffix == ".py"]


def long_module(name: str, source: str) -> dict[str, int]:
    lines = len(source.splitlines())
    return {name: lines} if lines > MAX_MODULE_LINES else {}


def long_functions(name: str, source: str) -> dict[str, int]:
    """Name and size of every function over the limit, its docstring and nested functions included."""
    nodes = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    sizes = ((f"{name}:{node.name}", (node.end_lineno or node.lineno) - node.lineno + 1) for node in nodes)
    return {function: size for function, size in sizes if size > MAX_FUNCTION_LINES}


def over(found: dict[str, int], allowed: dict[str, int]) -> dict[str, int]:
    """What is longer than it may be, and what is allowed more than it needs: that line is to go from its list."""
    longer = {name: size for name, size in found.items() if size > allowed.get(name, 0)}
    return longer | {name: 0 for name in allowed if name not in found}


def test_modules_are_short() -> None:
    found: dict[str, int] = {}
    for path in MODULES:
        if (name := str(path.relative_to(ROOT))) not in TABLES | RULES:
            found |= long_module(name, path.read_text(encoding="utf-8"))
    assert over(found, LONG_MODULES) == {}


def test_functions_are_short() -> None:
    found: dict[str, int] = {}
    for path in MODULES:
        found |= long_functions(str(path.relative_to(ROOT)), path.read_text(encoding="utf-8"))
    assert over(found, LONG_FUNCTIONS) == {}


@pytest.mark.parametrize("name", sorted(TABLES))
def test_a_table_of_declarations_has_no_long_function(name: str) -> None:
    """Nothing but imports, names, types and short functions: else it would be a module like any other."""
    tree = ast.parse((ROOT / name).read_text(encoding="utf-8"))
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    assert all((node.end_lineno or 0) - node.lineno < 10 for node in functions)


def test_what_no_longer_is_long_leaves_its_list() -> None:
    assert over({"m.py": 310}, {"m.py": 312}) == {}
    assert over({"m.py": 313}, {"m.py": 312}) == {"m.py": 313}
    assert over({}, {"m.py": 312}) == {"m.py": 0}
    assert over({"m.py": 301}, {}) == {"m.py": 301}


def test_a_long_module_is_found() -> None:
    assert long_module("m.py", "x = 1\n" * 301) == {"m.py": 301}
    assert not long_module("m.py", "x = 1\n" * 300)


@pytest.mark.parametrize("head", ["def f():\n", "async def f():\n", "class C:\n def f():\n"])
def test_a_long_function_is_found(head: str) -> None:
    assert long_functions("m.py", head + "  x = 1\n" * 30) == {"m.py:f": 31}
    assert not long_functions("m.py", head + "  x = 1\n" * 29)


def test_no_file_names_a_folder_of_a_machine() -> None:
    assert not _lines_with(MACHINE_FOLDER)


def test_no_file_names_the_host_of_a_registry() -> None:
    assert not _lines_with(REGISTRY)


def _lines_with(pattern: re.Pattern[str]) -> list[str]:
    found = []
    for path in TEXTS:
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if pattern.search(line):
                found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()}")
    return found


@pytest.mark.parametrize("kind", ["pypi", "files.pythonhosted", "ghcr"])
def test_the_host_of_a_registry_is_found(kind: str) -> None:
    assert REGISTRY.search(f"--index-url https://{kind}.io/simple")


@pytest.mark.parametrize("parent", PARENTS)
def test_a_folder_of_a_machine_is_found(parent: str) -> None:
    assert MACHINE_FOLDER.search(f"open('/{parent}/x')")
    assert not MACHINE_FOLDER.search(f"https://example.com/{parent}/x")
