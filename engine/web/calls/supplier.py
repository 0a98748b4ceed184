"""The supplier's calls: its own order lines and the forecast shared with it, and what it says of them."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TypeVar

from aiohttp import web
from msgspec import Struct
from multidict import MultiDict

from engine.columns.query import Condition, Query
from engine.core.values import NUL, moment
from engine.runtime.supplied import SharedForecast, SuppliedLine
from engine.web import bodies, query, supplier_csv
from engine.web.answers import as_json
from engine.web.csv import is_asked
from engine.web.ports import CONTEXT, lists_of, principal_of, service_of
from engine.web.problems import Problem
from engine.web.sharing import Share
from engine.web.supplying import (
    MAX_LINES,
    Acknowledging,
    Announcing,
    Name,
    Outcomes,
    Said,
    Teller,
    acknowledged,
    name_of,
    outcomes_of,
    shipped,
)

T = TypeVar("T", bound=Struct)

APPLIED_SECONDS = 20.0
PORTION = 5_000
"""So many lines of the named orders are read at a time."""
SUBMITTED = 500
"""So many events are submitted at a time: between two portions the process serves others."""

Answering = Callable[[Mapping[Name, SuppliedLine]], list[Said]]
"""Makes answers of what a supplier says, given those of the named lines that are its own."""


class LinePage(Struct):
    """A page of a supplier's order lines; `as_of` and `lag_seconds` say how fresh it is, as in every list."""

    items: list[SuppliedLine]
    next: str | None
    total: int
    as_of: datetime | None
    lag_seconds: float


class ForecastPage(Struct):
    """A page of the forecasts that are shared with a supplier; a page may have fewer rows than were looked at."""

    items: list[SharedForecast]
    next: str | None
    weeks: int


def supplier_of(request: web.Request) -> str:
    """The supplier as which a call is made: that of the login, else of the parameter `supplier`; raises Problem 400."""
    own = principal_of(request).supplier
    if own is not None:
        return own
    if not (named := request.query.get("supplier")):
        raise Problem(400, "say which supplier's: `supplier` names it", "invalid_parameter")
    return named


async def lines(request: web.Request) -> web.StreamResponse:
    """A page of the supplier's order lines, the open ones unless `status` asks for others; as CSV all of them."""
    supplier = supplier_of(request)
    parameters = MultiDict(request.query)
    parameters.popall("supplier", None)
    as_csv = is_asked(request)
    parameters.popall("format", None)
    parameters.setdefault("status", "open")
    asked = query.parse("order-lines", parameters)
    theirs = asked.query._replace(conditions=(*asked.query.conditions, Condition("supplier", "is", (supplier,))))
    limit = supplier_csv.MAX_ROWS if as_csv else asked.limit
    page = await asyncio.to_thread(lists_of(request).page, theirs, asked.offset, limit, after=asked.after)
    found = await asyncio.to_thread(_read_lines, request, page.names)
    if as_csv:
        return supplier_csv.download(found)
    following = None if page.following is None else query.cursor_of(asked.query, page.following)
    return as_json(LinePage(found, following, page.total, *page.freshness))


async def forecast(request: web.Request) -> web.Response:
    """A page of the forecasts that are shared with the supplier."""
    supplier = supplier_of(request)
    parameters = MultiDict(request.query)
    parameters.popall("supplier", None)
    query.refuse_others(parameters, frozenset({"limit", "cursor"}))
    asked = query.parse("positions", parameters)
    share = request.app[CONTEXT].sharing.suppliers.get(supplier)
    if share is None:
        return as_json(ForecastPage([], None, 0))
    theirs = asked.query._replace(conditions=(Condition("supplier", "is", (supplier,)),))
    page = await asyncio.to_thread(lists_of(request).page, theirs, 0, asked.limit, after=asked.after)
    found = await asyncio.to_thread(_read_forecasts, request, page.names, share)
    following = None if page.following is None else query.cursor_of(asked.query, page.following)
    return as_json(ForecastPage(found, following, share.weeks))


async def acknowledge(request: web.Request) -> web.Response:
    """Take what the supplier says of lines, each for itself."""
    supplier, asked = supplier_of(request), await _body(request, Acknowledging)
    teller = Teller(supplier, moment(service_of(request).now()))
    names = [name_of(answer.order, answer.line) for answer in asked.lines]
    _once(names)

    def answering(own: Mapping[Name, SuppliedLine]) -> list[Said]:
        said = zip(names, asked.lines, strict=True)
        return [acknowledged(name, answer.schedule, own.get(name), teller) for name, answer in said]

    return as_json(await _take(request, supplier, names, answering))


async def announce(request: web.Request) -> web.Response:
    """Take a shipment that the supplier announces, each of its lines for itself."""
    supplier, asked = supplier_of(request), await _body(request, Announcing)
    teller = Teller(supplier, moment(service_of(request).now()))
    names = [name_of(part.order, part.line) for part in asked.lines]
    _once(names)

    def answering(own: Mapping[Name, SuppliedLine]) -> list[Said]:
        return [shipped(asked, part, own.get(name), teller) for part, name in zip(asked.lines, names, strict=True)]

    return as_json(await _take(request, supplier, names, answering))


async def upload(request: web.Request) -> web.Response:
    """Take a file as `GET /v1/supplier/lines` gives it, with the answers filled in; each line for itself."""
    supplier = supplier_of(request)
    async with request.app[CONTEXT].intake.body(request) as body:
        # A long file would keep every other call waiting, and where the engine shares the process the engine too.
        filled = await asyncio.to_thread(supplier_csv.read, body)
    teller = Teller(supplier, moment(service_of(request).now()))

    def answering(own: Mapping[Name, SuppliedLine]) -> list[Said]:
        answers = [acknowledged(name, said, own.get(name), teller) for name, said in filled.answers]
        return answers + [shipped(said, said.lines[0], own.get(name), teller) for name, said in filled.shipments]

    outcomes = await _take(request, supplier, filled.names, answering)
    for outcome, row in zip(outcomes.lines, filled.rows, strict=True):
        outcome.row = row
    outcomes.lines += filled.unreadable
    return as_json(Outcomes(outcomes.accepted, outcomes.refused + len(filled.unreadable), outcomes.lines))


async def _take(request: web.Request, supplier: str, names: Sequence[Name], answering: Answering) -> Outcomes:
    """Submit the events of those answers that are news about own lines, and say what became of each answer."""
    # One after the other, so that what is sent twice at a time is one shipment: the second finds what the first said.
    async with request.app[CONTEXT].answering.of(f"supplier/{supplier}"):
        said = await asyncio.to_thread(lambda: answering(_own_lines(request, supplier, names)))
        events = [(index, each.event) for index, each in enumerate(said) if each.event is not None]
        refused: dict[int, tuple[str, str]] = {}
        service = service_of(request)
        for first in range(0, len(events), SUBMITTED):
            portion = events[first : first + SUBMITTED]
            submission = await service.submit([raw for _, raw in portion])
            refused |= {portion[each.index][0]: (each.reason, each.detail) for each in submission.refused}
        if events:
            # On Kafka they are folded after this; the page then shows what they have made of the lines.
            await service.wait(APPLIED_SECONDS)
    return outcomes_of(said, refused)


def _own_lines(request: web.Request, supplier: str, names: Sequence[Name]) -> dict[Name, SuppliedLine]:
    if not names:
        return {}
    orders = tuple(dict.fromkeys(order for order, _ in names))
    if not orders:
        return {}
    conditions = (Condition("supplier", "is", (supplier,)), Condition("order", "is", orders))
    query, lists, wanted = Query("order-lines", conditions), lists_of(request), set(names)
    page = lists.page(query, 0, PORTION)
    found = [name for name in page.names if _parts(name) in wanted]
    # A page ends at its bytes too, so only the last of them has seen every line of the orders.
    while page.following is not None:
        page = lists.page(query, 0, PORTION, after=page.following)
        found += [name for name in page.names if _parts(name) in wanted]
    return {name_of(line.order, line.line): line for line in _read_lines(request, found)}


def _parts(name: str) -> Name:
    _, _, order, number = name.split(NUL)
    return order, number[1:]


def _read_lines(request: web.Request, names: Sequence[str]) -> list[SuppliedLine]:
    return list(service_of(request).supplied().lines(names))


def _read_forecasts(request: web.Request, names: Sequence[str], share: Share) -> list[SharedForecast]:
    reader = service_of(request).supplied()
    rows = [(sku, location) for sku, location in (name.split(NUL) for name in names) if share.has(sku, location)]
    found = (reader.forecast(sku, location, share.weeks) for sku, location in rows)
    return [each for each in found if each is not None]


def _once(names: Sequence[Name]) -> None:
    if len(set(names)) < len(names):
        raise Problem(400, "a line is named twice: say all of it in one entry", "invalid_body")
    if len(names) > MAX_LINES:
        raise Problem(400, f"at most {MAX_LINES} lines are taken at once", "invalid_body")


async def _body(request: web.Request, kind: type[T]) -> T:
    async with request.app[CONTEXT].intake.body(request) as body:
        return bodies.decode(body, kind)
