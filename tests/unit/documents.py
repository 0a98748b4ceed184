"""The documents as tests read them: their tables, their code, and what they name."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

from engine.contract.examples import FOLDER, IN

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
DOCUMENTS = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]
FUNCTION = re.compile(r"([\w/.-]+\.py):([A-Za-z_][\w.]*)")
"""How a document names a function or a class: `file.py:Class.method`."""


class Function(NamedTuple):
    """A function as a document names it and as a profile tells it: file, and qualified name."""

    file: str
    name: str


def text_of(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def section(text: str, heading: str) -> str:
    """What stands under a heading, up to the next heading of its level or of a higher one."""
    match = re.search(rf"^(#+) {re.escape(heading)}\n", text, re.MULTILINE)
    assert match is not None, f"there is no section {heading!r}"
    rest = text[match.end() :]
    following = re.search(rf"^#{{1,{len(match[1])}}} ", rest, re.MULTILINE)
    return rest[: following.start()] if following else rest


def rows(text: str) -> list[list[str]]:
    """The cells of the rows of all tables in a text, without their headers."""
    found: list[list[str]] = []
    for line in text.splitlines():
        if line.startswith("|"):
            cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
            if all(re.fullmatch(r":?-+:?", cell) for cell in cells):
                found.pop()
            else:
                found.append(cells)
    return found


def outside_code(text: str) -> str:
    """A text without its fenced blocks."""
    return re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)


def spans(text: str) -> list[str]:
    """The pieces of code within sentences and tables."""
    return re.findall(r"`([^`\n]+)`", outside_code(text))


def blocks(text: str, *languages: str) -> list[str]:
    """The fenced blocks in one of some languages."""
    found = re.findall(r"^```(\w*)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    return [body for language, body in found if language in languages]


def example_events() -> list[str]:
    """The events that the contract shows: one day of an item, and what only the engine writes."""
    return [line for name in IN for line in (FOLDER / name).read_text(encoding="utf-8").splitlines()]


def events_in_blocks() -> list[str]:
    """The events that the documents show: a block is one, or has one in each line."""
    found = [block for path in DOCUMENTS for block in blocks(path.read_text(encoding="utf-8"), "json")]
    each = [re.split(r"\n(?=\{)", block.strip()) for block in found]
    return [event for events in each for event in events]


def functions(text: str) -> list[Function]:
    """The functions and classes that a text names, in their order."""
    return [Function(file, name) for span in spans(text) for file, name in FUNCTION.findall(span)]


@cache
def defined(file: str) -> frozenset[str]:
    """The qualified names that a module defines: functions, classes, methods, constants; none where it is missing."""
    path = ROOT / file
    return frozenset(_names(ast.parse(path.read_text(encoding="utf-8")), "")) if path.is_file() else frozenset()


def _names(tree: ast.Module | ast.ClassDef, prefix: str) -> list[str]:
    found: list[str] = []
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.append(prefix + node.name)
            if isinstance(node, ast.ClassDef):
                found += _names(node, f"{prefix}{node.name}.")
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found += [prefix + target.id for target in targets if isinstance(target, ast.Name)]
    return found
