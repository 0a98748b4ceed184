"""The query parameters of lists and aggregates, made from the fields of their tables."""

import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple

from engine.columns.tables import Tables
from engine.core.decisions import VERBS
from engine.web import idempotency
from engine.web.query import (
    DEFAULT_LIMIT,
    DEFAULT_SORT,
    FIELDS,
    MAX_GROUPED,
    MAX_LIMIT,
    MAX_OFFSET,
    MAX_SORTS,
)


class Parameter(NamedTuple):
    """A parameter of the query, or a header: its JSON Schema and what it does."""

    name: str
    schema: Mapping[str, object]
    what: str


LIMIT = Parameter(
    "limit",
    {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT},
    "how many; a page of very long things may have fewer and still be followed by another",
)
CURSOR = Parameter("cursor", {"type": "string"}, "the `next` of the page before")
_OFFSET = Parameter(
    "offset",
    {"type": "integer", "minimum": 0, "maximum": MAX_OFFSET, "default": 0},
    "how many come before the page, for grids; a cursor is steadier while things change",
)
_FORMAT = Parameter("format", {"type": "string", "enum": ["json", "csv"]}, "what `Accept` says where it is absent")

_SCHEMA_OF: Mapping[type, Mapping[str, object]] = {
    int: {"type": "integer"},
    str: {"type": "string"},
    float: {"type": "number"},
    Decimal: {"type": "string", "format": "decimal"},
    datetime: {"type": "string", "format": "date-time"},
    date: {"type": "string", "format": "date"},
}


def of_list(table: str) -> tuple[Parameter, ...]:
    """The parameters of a list: page, order, search, columns, and a filter for every field with its bounds."""
    fields = FIELDS[table]
    order = _some_of(fields, MAX_SORTS, "-?")
    if default := DEFAULT_SORT.get(table):
        order |= {"default": default}
    searched = ", ".join(Tables().by_name[table].searched)
    return (
        LIMIT,
        _OFFSET,
        CURSOR,
        Parameter("sort", order, "fields divided by commas, `-` before one for descending; by name where it is absent"),
        Parameter("q", {"type": "string"}, f"part of {searched}, in either case"),
        _FORMAT,
        Parameter("columns", _some_of(fields, len(fields)), "those of a CSV, divided by commas"),
        *_filters(fields),
    )


def _filters(fields: Mapping[str, type]) -> tuple[Parameter, ...]:
    equal = [
        Parameter(name, {"type": "array", "items": _SCHEMA_OF[kind]}, f"`{name}` is one of these")
        for name, kind in fields.items()
    ]
    bounds = [
        Parameter(f"{name}.{bound}", _SCHEMA_OF[kind], f"`{name}` is not {beyond} this")
        for name, kind in fields.items()
        for bound, beyond in (("min", "below"), ("max", "above"))
        if kind is not str
    ]
    return (*equal, *bounds)


def _some_of(fields: Mapping[str, type], most: int, before: str = "") -> dict[str, object]:
    """The schema of a text that names some fields, divided by commas."""
    one = f"{before}({'|'.join(map(re.escape, fields))})"
    return {"type": "string", "pattern": f"^{one}(,{one}){{0,{most - 1}}}$"}


_NAMES = {"type": "string"}

OF_AGGREGATES = (
    Parameter("table", {"type": "string", "enum": list(FIELDS), "default": "positions"}, "what is counted"),
    Parameter("by", _NAMES, f"at most {MAX_GROUPED} fields, divided by commas; one group of all where it is absent"),
    Parameter("sum", _NAMES, "fields whose values are added up"),
    Parameter("min", _NAMES, "fields whose least value is told"),
    Parameter("max", _NAMES, "fields whose greatest value is told"),
    Parameter("q", {"type": "string"}, "as in the list of the table; so are the filters"),
    LIMIT._replace(what="how many groups"),
)

SUPPLIER = Parameter("supplier", {"type": "string"}, "which supplier's; a supplier's login has its own and needs none")
OF_SUPPLIER_LINES = (
    SUPPLIER,
    *(each for each in of_list("order-lines") if each.name not in ("supplier", "columns")),
)

_TEXT = {"type": "string"}
AS_OF = Parameter("as_of", {"type": "string", "format": "date-time"}, "as it was at this moment, where that is kept")
IF_NONE_MATCH = (Parameter("If-None-Match", _TEXT, "the tag that the caller has: 304 where it is still that of it"),)
ON_ANSWERS = (
    Parameter("If-Match", _TEXT, "the tag of what is answered, of a signal its revision: 412 where it is another one"),
    Parameter(
        idempotency.HEADER,
        {"type": "string", "minLength": 1, "maxLength": idempotency.MAX_KEY, "pattern": "^[ -~]*$"},
        "the same call with the same key is one event, and gets the same answer; with another body it is a 422",
    ),
)

OF_DECISIONS = (
    LIMIT,
    CURSOR,
    *(Parameter(name, _TEXT, f"of this {name}") for name in ("sku", "location", "signal", "alert")),
    Parameter("by", _TEXT, "of this person or system"),
    Parameter("kind", {"type": "array", "items": {"enum": list(VERBS)}}, "of one of these kinds"),
    Parameter("since", {"type": "string", "format": "date-time"}, "from this moment on"),
    Parameter("automatic", {"type": "boolean", "default": False}, "also what other systems decided"),
)
