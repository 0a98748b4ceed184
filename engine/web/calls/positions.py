"""One row with everything about it, and the events behind a row."""

import asyncio
from typing import cast

import msgspec
from aiohttp import web
from msgspec import Raw

from engine.columns.fields import data_of
from engine.core.outputs import Alert
from engine.core.values import row_key
from engine.web import query
from engine.web.answers import as_json
from engine.web.calls.past import asked_moment, stock_as_of
from engine.web.conditional import tagged, weak_tag_of
from engine.web.pages import Page
from engine.web.ports import service_of
from engine.web.problems import Problem
from engine.work.sentences import sentence_of

DEFAULT_DAYS, MAX_DAYS = 90, 365
MAX_OFFSET = 2**63 - 1
ROW_PARAMETERS = frozenset({"days", "as_of"})
EVENT_PARAMETERS = frozenset({"limit", "cursor"})


async def get_position(request: web.Request) -> web.Response:
    """One row with its projection, available to promise, supply, forecast, policy, signal and alerts.

    Its tag is weak: of the same row it is the same on the same day, whatever `as_of` says. Of a moment of the past only
    the stock is told, for what was open then is not kept by its time.
    """
    query.refuse_others(request.query, ROW_PARAMETERS)
    days = query.parse_number(request.query, "days", DEFAULT_DAYS, 1, MAX_DAYS)
    sku, location = request.match_info["sku"], request.match_info["location"]
    if (at := asked_moment(request)) is not None:
        past = await asyncio.to_thread(stock_as_of, service_of(request), (sku, location), at)
        return tagged(request, msgspec.json.encode(past))
    detail = await asyncio.to_thread(service_of(request).row_detail, sku, location, days)
    if detail is None:
        raise unknown(sku, location)
    detail["alerts"] = [_with_sentence(alert) for alert in cast(list[dict[str, object]], detail["alerts"])]
    tag = weak_tag_of(msgspec.json.encode({**detail, "as_of": None}))
    return tagged(request, msgspec.json.encode(detail), tag)


def _with_sentence(alert: dict[str, object]) -> dict[str, object]:
    """An alert with the sentence that says it; that of a signal is in its explanation."""
    return {**alert, "sentence": sentence_of(msgspec.convert(alert, Alert))}


async def list_row_events(request: web.Request) -> web.Response:
    """The exact bytes of the events of a row, newest first."""
    query.refuse_others(request.query, EVENT_PARAMETERS)
    sku, location = request.match_info["sku"], request.match_info["location"]
    limit = query.parse_limit(request.query)
    before = _before(request)
    return as_json(await asyncio.to_thread(_row_events, request, (sku, location), before, limit))


def _row_events(request: web.Request, row: tuple[str, str], before: int | None, limit: int) -> Page:
    published = service_of(request).bus.published
    key = row_key(*row)
    position = published.latest("positions", key)
    records = published.row_events(key, before, limit + 1)
    if position is None and not records:
        raise unknown(*row)
    total = msgspec.json.decode(data_of(position), type=_Version).version if position else None
    shown = records[:limit]
    following = query.cursor(shown[-1].offset) if len(records) > limit else None
    return Page([Raw(record.value) for record in shown], following, total)


class _Version(msgspec.Struct):
    version: int


def _before(request: web.Request) -> int | None:
    text = request.query.get("cursor")
    if text is None:
        return None
    match query.open_cursor(text):
        case [int() as offset] if 0 <= offset <= MAX_OFFSET:
            return offset
    raise query.foreign_cursor()


def unknown(sku: str, location: str) -> Problem:
    """The problem of a row that is not there."""
    return Problem(404, f"there is no row ({sku}, {location})", "unknown_row")
