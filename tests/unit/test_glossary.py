"""docs/glossary.md rules: a retired word is no identifier and stands in no docstring or comment of the engine.

The table of the document is the list. A retired word in lower case is looked for as a part of identifiers and as a word
of sentences; one with a capital or an underscore is looked for as that identifier.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.documents import ROOT, rows, section, text_of
from tests.unit.test_layers import PACKAGES

GLOSSARY = text_of("glossary.md")
PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


def told() -> list[list[str]]:
    """The rows of the glossary: word, meaning, retired words."""
    return rows(section(GLOSSARY, "Words"))


def retired() -> dict[str, str]:
    """Retired word -> the word in its place."""
    return {old: word for word, _, olds in told() for old in re.findall(r"`([^`]+)`", olds)}


RETIRED = retired()


def identifiers(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Every name that a module gives to something of its own, with its line."""
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name, node.lineno
            case ast.arg(arg=name) | ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
                yield name, node.lineno


def sentences(source: str, tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Every docstring, also of a constant, and every comment, with its line; code within them is left out."""
    for node in ast.walk(tree):
        match node:
            case ast.Expr(value=ast.Constant(value=str(text))):
                yield re.sub(r"`[^`]*`", "", text), node.lineno
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield re.sub(r"`[^`]*`", "", token.string), token.start[0]


def variants(word: str) -> set[str]:
    return {word, f"{word}s", f"{word[:-1]}ies"} if word.endswith("y") else {word, f"{word}s"}


def offences(source: str, words: dict[str, str]) -> Iterator[str]:
    """Where a source uses a retired word, and the word in its place."""
    tree = ast.parse(source)
    forms = {form: old for old in words if old.islower() and "_" not in old for form in variants(old)}
    for name, line in identifiers(tree):
        parts = {part.lower() for part in PART.findall(name)}
        for old in {forms[part] for part in parts & forms.keys()} | {name} & words.keys():
            yield f"{line}: `{name}`: not {old} but {words[old]}"
    for text, line in sentences(source, tree):
        for old in {forms[word] for word in re.findall(r"[a-z]+", text.lower()) if word in forms}:
            yield f"{line}: a sentence: not {old} but {words[old]}"


def modules() -> list[Path]:
    return [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]


def test_no_retired_word_is_used() -> None:
    found = [f"{path.relative_to(ROOT)}:{each}" for path in modules() for each in offences(path.read_text(), RETIRED)]
    assert found == []


@pytest.mark.parametrize(
    "source",
    [
        "def dedupe(): ...",
        "dedupe_key = 1",
        "class DedupeKey: ...",
        "def f(dedupes): ...",
        "x = 1  # a dedupe of events",
        '"""The dedupe."""',
        "self.dedupe = 1",
        "class Facade: ...",
    ],
)
def test_a_retired_word_is_found(source: str) -> None:
    assert list(offences(source, {"dedupe": "event mark", "Facade": "port"}))


@pytest.mark.parametrize(
    "source", ["deduce = 1", '"""The `dedupe` of another."""', "import dedupe", "facade = 1", "x.dedupe()"]
)
def test_what_only_looks_like_one_is_not(source: str) -> None:
    assert not list(offences(source, {"dedupe": "event mark", "Facade": "port"}))


def test_a_word_has_one_row_and_a_retired_word_one_place() -> None:
    words = [word for word, *_ in told()]
    assert len(words) == len(set(words))
    olds = [old for _, _, olds in told() for old in re.findall(r"`([^`]+)`", olds)]
    assert len(olds) == len(set(olds))
    assert not set(olds) & set(words)
