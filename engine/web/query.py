"""The query language of lists: filters, search, order, limit and cursor, read from the parameters of a call."""

import base64
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from math import isfinite
from typing import Annotated, NamedTuple, TypeVar

import msgspec
from msgspec import Meta
from multidict import MultiMapping

from engine.columns.aggregates import Aggregation
from engine.columns.kinds import Scalar, Value
from engine.columns.query import Condition, Position, Query, Sort
from engine.columns.tables import Tables
from engine.core.topics import OUTPUT_TOPICS
from engine.web.problems import Problem

DEFAULT_LIMIT, MAX_LIMIT = 100, 1000
MAX_OFFSET = 2**31
MAX_SORTS, MAX_VALUES = 8, 1000
RESERVED = frozenset({"limit", "offset", "cursor", "sort", "q", "format", "columns"})
"""The parameters of a list that are no filters."""
RESERVED_OF_AGGREGATES = frozenset({"table", "by", "sum", "min", "max", "q", "limit"})
MAX_GROUPED = 2

C = TypeVar("C", bound=str)


class Asked(NamedTuple):
    """What a call asks of a list: the query, and which page of it."""

    query: Query
    offset: int
    limit: int
    after: Position | None


FIELDS: Mapping[str, Mapping[str, Scalar]] = {
    name: {field: column.kind.scalar for field, column in table.columns.items()}
    for name, table in Tables().by_name.items()
}
"""The fields of each list that a query may name, with the type of their values."""
DEFAULT_SORT: Mapping[str, str] = {name: declared.order for name, declared in OUTPUT_TOPICS.items() if declared.order}
"""How a list is sorted where a call does not say; the others are in the order of names."""


def parse(table: str, parameters: MultiMapping[str]) -> Asked:
    """What the parameters of a call ask of a list; raises Problem 400 for one that is unknown or makes no sense."""
    sorts = _sorts(table, parameters.get("sort", DEFAULT_SORT.get(table)))
    query = Query(table, conditions(table, parameters, RESERVED), parameters.get("q", "").casefold() or None, sorts)
    after = _after(parameters["cursor"], query) if "cursor" in parameters else None
    offset = parse_number(parameters, "offset", 0, 0, MAX_OFFSET)
    if after is not None and offset:
        raise invalid("a page is asked for by `cursor` or by `offset`, not by both")
    return Asked(query, offset, parse_limit(parameters), after)


def conditions(table: str, parameters: MultiMapping[str], reserved: frozenset[str]) -> tuple[Condition, ...]:
    """The filters among the parameters of a call; raises Problem 400 for one that is unknown or makes no sense."""
    names = [name for name in dict.fromkeys(parameters) if name not in reserved]
    return tuple(_condition(FIELDS[table], name, parameters.getall(name)) for name in names)


def known_field(table: str, name: str, parameter: str) -> str:
    """The name of a field; raises Problem 400 where the list has none of that name."""
    if name not in FIELDS[table]:
        raise invalid(f"`{parameter}` names fields of {table}: {', '.join(FIELDS[table])}; there is no {name!r}")
    return name


def _sorts(table: str, text: str | None) -> tuple[Sort, ...]:
    """The fields that order a list, from `a,-b`."""
    if text is None:
        return ()
    named = text.split(",")
    if len(named) > MAX_SORTS:
        raise invalid(f"`sort` names at most {MAX_SORTS} fields, `-` before one for descending")
    sorts = [Sort(known_field(table, name.removeprefix("-"), "sort"), name[:1] == "-") for name in named]
    # A field that comes again orders nothing more.
    return tuple({sort.field: sort for sort in reversed(sorts)}.values())[::-1]


def parse_aggregation(parameters: MultiMapping[str]) -> tuple[Aggregation, int]:
    """What the parameters of a call ask of aggregates, and how many groups; raises Problem 400."""
    table = parameters.get("table", "positions")
    if table not in FIELDS:
        raise invalid(f"`table` is one of {', '.join(FIELDS)}")
    by, sums, least, greatest = (_fields(table, parameters, name) for name in ("by", "sum", "min", "max"))
    if len(by) > MAX_GROUPED:
        raise invalid(f"`by` names at most {MAX_GROUPED} fields")
    if texts := [field for field in (*sums, *least, *greatest) if FIELDS[table][field] is str]:
        raise invalid(f"`{texts[0]}` is a text, which has no sum, least or greatest value")
    if dates := [field for field in sums if issubclass(FIELDS[table][field], date)]:
        raise invalid(f"`{dates[0]}` is a date, which has no sum")
    found = conditions(table, parameters, RESERVED_OF_AGGREGATES)
    query = Query(table, found, parameters.get("q", "").casefold() or None)
    return Aggregation(query, by, sums, least, greatest), parse_limit(parameters)


def _fields(table: str, parameters: MultiMapping[str], parameter: str) -> tuple[str, ...]:
    """The fields that a parameter names, divided by commas."""
    text = parameters.get(parameter)
    return () if text is None else tuple(dict.fromkeys(known_field(table, n, parameter) for n in text.split(",")))


def parse_limit(parameters: Mapping[str, str]) -> int:
    """The `limit` of a list, 100 where none is given; raises Problem 400."""
    return parse_number(parameters, "limit", DEFAULT_LIMIT, 1, MAX_LIMIT)


def parse_number(parameters: Mapping[str, str], name: str, default: int, least: int, most: int) -> int:
    """The parameter `name` as an integer from `least` to `most`; raises Problem 400."""
    text = parameters.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 20 and least <= int(text) <= most):
        raise invalid(f"`{name}` is an integer from {least} to {most}")
    return int(text)


def parse_choice(parameters: Mapping[str, str], name: str, choices: Sequence[C]) -> C | None:
    """The parameter `name` as one of `choices`, None where it is absent; raises Problem 400."""
    text = parameters.get(name)
    for choice in choices:
        if text == choice:
            return choice
    if text is None:
        return None
    raise invalid(f"`{name}` is one of {', '.join(choices)}")


def parse_flag(parameters: Mapping[str, str], name: str) -> bool:
    """The parameter `name`, which is `true` or `false`; false where it is absent; raises Problem 400."""
    return parse_choice(parameters, name, ("true", "false")) == "true"


def _condition(fields: Mapping[str, Scalar], name: str, texts: list[str]) -> Condition:
    field, _, relation = (name, "", "") if name in fields else name.rpartition(".")
    kind = fields.get(field)
    if kind is None or relation not in ("", "min", "max"):
        raise invalid(f"`{name}` is no filter; there are {', '.join(fields)}, also with `.min` or `.max` after it")
    if len(texts) > (1 if relation else MAX_VALUES):
        raise invalid(f"`{name}` is given {len(texts)} times" + ("" if relation else f"; {MAX_VALUES} at most"))
    return Condition(field, relation or "is", tuple(_value(kind, name, text) for text in texts))


def _value(kind: Scalar, name: str, text: str) -> Value:
    """A value of a filter, from its text."""
    try:
        value: Value = msgspec.convert(text, kind, strict=False)
    except msgspec.ValidationError as error:
        raise invalid(f"`{name}`: {error}") from None
    if isinstance(value, datetime) and value.tzinfo is None:
        raise invalid(f"`{name}` needs an offset, such as 2026-03-02T09:14:05Z")
    # A signaling NaN cannot even be asked as a float whether it is finite.
    if not (value.is_finite() if isinstance(value, Decimal) else isfinite(value) if isinstance(value, float) else True):
        raise invalid(f"`{name}` is a number")
    return value


def cursor(*position: object) -> str:
    """An opaque cursor that holds `position`, which is JSON-ready."""
    return base64.urlsafe_b64encode(msgspec.json.encode(position)).decode().rstrip("=")


def open_cursor(text: str) -> list[object]:
    """The position in a cursor; raises Problem 400 where `text` is no cursor."""
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), type=list[object])
    except (ValueError, RecursionError):
        raise foreign_cursor() from None


def cursor_of(query: Query, position: Position) -> str:
    """The cursor of the page that begins behind a position."""
    return cursor(_order_text(query), position.values, position.name)


def _order_text(query: Query) -> str:
    return ",".join(f"{'-' * sort.descending}{sort.field}" for sort in query.sorts)


def _after(text: str, query: Query) -> Position:
    """The position in a cursor of a list, which must be of the same order."""
    match open_cursor(text):
        case [made_for, [*values], str() as name] if made_for == _order_text(query) and len(values) == len(query.sorts):
            kinds = [FIELDS[query.table][sort.field] for sort in query.sorts]
            found = [_cursor_value(kind, value) for kind, value in zip(kinds, values, strict=True)]
            return Position(tuple(found), name)
    raise foreign_cursor()


def _cursor_value(kind: Scalar, value: object) -> Value:
    if value is None:
        return None
    try:
        found: Value = msgspec.convert(value, kind)
    except msgspec.ValidationError:
        raise foreign_cursor() from None
    if isinstance(found, datetime) and found.tzinfo is None:
        raise foreign_cursor()
    return found


def foreign_cursor() -> Problem:
    """The problem of a cursor that was not given by this list."""
    return invalid("`cursor` is not one of this list")


def parse_moment(parameters: Mapping[str, str], name: str) -> datetime | None:
    """The parameter `name` as a moment, None where it is not given; raises Problem 400."""
    text = parameters.get(name)
    try:
        return None if text is None else msgspec.convert(text, Annotated[datetime, Meta(tz=True)])
    except msgspec.ValidationError:
        raise invalid(f"`{name}` is a date-time with an offset, such as 2026-03-02T09:14:05Z") from None


def invalid(detail: str) -> Problem:
    """The problem of a parameter that cannot be taken."""
    return Problem(400, detail, "invalid_parameter")


def refuse_others(parameters: Mapping[str, str], known: frozenset[str]) -> None:
    """Raises Problem 400 if a parameter is not one of `known`."""
    if unknown := parameters.keys() - known:
        raise invalid(f"`{min(unknown)}` is not a parameter here")
