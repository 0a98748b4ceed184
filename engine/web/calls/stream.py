"""`GET /v1/stream`: every change as a server-sent event, after its commit.

Two tasks of asyncio share a buffer: one appends outputs of the subscription, the other writes the buffer to the
connection. So a quiet stream has no delay, and a busy one is written in large pieces. If a reader does not keep up,
first the buffer fills, then the subscription grows to its limit and ends. A reader who takes nothing for
`STALL_SECONDS` is disconnected. So a slow reader slows only itself, never the engine.
"""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from itertools import count
from struct import pack

from aiohttp import web

from engine.bus.single import Output
from engine.core.errors import StocklineError
from engine.core.topics import OUTPUT_TOPICS, Topic
from engine.web.ports import CONTEXT, Subscription, service_of
from engine.web.query import invalid, refuse_others

DEFAULT_TABLES = ",".join(name for name, declared in OUTPUT_TOPICS.items() if declared.streamed)
PARAMETERS = frozenset({"tables"})
HEARTBEAT_SECONDS = 15.0
MAX_BUFFER_BYTES = 256 * 1024
PIECE_BYTES = 64 * 1024
SYSTEM_BUFFER_BYTES = 64 * 1024
STALL_SECONDS = 20.0
"""A reader who does not take one piece within this time is disconnected."""
HEADERS = {"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"}


class Stalled(StocklineError):
    """A reader has stopped taking what is sent."""


class Feed:
    """The buffer between a subscription and a response, with its events in their form on the wire."""

    def __init__(self, subscription: Subscription):
        self._subscription = subscription
        self._numbers = count(1)
        self._buffer = bytearray()
        self._filled, self._emptied = asyncio.Event(), asyncio.Event()
        self.ended = False

    async def fill(self) -> None:
        """Append events to the buffer until the subscription ends; wait while the buffer is full."""
        try:
            async for outputs in self._subscription.batches():
                self._buffer += b"".join(map(self._event, outputs))
                self._filled.set()
                while len(self._buffer) >= MAX_BUFFER_BYTES:
                    self._emptied.clear()
                    await self._emptied.wait()
        finally:
            self.ended = True
            self._filled.set()

    def _event(self, output: Output) -> bytes:
        return b"id: %d\nevent: %b\ndata: %b\n\n" % (next(self._numbers), output.kind.encode(), output.value)

    async def take(self, patience_seconds: float) -> bytes:
        """Empty the buffer and return its bytes; none if nothing comes for `patience_seconds`."""
        if not self._buffer and not self.ended:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._filled.wait(), patience_seconds)
        taken = bytes(self._buffer)
        self._buffer.clear()
        self._filled.clear()
        self._emptied.set()
        return taken


async def get(request: web.Request) -> web.StreamResponse:
    """Follow the changes of some topics; a reader that is too slow is disconnected and may connect again."""
    context = request.app[CONTEXT]
    topics = _topics(request)
    reader = str(request.remote)
    response = web.StreamResponse(headers=HEADERS)
    subscription = service_of(request).subscribe(topics)
    feed = Feed(subscription)
    filling = asyncio.create_task(feed.fill())
    stalled: Stalled | None = None
    context.streams.add(filling)
    context.telemetry.stream_opened(reader)
    # The socket's send buffer would grow to megabytes and hide for long that the reader takes nothing.
    _set(request, socket.SO_SNDBUF, SYSTEM_BUFFER_BYTES)
    try:
        await response.prepare(request)
        await response.write(b"retry: 1000\n: every change from here on; ask /v1/positions for what was before\n\n")
        await _copy(feed, request, response)
    except ConnectionError:
        pass
    except Stalled as given_up:
        stalled = given_up
    finally:
        context.streams.discard(filling)
        context.telemetry.stream_closed(reader)
        subscription.close()
        if (error := await _ended(filling) or stalled) is not None:
            context.telemetry.stream_cut_off(reader, error)
            response.force_close()
    return response


async def _copy(feed: Feed, request: web.Request, response: web.StreamResponse) -> None:
    while gathered := await feed.take(HEARTBEAT_SECONDS) or (b"" if feed.ended else b": still here\n\n"):
        for start in range(0, len(gathered), PIECE_BYTES):
            async with _patience(request):
                await response.write(gathered[start : start + PIECE_BYTES])
    async with _patience(request):
        await response.write_eof()


@asynccontextmanager
async def _patience(request: web.Request) -> AsyncIterator[None]:
    """Disconnect a reader who takes nothing for `STALL_SECONDS`; a farewell would only wait behind the rest."""
    try:
        async with asyncio.timeout(STALL_SECONDS):
            yield
    except TimeoutError:
        _abort(request)
        raise Stalled(f"nothing was taken for {STALL_SECONDS:g} seconds") from None


def _abort(request: web.Request) -> None:
    """Reset the connection: after an orderly end the system would keep what it has not yet delivered."""
    _set(request, socket.SO_LINGER, pack("ii", 1, 0))
    if request.transport is not None:
        request.transport.abort()


def _set(request: web.Request, option: int, value: int | bytes) -> None:
    if request.transport is not None:
        connection: socket.socket = request.transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, option, value)


async def _ended(filling: asyncio.Task[None]) -> BaseException | None:
    """Cancel the task; returns the error with which it had already ended, or None."""
    filling.cancel()
    [error] = await asyncio.gather(filling, return_exceptions=True)
    return None if isinstance(error, asyncio.CancelledError) else error


def _topics(request: web.Request) -> frozenset[Topic]:
    refuse_others(request.query, PARAMETERS)
    asked = set(request.query.get("tables", DEFAULT_TABLES).split(","))
    if unknown := asked - OUTPUT_TOPICS.keys():
        raise invalid(f"`{min(unknown)}` is not one of {', '.join(OUTPUT_TOPICS)}")
    return frozenset(name for name in OUTPUT_TOPICS if name in asked)
