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

RULES = ROOT / "tests" / "unit" / "rules"
MAX_MODULE_LINES = 400
MAX_FUNCTION_LINES = 50

# What is over a limit today, with its size. These lists may only shrink.
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


def is_table(source: str) -> bool:
    """Whether a module is nothing but a table of rules: it is read row by row, so its length is no burden."""
    return "\nTABLE" in source


def test_modules_are_short() -> None:
    found: dict[str, int] = {}
    for path in MODULES:
        source = path.read_text(encoding="utf-8")
        if path.parent != RULES or not is_table(source):
            found |= long_module(str(path.relative_to(ROOT)), source)
    assert found == LONG_MODULES


def test_functions_are_short() -> None:
    found: dict[str, int] = {}
    for path in MODULES:
        found |= long_functions(str(path.relative_to(ROOT)), path.read_text(encoding="utf-8"))
    assert found == LONG_FUNCTIONS


def test_a_long_module_is_found() -> None:
    assert long_module("m.py", "x = 1\n" * 401) == {"m.py": 401}
    assert not long_module("m.py", "x = 1\n" * 400)


@pytest.mark.parametrize("head", ["def f():\n", "async def f():\n", "class C:\n def f():\n"])
def test_a_long_function_is_found(head: str) -> None:
    assert long_functions("m.py", head + "  x = 1\n" * 50) == {"m.py:f": 51}
    assert not long_functions("m.py", head + "  x = 1\n" * 49)


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
