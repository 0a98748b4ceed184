"""Signals, alerts and the stock of rows as of a moment, as far back as their history is kept."""

from collections import deque
from datetime import datetime

import msgspec
from aiohttp import web
from msgspec import Raw, Struct

from engine.columns.fields import data_of
from engine.core.topics import OutputTopic
from engine.core.values import instant, iso
from engine.runtime.balances import HistoryGone
from engine.web.answers import StockAsOf
from engine.web.ports import Service, service_of
from engine.web.problems import Problem
from engine.web.query import invalid, parse_moment


class _Opened(Struct):
    opened: datetime


class _Published(Struct):
    time: datetime


def asked_moment(request: web.Request) -> datetime | None:
    """The `as_of` of a call; None where there is none. Raises Problem 400, also for a moment that is still to come."""
    at = parse_moment(request.query, "as_of")
    if at is not None and instant(at) > service_of(request).now():
        raise invalid("`as_of` is later than the engine's clock")
    return at


def stock_as_of(service: Service, row: tuple[str, str], at: datetime) -> StockAsOf:
    """What a row held as of a moment, by all events that are known now.

    Raises Problem 404 where nothing is known to have stated its stock by then, 410 where its movements of that time are
    no longer kept.
    """
    sku, location = row
    try:
        found = service.balances_as_of(sku, location, instant(at))
    except HistoryGone as gone:
        raise Problem(410, f"of the row ({sku}, {location}) {gone}; ask from then on", "history_gone") from None
    if found is None:
        detail = f"nothing has stated the stock of a row ({sku}, {location}) by {at.isoformat()}"
        raise Problem(404, detail, "unknown_row")
    return StockAsOf(
        sku=sku,
        location=location,
        as_of=iso(instant(at)),
        available=found.available,
        held=found.held,
        on_hand=found.available + found.held,
        kept_since=None if found.kept_since is None else iso(found.kept_since),
    )


def as_it_was(service: Service, topic: OutputTopic, name: str, now: Raw, at: datetime) -> Raw:
    """What a signal or alert said at a moment that is not to come; `now` is what it says now.

    Raises Problem 404 where it was not opened yet, 410 where what it said is no longer kept.
    """
    published, thing = service.bus.published, topic.thing
    for output in published.revisions(topic.name, name, instant(at)):
        return data_of(output)
    opened = msgspec.json.decode(now, type=_Opened).opened
    if at < opened:
        raise Problem(404, f"the {thing} {name} was opened later, at {opened.isoformat()}", f"unknown_{thing}")
    oldest = deque(published.revisions(topic.name, name, service.now()), maxlen=1)
    since = [f", from {msgspec.json.decode(kept, type=_Published).time.isoformat()} on" for kept in oldest]
    detail = f"what the {thing} {name} said then is kept no longer; what it said later is{''.join(since)}"
    raise Problem(410, detail, "history_gone")
