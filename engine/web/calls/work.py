"""What needs a decision today."""

import asyncio

from aiohttp import web

from engine.core.values import iso
from engine.web import query
from engine.web.answers import as_json
from engine.web.ports import Service, service_of
from engine.work.things import OpenThings
from engine.work.worklist import KINDS, Asked, Work, work_of

DEFAULT_LIMIT = 20
PARAMETERS = frozenset({"supplier", "location", "kind", "owner", "snoozed", "acknowledged", "limit"})


async def get(request: web.Request) -> web.Response:
    """What needs a decision, worst first."""
    query.refuse_others(request.query, PARAMETERS)
    asked = Asked(
        supplier=request.query.get("supplier"),
        location=request.query.get("location"),
        kind=query.parse_choice(request.query, "kind", KINDS),
        owner=request.query.get("owner"),
        snoozed=query.parse_flag(request.query, "snoozed"),
        acknowledged=query.parse_flag(request.query, "acknowledged"),
        limit=query.parse_number(request.query, "limit", DEFAULT_LIMIT, 1, query.MAX_LIMIT),
    )
    return as_json(await asyncio.to_thread(_work, service_of(request), asked))


def _work(service: Service, asked: Asked) -> Work:
    now = service.now()
    return work_of(OpenThings(service.bus).all(), asked, iso(now))
