"""Names are checked wherever an event has one: in its fields, its lists and the keys of its dictionaries."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from unittest.mock import patch

from msgspec import Struct

from engine.core import fields
from engine.core import payloads as p
from engine.core.errors import BrokenInvariant
from engine.core.fields import Name, Text
from tests.unit.rules.rule import Figure


class Unnamed(Struct):
    qty: int


class Unchecked(Struct):
    document: Name


class Deep(Struct):
    inner: Unchecked


class Either(fields.Checked):
    either: list[Name] | Name


class Valued(fields.Checked):
    codes: dict[int, Name]


class Single(fields.Checked):
    document: Name
    note: Text = ""


class Several(fields.Checked):
    first: Name
    documents: list[Name] | None = None
    units: dict[Name, int] | None = None
    counts: list[int] | None = None
    groups: list[list[Name]] | None = None
    place: fields.LocationOrAll | None = None


def names(data: Struct) -> object:
    """The names of a struct as its reader gives them; those that lie within its fields are a list."""
    found = fields.reader_of(type(data))(data)
    return found if isinstance(found, tuple) else list(found)


def outcome(call: Callable[..., object], *arguments: Any, **named: Any) -> object:
    try:
        return call(*arguments, **named) is not None
    except (BrokenInvariant, ValueError) as error:
        return type(error)


def fresh(**named: str) -> object:
    """Make a struct of a class that was never seen before."""

    class Pair(fields.Checked):
        first: Name
        second: Name

    return outcome(Pair, **named)


def remembered() -> list[int]:
    """How many rows are remembered as sound after each of some events, where at most two are."""
    sound: set[tuple[object, ...]] = set()
    found = []
    with patch.multiple(fields, _sound=sound, MOST_SOUND=2):
        for sku in "AABCD":
            p.StockIssuedData(sku=sku, location="L", qty=1)
            found.append(len(sound))
    return found


WITHIN = Several(
    first="one", documents=["two", "three"], units={"four": 4}, counts=[5], groups=[["five"], ["six"]], place="seven"
)
TABLE = [
    Figure("the names of a row are read at once", lambda: names(fields.SkuData(sku="ab")), ["ab"]),
    Figure(
        "two names are a tuple, which can be remembered",
        lambda: names(fields.RowData(sku="ab", location="cd")),
        ("ab", "cd"),
    ),
    Figure(
        "a name that is not told is none",
        lambda: names(p.StockIssuedData(sku="ab", location="cd", qty=1, order="ef")),
        ("ab", "cd", None, None, "ef"),
    ),
    Figure("a note is no name", lambda: names(Single(document="ab", note=" ")), ["ab"]),
    Figure(
        "names in lists, dictionaries and lists of lists are read",
        lambda: names(WITHIN),
        ["one", "two", "three", "four", "five", "six", "seven"],
    ),
    Figure(
        "lists that are not told hold no names, and `*` is the name of no location",
        lambda: names(Several(first="one", place="*")),
        ["one"],
    ),
    Figure("a struct without names needs no check", lambda: names(Unnamed(1)), []),
    Figure(
        "names that nothing would check are a mistake", lambda: outcome(fields.reader_of, Unchecked), BrokenInvariant
    ),
    Figure("also in a struct within another", lambda: outcome(fields.reader_of, Deep), BrokenInvariant),
    Figure("also as the values of a dictionary", lambda: outcome(fields.reader_of, Valued), BrokenInvariant),
    Figure("names of two kinds cannot be told apart", lambda: outcome(fields.reader_of, Either), BrokenInvariant),
    Figure("the first struct of a class is made", lambda: fresh(first="A", second="B"), True),
    Figure("the first struct of a class is checked", lambda: fresh(first="A", second="B "), ValueError),
    *(
        Figure(f"a name in {said} is checked", lambda named=named: outcome(Several, first="A", **named), ValueError)  # type: ignore[misc]
        for said, named in (
            ("a list", {"documents": ["A", " B"]}),
            ("the keys of a dictionary", {"units": {"B\n": 1}}),
            ("a list of lists", {"groups": [[], ["*"]]}),
            ("a location", {"place": " "}),
        )
    ),
    Figure("names that are known are remembered, up to a limit", remembered, [1, 1, 2, 1, 2]),
]
