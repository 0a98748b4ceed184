"""The listener: requests wait until what they hold is durable in the engine, and are answered then.

Requests that wait are gathered to one batch (group commit): the host posts it, and what stands behind the `yield` runs
once it is durable. A sender that gets no 202 sends again, and the ids of its events make that a duplicate.
"""

import asyncio
import errno
import logging
import os
import time
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final, Literal
from urllib.parse import unquote

from aiohttp import web

from connectors.base import JsonObject, Submission
from connectors.mapping.documents import Message
from connectors.ports import Batch, UntranslatedRecord
from connectors.webhook.incoming import Incoming, Taken
from connectors.webhook.profile import Listen
from connectors.webhook.signing import ATTRIBUTE_PREFIX, HEADER, NotSigned, Verifier
from connectors.webhook.signing import Message as Signed
from engine.core.errors import UsageError

MAX_BATCH: Final = 5_000
"""Events of one batch; a request alone may hold more."""
RETRY_SECONDS: Final = 1
Answer = Literal["durable", "not durable"]

log = logging.getLogger(__name__)


@dataclass(eq=False)
class _Waiting:
    """A request that waits for its answer; `refused` counts its events that the engine refused."""

    taken: Taken
    refused: int = 0
    answer: "asyncio.Future[Answer]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    def answered(self, answer: Answer) -> None:
        """Answer, unless whoever asked has gone."""
        if not self.answer.done():
            self.answer.set_result(answer)


class Listener:
    """The source of a webhook connector; its port is bound when it is pulled first, and until `close`."""

    def __init__(self, listen: Listen, incoming: Incoming, linger_seconds: float) -> None:
        self._listen = listen
        self._incoming = incoming
        self._linger = linger_seconds
        secrets = {key.id: key.secret.reveal() for key in listen.keys}
        self._verifier = Verifier(secrets, listen.window_seconds) if secrets else None
        self._queue: deque[_Waiting] = deque()
        self._arrived = asyncio.Event()
        self._held_bytes = 0
        self._server: asyncio.Server | None = None
        self._runner: web.AppRunner | None = None
        self.port = listen.port

    async def pull(self, _position: JsonObject | None, /) -> AsyncIterator[Batch]:
        """What arrives, until nothing has for a while; it has no past. Raises `UsageError` if the port is taken."""
        await self._open()
        while await self._something_waits():
            gathered = self._gathered()
            try:
                yield _batch(gathered)
            except BaseException:
                self._answer(gathered, "not durable")
                raise
            self._answer(gathered, "durable")

    async def replay(self, record: bytes) -> Sequence[bytes]:
        """The events of a record that was kept, by today's profile. Raises `Unreadable`, or `Unmapped`."""
        return self._incoming.again(record)

    async def close(self) -> None:
        """Stop listening; whoever waits is told to come again."""
        self._answer(list(self._queue), "not durable")
        self._queue.clear()
        if self._server is not None:
            self._server.close()
            self._server = None
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _something_waits(self) -> bool:
        if not self._queue:
            self._arrived.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._arrived.wait(), self._linger)
        return bool(self._queue)

    def _gathered(self) -> list[_Waiting]:
        found, events = [self._queue.popleft()], 0
        events += len(found[0].taken.events)
        while self._queue and events + len(self._queue[0].taken.events) <= MAX_BATCH:
            found.append(self._queue.popleft())
            events += len(found[-1].taken.events)
        return found

    def _answer(self, waiting: Sequence[_Waiting], answer: Answer) -> None:
        for each in waiting:
            each.answered(answer)

    # the server -------------------------------------------------------------------------------------------------------

    async def _open(self) -> None:
        if self._server is not None:
            return
        app = web.Application(client_max_size=self._listen.max_body_bytes)
        app.router.add_route("OPTIONS", self._listen.path, self._handshake)
        app.router.add_route("POST", self._listen.path, self._receive)
        runner = web.AppRunner(app, access_log=None, keepalive_timeout=30)
        await runner.setup()
        protocols = runner.server
        assert protocols is not None

        def accepted() -> asyncio.BaseProtocol:
            return protocols() if len(protocols.connections) < self._listen.max_connections else _Full()

        try:
            loop = asyncio.get_running_loop()
            self._server = await loop.create_server(accepted, self._listen.host, self._listen.port)
        except OSError as error:
            await runner.cleanup()
            where = f"{self._listen.host}:{self._listen.port}"
            if error.errno == errno.EADDRINUSE:
                raise UsageError(f"another process listens at {where}: is this connector running already?") from None
            raise UsageError(f"cannot listen at {where}: {os.strerror(error.errno or 0)}") from None
        self._runner = runner
        self.port = self._server.sockets[0].getsockname()[1]
        log.info("listening at http://%s:%d%s", self._listen.host, self.port, self._listen.path)

    async def _handshake(self, request: web.Request) -> web.Response:
        """The CloudEvents handshake against abuse: a sender asks whether it may send here."""
        origin = request.headers.get("WebHook-Request-Origin")
        if origin is None or not {origin, "*"} & set(self._listen.origins):
            return _problem(403, "this origin is not allowed here")
        return web.Response(headers={"WebHook-Allowed-Origin": origin, "WebHook-Allowed-Rate": "*", "Allow": "POST"})

    async def _receive(self, request: web.Request) -> web.Response:
        if self._verifier is None and "Origin" in request.headers:
            # Where nobody signs, a page in a browser of this machine could send here too.
            return _problem(403, "a page in a browser does not send events")
        size = self._listen.max_body_bytes if request.content_length is None else request.content_length
        if size > self._listen.max_body_bytes:
            return _problem(413, f"a body has at most {self._listen.max_body_bytes} bytes")
        if self._held_bytes + size > self._listen.max_waiting_bytes:
            return _problem(429, "the engine is behind", RETRY_SECONDS)
        self._held_bytes += size
        try:
            return await self._take(request)
        finally:
            self._held_bytes -= size

    async def _take(self, request: web.Request) -> web.Response:
        try:
            async with asyncio.timeout(self._listen.body_seconds):
                body = await request.read()
        except TimeoutError:
            return _problem(408, "the body did not arrive in time")
        except web.HTTPRequestEntityTooLarge:
            return _problem(413, f"a body has at most {self._listen.max_body_bytes} bytes")
        attributes = _attributes(request)
        if self._verifier is not None:
            try:
                self._verifier.check(request.headers.get(HEADER), Signed(attributes, body), time.time())
            except NotSigned as error:
                return _problem(401, str(error))
        # The HTTP binding of CloudEvents escapes what a header cannot hold.
        decoded = {name: unquote(value) for name, value in attributes.items()}
        message = Message(request.headers.get("Content-Type", ""), decoded, body)
        return await self._answered(self._incoming.take(message))

    async def _answered(self, taken: Taken) -> web.Response:
        waiting = _Waiting(taken)
        self._queue.append(waiting)
        self._arrived.set()
        try:
            answer = await asyncio.wait_for(waiting.answer, self._listen.answer_seconds)
        except TimeoutError:
            answer = "not durable"
        finally:
            with suppress(ValueError):
                self._queue.remove(waiting)
        if answer == "durable":
            return _accepted(taken, waiting.refused)
        return _problem(503, "the engine has not taken it; send it again", RETRY_SECONDS)


class _Full(asyncio.Protocol):
    """Ends a connection at once: there are as many as there may be."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.Transport):
            transport.abort()


def _batch(waiting: Sequence[_Waiting]) -> Batch:
    skipped: dict[str, int] = {}
    untranslated: list[UntranslatedRecord] = []
    for each in waiting:
        untranslated += each.taken.untranslated
        for why, count in each.taken.skipped.items():
            skipped[why] = skipped.get(why, 0) + count
    owners = [each for each in waiting for _ in each.taken.events]

    def answered(answer: Submission) -> None:
        for rejected in answer.refused:
            owners[rejected.index].refused += 1

    events = [event for each in waiting for event in each.taken.events]
    return Batch(events, untranslated, skipped=skipped, answered=answered)


def _attributes(request: web.Request) -> dict[str, str]:
    """The attributes of a CloudEvent in binary mode; of a header that comes twice all values, so none is hidden."""
    found: dict[str, str] = {}
    for header, value in request.headers.items():
        name = header.lower()
        if name.startswith(ATTRIBUTE_PREFIX):
            name = name.removeprefix(ATTRIBUTE_PREFIX)
            found[name] = f"{found[name]},{value}" if name in found else value
    return found


def _accepted(taken: Taken, refused: int) -> web.Response:
    counts = {
        "accepted": len(taken.events) - refused,
        "refused": refused,
        "untranslated": len(taken.untranslated),
        "skipped": sum(taken.skipped.values()),
    }
    return web.json_response(counts, status=202)


def _problem(status: int, detail: str, retry_seconds: int | None = None) -> web.Response:
    headers = {} if retry_seconds is None else {"Retry-After": str(retry_seconds)}
    body = {"type": "about:blank", "status": status, "detail": detail}
    return web.json_response(body, status=status, headers=headers, content_type="application/problem+json")
