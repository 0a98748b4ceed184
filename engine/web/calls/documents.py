"""The OpenAPI and AsyncAPI documents, and the files of the live view."""

from functools import lru_cache
from importlib.resources import files

import msgspec
from aiohttp import web

from engine.contract import asyncapi as asyncapi_document
from engine.web.answers import raw_json
from engine.web.ports import OPENAPI

STATIC = {
    "index.html": "text/html",
    "stockline.css": "text/css",
    "stockline.js": "text/javascript",
    "icon.svg": "image/svg+xml",
}


async def openapi(request: web.Request) -> web.Response:
    """The OpenAPI document."""
    return raw_json(request.app[OPENAPI])


async def asyncapi(_: web.Request) -> web.Response:
    """The AsyncAPI document."""
    return raw_json(_asyncapi())


@lru_cache(maxsize=1)
def _asyncapi() -> bytes:
    return msgspec.json.encode(asyncapi_document.document())


async def page(_: web.Request) -> web.Response:
    """The page of the live view."""
    return _static("index.html")


async def static(request: web.Request) -> web.Response:
    """A style sheet, script or icon of the live view."""
    name = request.match_info["name"]
    if name not in STATIC:
        raise web.HTTPNotFound
    return _static(name)


def _static(name: str) -> web.Response:
    return web.Response(
        body=_content(name), content_type=STATIC[name], charset="utf-8", headers={"Cache-Control": "no-cache"}
    )


@lru_cache(maxsize=len(STATIC))
def _content(name: str) -> bytes:
    return files("engine.web").joinpath("static", name).read_bytes()
