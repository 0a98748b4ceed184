"""`GET /v1/stream`: every change as a server-sent event, after its commit.

Two tasks of asyncio share a buffer: one appends outputs of the subscription, the other writes the buffer to the
connection. So a quiet stream has no delay, and a busy one is written in large pieces. If a reader does not keep up,
first the buffer fills, then the subscription grows to its limit and ends. A reader who takes nothing for
`STALL_SECONDS` is disconnected. So a slow reader slows only itself, never the engine.
"""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager, suppress
from struct import pack

from aiohttp import web

from engine.bus.point import StreamGone
from engine.core.errors import StocklineError
from engine.core.topics import OUTPUT_TOPICS, Topic
from engine.runtime.subscriptions import Lagging
from engine.runtime.waiting import Batch
from engine.web.ports import CONTEXT, service_of
from engine.web.problems import Problem
from engine.web.query import invalid, refuse_others
from engine.web.sockets import SYSTEM_BUFFER_BYTES, set_option

DEFAULT_TABLES = ",".join(name for name, declared in OUTPUT_TOPICS.items() if declared.streamed)
PARAMETERS = frozenset({"tables", "conflate"})
ANEW = "Start anew: open the stream without Last-Event-ID, then read the lists for what was before"
HEARTBEAT_SECONDS = 15.0
MAX_BUFFER_BYTES = 256 * 1024
PIECE_BYTES = 64 * 1024
STALL_SECONDS = 20.0
"""A reader who does not take one piece within this time is disconnected."""
HEADERS = {"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"}


class Stalled(StocklineError):
    """A reader has stopped taking what is sent."""


class Feed:
    """The buffer between a subscription and a response, with its events in their form on the wire."""

    def __init__(self, request: web.Request) -> None:
        """Read from the call what the reader asks for; raises Problem."""
        refuse_others(request.query, PARAMETERS)
        self._service = service_of(request)
        self._topics = _topics(request.query.get("tables", DEFAULT_TABLES))
        self._conflate = _flag(request.query.get("conflate", "false"))
        self._since = request.headers.get("Last-Event-ID") or None
        self._missed = 0
        """How many outputs were missed and not told since, while the subscription begins anew."""
        self._buffer = bytearray()
        self._filled, self._emptied = asyncio.Event(), asyncio.Event()
        self.ended = False

    async def begin(self) -> None:
        """Subscribe; raises Problem where the reader cannot go on from the id that it gives."""
        try:
            self._subscription = await self._service.subscribe(self._topics, self._since, self._conflate)
        except StreamGone as gone:
            what = f"the stream cannot go on from this Last-Event-ID: {gone}. {ANEW}"
            raise Problem(410, what, "stream_gone") from gone

    def end(self) -> None:
        """Close the subscription."""
        self._subscription.close()

    async def fill(self) -> None:
        """Append events to the buffer until the subscription ends; wait while the buffer is full.

        For a reader who lets the engine conflate, the subscription begins anew where too much waits: from the last
        point on only the latest of each row is told.
        """
        try:
            while True:
                try:
                    await self._follow()
                except Lagging as lagging:
                    if not self._conflate:
                        raise
                    self._missed += lagging.missed
                self._subscription.close()
                self._subscription = await self._service.subscribe(self._topics, self._since, self._conflate)
        finally:
            self._subscription.close()
            self.ended = True
            self._filled.set()

    async def _follow(self) -> None:
        async with aclosing(self._subscription.batches()) as batches:
            async for batch in batches:
                self._buffer += wire(self._counted(batch))
                self._since = self._since if batch.point is None else batch.point.text
                self._filled.set()
                while len(self._buffer) >= MAX_BUFFER_BYTES:
                    self._emptied.clear()
                    await self._emptied.wait()

    def _counted(self, batch: Batch) -> Batch:
        """Where too much had waited, tell behind what was told instead how many outputs were left out."""
        if not self._missed:
            return batch
        self._missed = max(0, self._missed - len(batch.outputs))
        if batch.outputs or batch.point is None:
            return batch
        left_out, self._missed = self._missed, 0
        return batch._replace(left_out=left_out)

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


def wire(batch: Batch) -> bytes:
    """A batch as server-sent events; its last line but one is the id, so that who has less of it is told it again."""
    parts = [b'event: conflated\ndata: {"left_out": %d}\n\n' % batch.left_out] if batch.left_out else []
    parts += [b"event: %b\ndata: %b\n\n" % (output.kind.encode(), output.value) for output in batch.outputs]
    if batch.point is not None:
        point = b"id: %b\n" % batch.point.text.encode()
        parts[-1:] = [point + parts[-1]] if parts else [point + b"\n"]
    return b"".join(parts)


async def get(request: web.Request) -> web.StreamResponse:
    """Follow the changes of some topics; a reader that is too slow is disconnected and may connect again."""
    context = request.app[CONTEXT]
    reader = str(request.remote)
    response = web.StreamResponse(headers=HEADERS)
    feed = Feed(request)
    await feed.begin()
    filling = asyncio.create_task(feed.fill())
    stalled: Stalled | None = None
    context.streams.add(filling)
    context.telemetry.stream_opened(reader)
    set_option(request, socket.SO_SNDBUF, SYSTEM_BUFFER_BYTES)
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
        feed.end()
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
    set_option(request, socket.SO_LINGER, pack("ii", 1, 0))
    if request.transport is not None:
        request.transport.abort()


async def _ended(filling: asyncio.Task[None]) -> BaseException | None:
    """Cancel the task; returns the error with which it had already ended, or None."""
    filling.cancel()
    [error] = await asyncio.gather(filling, return_exceptions=True)
    return None if isinstance(error, asyncio.CancelledError) else error


def _topics(tables: str) -> frozenset[Topic]:
    asked = set(tables.split(","))
    if unknown := asked - OUTPUT_TOPICS.keys():
        raise invalid(f"`{min(unknown)}` is not one of {', '.join(OUTPUT_TOPICS)}")
    return frozenset(name for name in OUTPUT_TOPICS if name in asked)


def _flag(given: str) -> bool:
    if given not in ("true", "false"):
        raise invalid("`conflate` is true or false")
    return given == "true"
