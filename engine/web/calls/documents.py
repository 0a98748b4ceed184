"""The OpenAPI and AsyncAPI documents."""

from functools import lru_cache

import msgspec
from aiohttp import web

from engine.contract import asyncapi as asyncapi_document
from engine.web.answers import raw_json
from engine.web.ports import OPENAPI


async def openapi(request: web.Request) -> web.Response:
    """The OpenAPI document."""
    return raw_json(request.app[OPENAPI])


async def asyncapi(_: web.Request) -> web.Response:
    """The AsyncAPI document."""
    return raw_json(_asyncapi())


@lru_cache(maxsize=1)
def _asyncapi() -> bytes:
    return msgspec.json.encode(asyncapi_document.document())
