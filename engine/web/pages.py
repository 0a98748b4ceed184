"""Pages of lists, read from the read model without ever blocking the event loop.

In the order of names a page is read from its cursor on. Any other order, and any filter, scans the topic in a worker
thread, decodes only the fields that the query names, and keeps the best things in a heap.
"""

import asyncio
import heapq
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from itertools import islice
from operator import itemgetter
from typing import Any, NamedTuple

import msgspec
from msgspec import Raw, Struct

from engine.bus.single import ReadModel
from engine.core.topics import POSITIONS
from engine.core.values import NUL
from engine.web.query import Query, Rank, Scalar, cursor, rank_of, value_of

MAX_PAGE_BYTES = 8 * 1024 * 1024


class Page(Struct):
    """One page of a list; `next` is the cursor of the page that follows, `total` counts all things that match."""

    items: list[Raw]
    next: str | None
    total: int | None


class Found(NamedTuple):
    """A thing of the read model: its name, the output as published, and the value by which the list is ordered."""

    name: str
    output: bytes
    order_value: object = None


async def page(published: ReadModel, query: Query) -> Page:
    """The page that `query` asks for."""
    return await asyncio.to_thread(_page_by_name if query.takes_all_by_name else _page_by_scan, published, query)


def _page_by_name(published: ReadModel, query: Query) -> Page:
    topic, start = query.table.topic.name, query.after[1] if query.after else ""
    found = [Found(*thing) for thing in islice(published.things(topic, start), query.limit + 1)]
    return _cut(query, found, published.count(topic))


def _page_by_scan(published: ReadModel, query: Query) -> Page:
    decode = _field_decoder(query)
    last, field, descending = query.last_rank(), query.order_field, query.descending
    total = 0

    def matching() -> Iterator[tuple[Rank, Found]]:
        nonlocal total
        for name, output in _candidates(published, query):
            fields = decode(output)
            if not query.matches(fields):
                continue
            total += 1
            value = value_of(fields, field) if field else None
            rank = rank_of(value, name)
            if last is None or (rank < last if descending else rank > last):
                yield rank, Found(name, output, value)

    choose = heapq.nlargest if descending else heapq.nsmallest
    best = choose(query.limit + 1, matching(), key=itemgetter(0))
    return _cut(query, [found for _, found in best], total)


def _candidates(published: ReadModel, query: Query) -> Iterable[tuple[str, bytes]]:
    """All things of the topic; of the positions only those of the skus that the query names, if it does."""
    topic = query.table.topic
    skus = [each.values for each in query.conditions if each.field == "sku" and each.relation == "is"]
    if topic is not POSITIONS or not skus:
        yield from published.things(topic.name)
        return
    for sku in sorted(set(skus[0])):
        prefix = sku + NUL
        for thing in published.things(topic.name, prefix):
            if not thing[0].startswith(prefix):
                break
            yield thing


def _field_decoder(query: Query) -> Callable[[bytes], object]:
    """A function from an output to the fields of its data that the query needs."""
    return _decoder_of(tuple((name, query.table.fields[name]) for name in query.needed_fields))


@lru_cache(maxsize=256)
def _decoder_of(fields: tuple[tuple[str, type[Scalar]], ...]) -> Callable[[bytes], object]:
    inner: dict[str, list[tuple[str, Any, None]]] = {}
    for name, kind in fields:
        struct, _, field = name.rpartition(".")
        inner.setdefault(struct, []).append((field, kind | None, None))
    own = inner.pop("", [])
    data = msgspec.defstruct("Fields", [*own, *((name, _struct(of) | None, None) for name, of in inner.items())])
    decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(msgspec.defstruct("Envelope", [("data", data)]))
    return lambda output: decoder.decode(output).data


def _struct(fields: list[tuple[str, Any, None]]) -> type[Struct]:
    return msgspec.defstruct("Inner", fields)


class _Envelope(Struct):
    data: Raw


_envelopes = msgspec.json.Decoder(_Envelope)


def data_of(output: bytes) -> Raw:
    """The `data` of an output, as the bytes that were published."""
    return _envelopes.decode(output).data


def _cut(query: Query, found: list[Found], total: int | None) -> Page:
    """A page of at most `limit` things and about 8 MiB; `found` has one thing more where a page follows."""
    items: list[Raw] = []
    size = 0
    for thing in found[: query.limit]:
        size += len(thing.output)
        if items and size > MAX_PAGE_BYTES:
            break
        items.append(data_of(thing.output))
    if len(items) == len(found):
        return Page(items, None, total)
    last = found[len(items) - 1]
    return Page(items, cursor(query.order, last.order_value, last.name), total)
