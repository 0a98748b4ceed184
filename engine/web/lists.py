"""Lists of published things: filters, order, cursors. A page costs what it must and never the event loop.

In order of name a page is read from its cursor on. Any other order, and any filter, scans the topic in a worker thread,
decoding only the fields that the query names and keeping the best of them in a heap.
"""

import asyncio
import base64
import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime
from functools import lru_cache
from itertools import islice
from typing import Any, NamedTuple

import msgspec
from msgspec import Raw, Struct
from multidict import MultiMapping

from engine.bus.single import ReadModel
from engine.core.topics import OUTPUT_TOPICS, OutputTopic, Topic
from engine.core.values import NUL
from engine.web.problems import Problem

DEFAULT_LIMIT, MAX_LIMIT = 100, 1000
MAX_PAGE_BYTES = 8 * 1024 * 1024

Scalar = int | str | datetime | date
Entry = tuple[str, bytes]


class Page(Struct):
    """One page of a list; `next` is the cursor of the one that follows."""

    items: list[Raw]
    next: str | None
    total: int | None


class Table(NamedTuple):
    """A listed topic: the fields that may be named, each with the type of its values, and the order by default."""

    topic: Topic
    fields: Mapping[str, type[Scalar]]
    order: str | None
    text: tuple[str, ...]


def _table(declared: OutputTopic) -> Table:
    fields = {field.name: scalar for field in msgspec.structs.fields(declared.data) if (scalar := _scalar(field.type))}
    return Table(declared.name, fields, declared.order, declared.searched)


def _scalar(annotation: Any) -> type[Scalar] | None:
    """The plain type behind a field's annotation, or None where its values have no order."""
    kind = msgspec.inspect.type_info(annotation)
    options = kind.types if isinstance(kind, msgspec.inspect.UnionType) else (kind,)
    plain = {_PLAIN.get(type(option)) for option in options if not isinstance(option, msgspec.inspect.NoneType)}
    return plain.pop() if len(plain) == 1 else None


_PLAIN: dict[type, type[Scalar]] = {
    msgspec.inspect.IntType: int,
    msgspec.inspect.StrType: str,
    msgspec.inspect.LiteralType: str,
    msgspec.inspect.DateTimeType: datetime,
    msgspec.inspect.DateType: date,
}

TABLES = {name: _table(declared) for name, declared in OUTPUT_TOPICS.items()}


class Condition(NamedTuple):
    """A condition on a field: equal to one of `values`, or not below (`min`), or not above (`max`)."""

    field: str
    relation: str
    values: tuple[Any, ...]

    def holds(self, value: Any) -> bool:
        """Whether a thing with this `value` is listed; a missing value is only ever equal to nothing."""
        if self.relation == "is":
            return value in self.values
        if value is None:
            return False
        return bool(value >= self.values[0]) if self.relation == "min" else bool(value <= self.values[0])


class Query(NamedTuple):
    """What a list was asked for. `after` is where the last page ended: a name, and before it the order's value."""

    table: Table
    conditions: tuple[Condition, ...]
    text: str | None
    order: str | None
    limit: int
    after: list[Any] | None

    @property
    def descending(self) -> bool:
        """Whether the largest come first."""
        return (self.order or "").startswith("-")

    @property
    def order_field(self) -> str | None:
        """The field that orders the list, or None for the order of names."""
        return self.order.removeprefix("-") if self.order else None


def parse(table: Table, parameters: MultiMapping[str]) -> Query:
    """The query of a list's parameters; raises Problem 400 for one that is unknown or has no sense."""
    order = parameters.get("sort", table.order)
    if order is not None and order.removeprefix("-") not in table.fields:
        raise _bad(f"`sort` is one of {', '.join(table.fields)}, `-` before it for descending")
    names = [name for name in dict.fromkeys(parameters) if name not in ("limit", "cursor", "sort", "q")]
    conditions = tuple(_condition(table, name, parameters.getall(name)) for name in names)
    after = _open_cursor(parameters["cursor"], order) if "cursor" in parameters else None
    return Query(table, conditions, parameters.get("q", "").casefold() or None, order, parse_limit(parameters), after)


def parse_limit(parameters: Mapping[str, str]) -> int:
    """The `limit` of a list, 100 where none is given."""
    return parse_number(parameters, "limit", DEFAULT_LIMIT, 1, MAX_LIMIT)


def parse_number(parameters: Mapping[str, str], name: str, default: int, least: int, most: int) -> int:
    """The parameter `name` as an integer from `least` to `most`; raises Problem 400."""
    text = parameters.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 20 and least <= int(text) <= most):
        raise _bad(f"`{name}` is an integer from {least} to {most}")
    return int(text)


def _bad(detail: str) -> Problem:
    return Problem(400, detail, "invalid_parameter")


def _condition(table: Table, name: str, texts: list[str]) -> Condition:
    field, _, relation = name.partition(".")
    kind = table.fields.get(field)
    if kind is None or relation not in ("", "min", "max"):
        raise _bad(f"`{name}` is no filter; there are {', '.join(table.fields)}, also with `.min` or `.max` after it")
    try:
        values = tuple(msgspec.convert(text, kind, strict=False) for text in texts)
    except msgspec.ValidationError as error:
        raise _bad(f"`{name}`: {error}") from None
    if any(isinstance(value, datetime) and value.tzinfo is None for value in values):
        raise _bad(f"`{name}` needs an offset, such as 2026-03-02T09:14:05Z")
    if relation and len(values) > 1:
        raise _bad(f"`{name}` is given more than once")
    return Condition(field, relation or "is", values)


def cursor(*position: Any) -> str:
    """An opaque cursor that holds `position`."""
    return base64.urlsafe_b64encode(msgspec.json.encode(position)).decode().rstrip("=")


def open_cursor(text: str) -> list[Any]:
    """The position inside a cursor; raises Problem 400 where it is not one."""
    try:
        position = msgspec.json.decode(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), type=list[Any])
    except (ValueError, RecursionError):
        raise _bad("`cursor` is not one of this list") from None
    return position


def _open_cursor(text: str, order: str | None) -> list[Any]:
    position = open_cursor(text)
    if len(position) != 3 or position[0] != order or not isinstance(position[2], str):
        raise _bad("`cursor` is not one of this list")
    return position[1:]


async def page(published: ReadModel, query: Query) -> Page:
    """The page that `query` asks for."""
    by_name = query.order is None and not query.conditions and query.text is None
    return await asyncio.to_thread(_page_by_name if by_name else _page_by_scan, published, query)


def _page_by_name(published: ReadModel, query: Query) -> Page:
    topic, start = query.table.topic, query.after[1] if query.after else ""
    entries = list(islice(published.things(topic, start), query.limit + 1))
    return _cut(query, [(None, entry) for entry in entries], published.count(topic))


def _page_by_scan(published: ReadModel, query: Query) -> Page:
    decode = _field_decoder(query)
    bound = _bound(query)
    total = 0

    def matching() -> Iterator[tuple[Any, Entry]]:
        nonlocal total
        for entry in _candidates(published, query):
            fields = decode(entry[1])
            if not _matches(query, fields):
                continue
            total += 1
            value = getattr(fields, query.order_field, None) if query.order_field else None
            if bound is None or _beyond(query, _position(value, entry[0]), bound):
                yield value, entry

    choose = heapq.nlargest if query.descending else heapq.nsmallest
    best = choose(query.limit + 1, matching(), key=lambda found: _position(found[0], found[1][0]))
    return _cut(query, best, total)


def _candidates(published: ReadModel, query: Query) -> Iterable[Entry]:
    """All things of the topic, or the rows of a sku where the query names one."""
    skus = [each.values for each in query.conditions if each.field == "sku" and each.relation == "is"]
    if query.table is not TABLES["positions"] or not skus:
        yield from published.things(query.table.topic)
        return
    for sku in sorted(set(skus[0])):
        prefix = sku + NUL
        for entry in published.things("positions", prefix):
            if not entry[0].startswith(prefix):
                break
            yield entry


def _matches(query: Query, fields: Any) -> bool:
    if query.text is not None and not any(
        query.text in (getattr(fields, name) or "").casefold() for name in query.table.text
    ):
        return False
    return all(each.holds(getattr(fields, each.field)) for each in query.conditions)


def _position(value: Any, name: str) -> tuple[Any, ...]:
    """Where a thing stands in the order; what has no value stands before the least."""
    return (0, name) if value is None else (1, value, name)


def _bound(query: Query) -> tuple[Any, ...] | None:
    """Where the last page ended."""
    if query.after is None:
        return None
    value, name = query.after
    if value is None or query.order_field is None:
        return _position(None, name)
    try:
        start = msgspec.convert(value, query.table.fields[query.order_field])
    except msgspec.ValidationError:
        raise _bad("`cursor` is not one of this list") from None
    if isinstance(start, datetime) and start.tzinfo is None:
        raise _bad("`cursor` is not one of this list")
    return _position(start, name)


def _beyond(query: Query, position: tuple[Any, ...], bound: tuple[Any, ...]) -> bool:
    return position < bound if query.descending else position > bound


def _field_decoder(query: Query) -> Callable[[bytes], Any]:
    names = {each.field for each in query.conditions} | ({query.order_field} if query.order_field else set())
    if query.text is not None:
        names.update(query.table.text)
    return _decoder_of(tuple(sorted((name, query.table.fields[name]) for name in names if name)))


@lru_cache(maxsize=256)
def _decoder_of(fields: tuple[tuple[str, type[Scalar]], ...]) -> Callable[[bytes], Any]:
    data = msgspec.defstruct("Fields", [(name, kind | None, None) for name, kind in fields])
    envelope = msgspec.defstruct("Envelope", [("data", data)])
    decoder = msgspec.json.Decoder(envelope)
    return lambda raw: decoder.decode(raw).data  # type: ignore[attr-defined]


class _Data(Struct):
    data: Raw


_data = msgspec.json.Decoder(_Data)


def data_of(value: bytes) -> Raw:
    """The `data` of an output, as the bytes that were published."""
    return _data.decode(value).data


def _cut(query: Query, found: list[tuple[Any, Entry]], total: int | None) -> Page:
    """A page of at most `limit` things and about 8 MiB; `found` has one thing more where a page follows."""
    items: list[Raw] = []
    size = 0
    for _value, (_name, raw) in found[: query.limit]:
        size += len(raw)
        if items and size > MAX_PAGE_BYTES:
            break
        items.append(data_of(raw))
    if len(items) == len(found):
        return Page(items, None, total)
    value, (name, _raw) = found[len(items) - 1]
    return Page(items, cursor(query.order, value, name), total)
