"""Lists, aggregates of them, and single things by their id: the same for every table."""

import asyncio

from aiohttp import ETag, web
from aiohttp.typedefs import Handler
from msgspec import Raw

from engine.columns.aggregates import Aggregation
from engine.columns.fields import data_of
from engine.core.topics import OUTPUT_TOPICS, Topic
from engine.web import csv, query
from engine.web.calls.past import as_it_was, asked_moment
from engine.web.conditional import fresh, tagged, with_tag
from engine.web.pages import Aggregates, FreshPage
from engine.web.ports import Lists, lists_of, service_of
from engine.web.problems import Problem
from engine.web.query import Asked

AS_OF_ALONE = frozenset({"as_of"})


def list_of(table: str) -> Handler:
    """The handler of a list."""

    async def answer(request: web.Request) -> web.StreamResponse:
        asked = query.parse(table, request.query)
        if fields := csv.asked_fields(table, request):
            return await csv.answer(request, asked, fields)
        return fresh(request, *await asyncio.to_thread(_page, lists_of(request), asked))

    return answer


def _page(lists: Lists, asked: Asked) -> tuple[bytes, ETag]:
    page = lists.page(asked.query, asked.offset, asked.limit, after=asked.after)
    following = None if page.following is None else query.cursor_of(asked.query, page.following)
    return with_tag(FreshPage(page.items, following, page.total, *page.freshness))


async def aggregates(request: web.Request) -> web.StreamResponse:
    """Counts, sums and bounds of what a table lists, by up to two fields."""
    asked, limit = query.parse_aggregation(request.query)
    return fresh(request, *await asyncio.to_thread(_groups, lists_of(request), asked, limit))


def _groups(lists: Lists, asked: Aggregation, limit: int) -> tuple[bytes, ETag]:
    groups = lists.aggregate(asked, limit)
    return with_tag(Aggregates(groups.items, groups.total, *groups.freshness))


def one_of(topic: Topic) -> Handler:
    """The handler of one thing of a topic by its id."""

    async def answer(request: web.Request) -> web.StreamResponse:
        # A misspelt `as_of` would be answered with what holds now.
        query.refuse_others(request.query, AS_OF_ALONE)
        now = await latest(request, topic)
        at = asked_moment(request)
        if at is None:
            return tagged(request, now)
        service, name = service_of(request), request.match_info["id"]
        return tagged(request, await asyncio.to_thread(as_it_was, service, OUTPUT_TOPICS[topic], name, now, at))

    return answer


async def latest(request: web.Request, topic: Topic) -> Raw:
    """The latest state of the thing whose id is in the path; raises Problem 404 where there is none."""
    name = request.match_info["id"]
    output = await asyncio.to_thread(service_of(request).bus.published.latest, topic, name)
    if output is None:
        thing = OUTPUT_TOPICS[topic].thing
        raise Problem(404, f"there is no {thing} {name}", f"unknown_{thing.replace(' ', '_')}")
    return data_of(output)
