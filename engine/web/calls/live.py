"""`GET /v1/live`: the socket through which a page follows windows of lists."""

import asyncio
import socket

from aiohttp import WSCloseCode, web

from engine.web.live.connection import Connection, Sight
from engine.web.live.messages import MAX_MESSAGE_BYTES
from engine.web.live.windows import WINDOWS
from engine.web.ports import CONTEXT, lists_of, principal_of
from engine.web.problems import Problem
from engine.web.query import refuse_others
from engine.web.sockets import SYSTEM_BUFFER_BYTES, set_option

PING_SECONDS = 20.0
CLOSE_SECONDS = 2.0


async def get(request: web.Request) -> web.StreamResponse:
    """Serve a page's socket until it leaves or the process stops."""
    context = request.app[CONTEXT]
    refuse_others(request.query, frozenset())
    # Compression would keep a quarter of a megabyte for each page.
    opened = web.WebSocketResponse(
        heartbeat=PING_SECONDS, timeout=CLOSE_SECONDS, max_msg_size=MAX_MESSAGE_BYTES, compress=False
    )
    if not opened.can_prepare(request).ok:
        raise Problem(426, "this is a WebSocket", "no_websocket", {"Upgrade": "websocket"})
    caller, transport = principal_of(request), request.transport
    sight = Sight(lists_of(request), (caller.roles, caller.supplier))
    await opened.prepare(request)
    set_option(request, socket.SO_SNDBUF, SYSTEM_BUFFER_BYTES)
    connection = Connection(opened, sight, request.app[WINDOWS], context.telemetry)
    serving = asyncio.create_task(connection.run())
    context.streams.add(serving)
    context.telemetry.page_opened()
    try:
        await asyncio.wait([serving])
    finally:
        context.streams.discard(serving)
        context.telemetry.page_closed()
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
        await opened.close(code=WSCloseCode.GOING_AWAY, message=b"the server ends")
        if transport is not None:
            # A page that takes nothing any more would keep the connection with what waits for it.
            transport.abort()
    return opened
