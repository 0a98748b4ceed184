"""Lists of published things, and single things by their id: the same for every topic of outputs."""

import asyncio

from aiohttp import web
from aiohttp.typedefs import Handler
from msgspec import Raw

from engine.core.topics import OUTPUT_TOPICS, Topic
from engine.web import pages, query
from engine.web.answers import as_json
from engine.web.conditional import tagged
from engine.web.ports import service_of
from engine.web.problems import Problem


def list_of(topic: Topic) -> Handler:
    """The handler of a list of a topic's things."""

    async def answer(request: web.Request) -> web.StreamResponse:
        asked = query.parse(query.TABLES[topic], request.query)
        return as_json(await pages.page(service_of(request).bus.published, asked))

    return answer


def one_of(topic: Topic) -> Handler:
    """The handler of one thing of a topic by its id."""

    async def answer(request: web.Request) -> web.StreamResponse:
        return tagged(request, await latest(request, topic))

    return answer


async def latest(request: web.Request, topic: Topic) -> Raw:
    """The latest state of the thing whose id is in the path; raises Problem 404 where there is none."""
    name = request.match_info["id"]
    output = await asyncio.to_thread(service_of(request).bus.published.latest, topic, name)
    if output is None:
        thing = OUTPUT_TOPICS[topic].thing
        raise Problem(404, f"there is no {thing} {name}", f"unknown_{thing.replace(' ', '_')}")
    return pages.data_of(output)
