"""The OpenAPI and AsyncAPI documents."""

from functools import lru_cache

import msgspec
from aiohttp import web

from engine.contract import asyncapi as asyncapi_document
from engine.contract import schemas
from engine.core.errors import UsageError
from engine.web.answers import as_json, raw_json
from engine.web.ports import OPENAPI
from engine.web.problems import Problem


async def openapi(request: web.Request) -> web.Response:
    """The OpenAPI document."""
    return raw_json(request.app[OPENAPI])


async def asyncapi(_: web.Request) -> web.Response:
    """The AsyncAPI document."""
    return raw_json(_asyncapi())


async def list_types(_: web.Request) -> web.Response:
    """The types of all events."""
    return as_json({"items": list(schemas.NAMES)})


async def schema(request: web.Request) -> web.Response:
    """The JSON Schema of one type of event; raises Problem 404."""
    try:
        return as_json(schemas.of_type(request.match_info["type"]))
    except UsageError as error:
        raise Problem(404, str(error), "unknown_type") from None


@lru_cache(maxsize=1)
def _asyncapi() -> bytes:
    return msgspec.json.encode(asyncapi_document.document())
