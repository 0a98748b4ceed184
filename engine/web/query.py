"""The query language of lists: filters, search, order, limit and cursor, read from the parameters of a call."""

import base64
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple, TypeVar

import msgspec
from msgspec import Struct
from multidict import MultiMapping

from engine.core.topics import OUTPUT_TOPICS, OutputTopic, Topic
from engine.web.problems import Problem

DEFAULT_LIMIT, MAX_LIMIT = 100, 1000
RESERVED = frozenset({"limit", "cursor", "sort", "q"})
"""The parameters of a list that are no filters."""

Scalar = int | str | datetime | date
C = TypeVar("C", bound=str)
Rank = tuple[Any, ...]
"""Where a thing stands in the order of a list; ranks of one order can be compared."""


class Table(NamedTuple):
    """A listed topic, and the fields that a query may name, each with the type of its values."""

    topic: OutputTopic
    fields: Mapping[str, type[Scalar]]


_SCALARS: dict[type, type[Scalar]] = {
    msgspec.inspect.IntType: int,
    msgspec.inspect.StrType: str,
    msgspec.inspect.LiteralType: str,
    msgspec.inspect.DateTimeType: datetime,
    msgspec.inspect.DateType: date,
}


def _scalar(annotation: object) -> type[Scalar] | None:
    """The scalar type behind the annotation of a field, or None where the values have no order."""
    kind = msgspec.inspect.type_info(annotation)
    options = kind.types if isinstance(kind, msgspec.inspect.UnionType) else (kind,)
    found = {_SCALARS.get(type(option)) for option in options if not isinstance(option, msgspec.inspect.NoneType)}
    return found.pop() if len(found) == 1 else None


def _fields(data: type[Struct]) -> dict[str, type[Scalar]]:
    """The fields of a struct that have an order, and those of a struct in it, as `draft.system`."""
    found: dict[str, type[Scalar]] = {}
    for field in msgspec.structs.fields(data):
        kind = msgspec.inspect.type_info(field.type)
        if isinstance(kind, msgspec.inspect.StructType):
            found |= {f"{field.name}.{name}": inner for name, inner in _fields(kind.cls).items()}
        elif (scalar := _scalar(field.type)) is not None:
            found[field.name] = scalar
    return found


TABLES: Mapping[Topic, Table] = {name: Table(topic, _fields(topic.data)) for name, topic in OUTPUT_TOPICS.items()}


class Condition(NamedTuple):
    """A condition on a field: it is one of `values` (`is`), or not below (`min`) or not above (`max`) the only one."""

    field: str
    relation: str
    values: tuple[Any, ...]

    def holds(self, value: object) -> bool:
        """Whether a thing with this value is listed; a missing value is neither above nor below anything."""
        if self.relation == "is":
            return value in self.values
        if value is None:
            return False
        return bool(self.values[0] <= value) if self.relation == "min" else bool(self.values[0] >= value)


class Query(NamedTuple):
    """The question that a list answers.

    Attributes:
        table: the listed topic.
        conditions: all of them must hold.
        text: what a searched field contains, case-folded; None where nothing is searched for.
        order: the field that orders the list, `-` before it for descending; None for the order of names.
        limit: how many things a page has at most.
        after: where the last page ended, as the value of the order's field and the name; None for the first page.
    """

    table: Table
    conditions: tuple[Condition, ...]
    text: str | None
    order: str | None
    limit: int
    after: tuple[object, str] | None

    @property
    def descending(self) -> bool:
        """Whether the largest come first."""
        return (self.order or "").startswith("-")

    @property
    def order_field(self) -> str | None:
        """The field that orders the list, or None for the order of names."""
        return self.order.removeprefix("-") if self.order else None

    @property
    def takes_all_by_name(self) -> bool:
        """Whether every thing of the topic is listed in the order of names."""
        return self.order is None and not self.conditions and self.text is None

    @property
    def needed_fields(self) -> tuple[str, ...]:
        """The fields that decide which things are listed, and where."""
        names = {condition.field for condition in self.conditions}
        if self.order_field:
            names.add(self.order_field)
        if self.text is not None:
            names.update(self.table.topic.searched)
        return tuple(sorted(names))

    def matches(self, fields: object) -> bool:
        """Whether a thing is listed; `fields` has the needed fields as attributes."""
        if self.text is not None:
            searched = (value_of(fields, name) or "" for name in self.table.topic.searched)
            if not any(self.text in value.casefold() for value in searched):
                return False
        return all(condition.holds(value_of(fields, condition.field)) for condition in self.conditions)

    def last_rank(self) -> Rank | None:
        """The rank of the last thing of the page before, or None; Problem 400 where the cursor has no such value."""
        if self.after is None:
            return None
        value, name = self.after
        if value is None or self.order_field is None:
            return rank_of(None, name)
        try:
            start = msgspec.convert(value, self.table.fields[self.order_field])
        except msgspec.ValidationError:
            raise foreign_cursor() from None
        if isinstance(start, datetime) and start.tzinfo is None:
            raise foreign_cursor()
        return rank_of(start, name)


def value_of(fields: object, name: str) -> Any:
    """The value of a field that a query names, also of one in a struct; None where it is missing."""
    for part in name.split("."):
        fields = getattr(fields, part, None)
    return fields


def rank_of(value: object, name: str) -> Rank:
    """The rank of a thing with this value in the order's field; a thing without a value stands before the least."""
    return (0, name) if value is None else (1, value, name)


def parse(table: Table, parameters: MultiMapping[str]) -> Query:
    """The query in the parameters of a call; raises Problem 400 for a parameter that is unknown or makes no sense."""
    order = parameters.get("sort", table.topic.order)
    if order is not None and order.removeprefix("-") not in table.fields:
        raise invalid(f"`sort` is one of {', '.join(table.fields)}, `-` before it for descending")
    names = [name for name in dict.fromkeys(parameters) if name not in RESERVED]
    conditions = tuple(_condition(table, name, parameters.getall(name)) for name in names)
    after = _after(parameters["cursor"], order) if "cursor" in parameters else None
    return Query(table, conditions, parameters.get("q", "").casefold() or None, order, parse_limit(parameters), after)


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


def _condition(table: Table, name: str, texts: list[str]) -> Condition:
    field, _, relation = (name, "", "") if name in table.fields else name.rpartition(".")
    kind = table.fields.get(field)
    if kind is None or relation not in ("", "min", "max"):
        fields = ", ".join(table.fields)
        raise invalid(f"`{name}` is no filter; there are {fields}, also with `.min` or `.max` after it")
    try:
        values = tuple(msgspec.convert(text, kind, strict=False) for text in texts)
    except msgspec.ValidationError as error:
        raise invalid(f"`{name}`: {error}") from None
    if any(isinstance(value, datetime) and value.tzinfo is None for value in values):
        raise invalid(f"`{name}` needs an offset, such as 2026-03-02T09:14:05Z")
    if relation and len(values) > 1:
        raise invalid(f"`{name}` is given more than once")
    return Condition(field, relation or "is", values)


def cursor(*position: object) -> str:
    """An opaque cursor that holds `position`, which is JSON-ready."""
    return base64.urlsafe_b64encode(msgspec.json.encode(position)).decode().rstrip("=")


def open_cursor(text: str) -> list[object]:
    """The position in a cursor; raises Problem 400 where `text` is no cursor."""
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), type=list[object])
    except (ValueError, RecursionError):
        raise foreign_cursor() from None


def _after(text: str, order: str | None) -> tuple[object, str]:
    """The value and the name in a cursor of a list, which must be of the same order."""
    match open_cursor(text):
        case [made_for, value, str() as name] if made_for == order:
            return value, name
    raise foreign_cursor()


def foreign_cursor() -> Problem:
    """The problem of a cursor that was not given by this list."""
    return invalid("`cursor` is not one of this list")


def invalid(detail: str) -> Problem:
    """The problem of a parameter that cannot be taken."""
    return Problem(400, detail, "invalid_parameter")


def refuse_others(parameters: Mapping[str, str], known: frozenset[str]) -> None:
    """Raises Problem 400 if a parameter is not one of `known`."""
    if unknown := parameters.keys() - known:
        raise invalid(f"`{min(unknown)}` is not a parameter here")
