"""The pages of the live view and their parts."""

import asyncio
import secrets

from aiohttp import web

from engine.web import site
from engine.web.headers import policy

_YEAR = 365 * 24 * 3600


async def page(request: web.Request) -> web.Response:
    """A page of the live view; it holds no data, which its script asks for as any other program would."""
    nonce = secrets.token_urlsafe(16)
    text = site.document(_name(request), nonce)
    headers = {"Content-Security-Policy": policy(nonce), "Cache-Control": "no-store"}
    return web.Response(text=text, content_type="text/html", headers=headers)


def _name(request: web.Request) -> str:
    """The page of a path: its first part, such as `row` of the page of one row."""
    return request.path.split("/")[1] or site.FRONT


async def static(request: web.Request) -> web.Response:
    """A style sheet, script, icon or licence of the live view."""
    name = request.match_info["name"]
    if name not in site.names():
        raise web.HTTPNotFound
    # The first call compresses the file, which takes long for the grid's script.
    found = await asyncio.to_thread(site.part, name)
    # The version is in the name of a vendored file, so what is at that address never changes.
    lasting = f"public, max-age={_YEAR}, immutable" if name.startswith("vendor/") else "no-cache"
    response = web.Response(headers={"Cache-Control": lasting, "Vary": "Accept-Encoding"})
    response.etag = found.tag
    if any(each.value == found.tag for each in request.if_none_match or ()):
        response.set_status(304)
        return response
    response.content_type, response.charset = found.media_type, "utf-8"
    if found.compressed is not None and "gzip" in request.headers.get("Accept-Encoding", ""):
        response.headers["Content-Encoding"], response.body = "gzip", found.compressed
    else:
        response.body = found.body
    return response
