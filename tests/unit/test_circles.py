"""No file imports itself by way of others: each can be read, and tested, after those below it."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter

import pytest

from tests.unit.test_layers import Module, imports, project_modules


def imported_by(module: Module, names: Iterable[str]) -> set[str]:
    """The modules of the project that a module imports, anywhere in it.

    A registry that names a module by a string is no import: it loads what it was told, when it is asked for it.
    """
    known = set(names)
    found = set()
    statements = [node for node in ast.walk(module.tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    for dotted, _ in imports(Module(module.name, ast.Module([*statements], []))):
        name = dotted if dotted in known else dotted.rpartition(".")[0]
        if name in known and name != module.name:
            found.add(name)
    return found


def circle_of(modules: Iterable[Module]) -> list[str]:
    """The modules of a circle; empty where there is none."""
    given = list(modules)
    names = [module.name for module in given]
    graph: Mapping[str, set[str]] = {module.name: imported_by(module, names) for module in given}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        circle: list[str] = error.args[1]
        return circle
    return []


def test_no_file_imports_itself_by_way_of_others() -> None:
    assert circle_of(project_modules()) == []


@pytest.mark.parametrize("late", ["from a import x", "def f():\n    import a"])
def test_a_circle_is_found(late: str) -> None:
    sources = {"a": "import b", "b": "from c import y", "c": late}
    assert circle_of(Module(name, ast.parse(source)) for name, source in sources.items())
