"""What operators look at: which sources send, what was refused of them, and what the process runs with."""

import asyncio

import msgspec
from aiohttp import web

from engine import __version__
from engine.columns.aggregates import Aggregation
from engine.columns.query import Condition, Query
from engine.runtime.marker import rules_of_log
from engine.runtime.sources import activity_of_sources
from engine.web.answers import Running, as_json
from engine.web.ports import CONTEXT, lists_of, service_of
from tables.sources import UNREADABLE

OPEN_LETTERS = Aggregation(Query("dead-letters", (Condition("status", "is", ("open",)),)), ("event_source",))
MOST_GROUPS = 10_000


async def sources(request: web.Request) -> web.Response:
    """What has come from whom: the declared feeds, and all other sources of events."""
    groups = await asyncio.to_thread(lists_of(request).aggregate, OPEN_LETTERS, MOST_GROUPS)
    open_letters = {each.group["event_source"] or UNREADABLE: each.count for each in groups.items}
    return as_json(await asyncio.to_thread(activity_of_sources, service_of(request).bus, open_letters))


async def settings(request: web.Request) -> web.Response:
    """What this process and the others run with, and by which rules the log is folded; no secret is among it."""
    context = request.app[CONTEXT]
    rules = await asyncio.to_thread(rules_of_log, service_of(request).bus)
    return as_json(Running(__version__, context.settings, msgspec.structs.asdict(rules), context.processes.all()))
