"""What needs a decision today."""

import asyncio

from aiohttp import web

from engine.web import query
from engine.web.answers import as_json
from engine.web.guard import open_things_of
from engine.web.parameters import Parameter
from engine.web.ports import lists_of
from engine.work.worklist import KINDS, Asked, Work, work_of

DEFAULT_LIMIT = 20
OF_WORK = (
    Parameter("supplier", {"type": "string"}, "only what concerns this supplier"),
    Parameter("location", {"type": "string"}, "only what concerns this location"),
    Parameter("kind", {"type": "string", "enum": list(KINDS)}, "only groups of this kind"),
    Parameter("owner", {"type": "string"}, "only alerts that this person owns"),
    Parameter("snoozed", {"type": "boolean", "default": False}, "also what is snoozed"),
    Parameter("acknowledged", {"type": "boolean", "default": False}, "also alerts that somebody has acknowledged"),
    Parameter(
        "limit",
        {"type": "integer", "minimum": 1, "maximum": query.MAX_LIMIT, "default": DEFAULT_LIMIT},
        "how many items of a group are shown",
    ),
)
_NAMES = frozenset(parameter.name for parameter in OF_WORK)


async def get(request: web.Request) -> web.Response:
    """What needs a decision, worst first."""
    query.refuse_others(request.query, _NAMES)
    asked = Asked(
        supplier=request.query.get("supplier"),
        location=request.query.get("location"),
        kind=query.parse_choice(request.query, "kind", KINDS),
        owner=request.query.get("owner"),
        snoozed=query.parse_flag(request.query, "snoozed"),
        acknowledged=query.parse_flag(request.query, "acknowledged"),
        limit=query.parse_number(request.query, "limit", DEFAULT_LIMIT, 1, query.MAX_LIMIT),
    )
    return as_json(await asyncio.to_thread(_work, request, asked))


def _work(request: web.Request, asked: Asked) -> Work:
    things = open_things_of(request)
    return work_of(things.all(), asked, things.suppliers, *lists_of(request).freshness())
