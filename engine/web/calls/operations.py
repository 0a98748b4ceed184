"""What operators look at: which sources send, what was refused of them, and what the process runs with."""

import asyncio
from typing import Any

from aiohttp import web
from msgspec import Struct

from engine.columns.aggregates import Aggregation
from engine.columns.query import Query
from engine.runtime.sources import MAX_SOURCES, DeclaredFeed, declared_feeds
from engine.web.answers import as_json
from engine.web.ports import CONTEXT, lists_of, service_of


class SourceShown(Struct):
    """A source of events: its feed, where one is declared, and how many of its records were refused."""

    source: str | None
    feed: DeclaredFeed | None
    refused: int


class Sources(Struct):
    """The declared feeds, then other sources of dead letters, those with the most first."""

    items: list[SourceShown]


async def sources(request: web.Request) -> web.Response:
    """The declared feeds with their last arrival, and who else has sent what was refused."""
    bus = service_of(request).bus
    feeds = {feed.source: feed for feed in await asyncio.to_thread(declared_feeds, bus)}
    asked = Aggregation(Query("dead-letters"), ("event_source",))
    groups = await asyncio.to_thread(lists_of(request).aggregate, asked, MAX_SOURCES)
    refused = {each.group["event_source"]: each.count for each in groups.items}
    items = [SourceShown(name, feed, refused.pop(name, 0)) for name, feed in feeds.items()]
    items += [SourceShown(name, None, count) for name, count in refused.items()]
    return as_json(Sources(items[:MAX_SOURCES]))


async def settings(request: web.Request) -> web.Response:
    """What this process runs with; no secret is among it."""
    shown: dict[str, Any] = {"settings": dict(request.app[CONTEXT].settings)}
    return as_json(shown)
