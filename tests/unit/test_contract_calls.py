"""docs/contract.md tells the calls, the reasons of problems and the commands that there are, and no others."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Any

from typer.core import TyperGroup
from typer.main import get_command

from engine.cli import app
from engine.web.routes import ROUTES
from tests.unit.documents import rows, section
from tests.unit.test_contract_document import CONTRACT, sources, spans_of


def calls() -> set[str]:
    """Every call of the contract: method and path; a path that begins with a verb goes on from the one before."""
    found: set[str] = set()
    for cell in [row[0] for row in rows(section(CONTRACT, "6. HTTP")) if len(row) == 2]:
        before = ""
        for span in spans_of(cell):
            method, _, path = span.rpartition(" ")
            if method:
                before = f"{method} {path.partition('?')[0]}"
            elif "/{id}/" in before:
                before = f"{before.rpartition('/')[0]}{path}"
            else:
                before = f"{before.partition(' ')[0]} {path}"
            found.add(before)
    return found


def spelled_out(path: str) -> list[str]:
    """A path whose last part is one of several, once for each."""
    verbs = re.search(r"\{\w+:(.*)\}", path)
    return [path] if verbs is None else [path[: verbs.start()] + verb for verb in verbs[1].split("|")]


def test_every_call_is_told_and_no_other() -> None:
    routes = [route for route in ROUTES if not route.path.startswith("/static/")]
    assert calls() == {f"{route.method} {path}" for route in routes for path in spelled_out(route.path)}


def problems() -> Iterator[str]:
    """The reasons that the code gives with its problem details, where they are written out."""
    for _, source in sources("engine/web"):
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in {"Problem", "answer"}:
                reason = node.args[2] if len(node.args) > 2 else None
                if isinstance(reason, ast.Constant) and isinstance(reason.value, str):
                    yield reason.value


def test_every_reason_of_a_problem_is_told() -> None:
    told = {each for row in rows(section(CONTRACT, "6. HTTP")) if len(row) == 3 for each in spans_of(row[0])}
    assert {"busy", "invalid_parameter", "foreign_host"} <= set(problems())
    assert set(problems()) - told == set()


def commands(command: Any, path: str = "stockline") -> Iterator[str]:
    if isinstance(command, TyperGroup):
        for name, child in command.commands.items():
            yield from commands(child, f"{path} {name}")
        if command.invoke_without_command:
            yield path
    else:
        yield path


def test_every_command_is_told() -> None:
    told = section(CONTRACT, "7. Command line")
    assert [name for name in commands(get_command(app)) if f"`{name}" not in told] == []
