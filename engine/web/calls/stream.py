"""`GET /v1/stream`: every change as a server-sent event, after its commit.

Two tasks share a buffer: one takes outputs from the subscription, the other writes what has gathered. So a quiet stream
has no delay and a busy one is written in large pieces. A reader who does not keep up leaves the buffer full, then the
subscription grows to its bound and is ended. A reader who takes nothing at all for a while is cut off: a slow reader
costs itself, never the engine.
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
from engine.web.problems import Problem

DEFAULT_TABLES = ",".join(name for name, declared in OUTPUT_TOPICS.items() if declared.streamed)
HEARTBEAT_SECONDS = 15.0
MAX_BUFFER_BYTES = 256 * 1024
PIECE_BYTES = 64 * 1024
SYSTEM_BUFFER_BYTES = 64 * 1024
STALL_SECONDS = 20.0
"""A reader who does not take one piece within this time is cut off."""
HEADERS = {"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"}


class Stalled(StocklineError):
    """A reader takes nothing any more."""


class Feed:
    """The events between a subscription and a response."""

    def __init__(self, subscription: Subscription):
        self._subscription = subscription
        self._numbers = count(1)
        self._buffer = bytearray()
        self._filled, self._emptied = asyncio.Event(), asyncio.Event()
        self.ended = False

    async def fill(self) -> None:
        """Gather events until the subscription ends; wait while the buffer is full."""
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
        """What has gathered, or nothing after `patience_seconds`."""
        if not self._buffer and not self.ended:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._filled.wait(), patience_seconds)
        gathered = bytes(self._buffer)
        self._buffer.clear()
        self._filled.clear()
        self._emptied.set()
        return gathered


async def get(request: web.Request) -> web.StreamResponse:
    """Follow the changes of some tables; a reader that is too slow is cut off and may come back."""
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
    # The system's own buffer grows to megabytes, and only half an empty one shows that the reader takes something.
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
    """Wait for a reader, but not for ever: one who takes nothing is cut off, a farewell would wait behind the rest."""
    try:
        async with asyncio.timeout(STALL_SECONDS):
            yield
    except TimeoutError:
        _abort(request)
        raise Stalled(f"nothing was taken for {STALL_SECONDS:g} seconds") from None


def _abort(request: web.Request) -> None:
    """Reset the connection: after an orderly end the system would hold on to what it has not yet delivered."""
    _set(request, socket.SO_LINGER, pack("ii", 1, 0))
    if request.transport is not None:
        request.transport.abort()


def _set(request: web.Request, option: int, value: int | bytes) -> None:
    if request.transport is not None:
        connection: socket.socket = request.transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, option, value)


async def _ended(filling: asyncio.Task[None]) -> BaseException | None:
    """Stop the task; the error by which it had ended already, if it had."""
    filling.cancel()
    [error] = await asyncio.gather(filling, return_exceptions=True)
    return None if isinstance(error, asyncio.CancelledError) else error


def _topics(request: web.Request) -> frozenset[Topic]:
    if unknown := request.query.keys() - {"tables"}:
        raise Problem(400, f"`{min(unknown)}` is not a parameter here", "invalid_parameter")
    asked = set(request.query.get("tables", DEFAULT_TABLES).split(","))
    if unknown_tables := asked - OUTPUT_TOPICS.keys():
        raise Problem(400, f"`{min(unknown_tables)}` is not one of {', '.join(OUTPUT_TOPICS)}", "invalid_parameter")
    return frozenset(name for name in OUTPUT_TOPICS if name in asked)
