"""The pages of the live view and their parts."""

import asyncio
import secrets

from aiohttp import web

from engine.web import site
from engine.web.headers import policy
from engine.web.ports import principal_of

_YEAR = 365 * 24 * 3600


async def page(request: web.Request) -> web.Response:
    """A page of the live view; it holds no data, which its script asks for as any other program would."""
    nonce, name, roles = secrets.token_urlsafe(16), _name(request), principal_of(request).roles
    own = site.open_to(roles)
    if name == site.FRONT and name not in own and own:
        # The front page leads everybody to the first page that is for them, as a supplier to its own.
        raise web.HTTPSeeOther(site.path_of(own[0]), headers={"Cache-Control": "no-store"})
    text = site.document(name, nonce, roles)
    headers = {"Content-Security-Policy": policy(nonce), "Cache-Control": "no-store"}
    status = 200 if roles & set(site.PAGES[name].roles) else 403
    return web.Response(status=status, text=text, content_type="text/html", headers=headers)


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
