"""One page's live socket: it takes messages, and sends the latest state of each window that has changed.

Nothing waits for a page: what it has not taken when the next state is due is left out. A page that takes nothing for
`STALL_SECONDS` is closed with 1013, one that says too much with 1008; a socket whose other end is gone does not answer
pings and ends by itself.
"""

import asyncio
import time
from collections.abc import Hashable
from typing import NamedTuple

import msgspec
from aiohttp import WSCloseCode, WSMessage, WSMsgType, web

from engine.access.denial import Forbidden
from engine.aio import end
from engine.columns.loading import NotLoaded
from engine.core.errors import StocklineError
from engine.telemetry import Telemetry
from engine.web.live.messages import Follow, Hidden, Leave, NotTaken, read
from engine.web.live.view import View
from engine.web.live.windows import Windows
from engine.web.ports import Lists
from engine.web.problems import Problem, details

FRAME_SECONDS = 0.25
HIDDEN_SECONDS = 1.0
STALL_SECONDS = 10.0
MAX_VIEWS = 8
MESSAGES_A_SECOND = 20
MESSAGES_AT_ONCE = 60

_encoder = msgspec.json.Encoder()


class Sight(NamedTuple):
    """The lists as a caller may see them, and what is the same for callers who see the same."""

    lists: Lists
    scope: Hashable


class Speech:
    """How much a page may say (a token bucket)."""

    def __init__(self) -> None:
        self._left = float(MESSAGES_AT_ONCE)
        self._counted = time.monotonic()

    def allowed(self) -> bool:
        """Count a message; false where it is one too many."""
        now = time.monotonic()
        self._left = min(MESSAGES_AT_ONCE, self._left + (now - self._counted) * MESSAGES_A_SECOND) - 1
        self._counted = now
        return self._left >= 0


class Connection:
    """A page's socket."""

    def __init__(self, socket: web.WebSocketResponse, sight: Sight, windows: Windows, telemetry: Telemetry) -> None:
        self._socket, self._sight, self._windows, self._telemetry = socket, sight, windows, telemetry
        self._views: dict[str, View] = {}
        self._hidden = False
        self._speech = Speech()
        self._came = asyncio.Event()

    async def run(self) -> None:
        """Serve the page until it leaves."""
        frames = asyncio.create_task(self._send_frames())
        try:
            async for message in self._socket:
                await self._take(message)
        finally:
            await end(frames)

    # what the page says -----------------------------------------------------------------------------------------------

    async def _take(self, message: WSMessage) -> None:
        if message.type is not WSMsgType.TEXT:
            await self._close(WSCloseCode.UNSUPPORTED_DATA, b"messages are texts")
        elif not self._speech.allowed():
            await self._close(WSCloseCode.POLICY_VIOLATION, b"too many messages")
        else:
            await self._heed(message.data)

    async def _heed(self, text: str) -> None:
        try:
            said = read(text)
        except msgspec.DecodeError as error:
            await self._refuse(None, Problem(400, f"this is no message: {error}", "invalid_body"))
            return
        if isinstance(said, Hidden):
            self._hidden = said.hidden
        elif isinstance(said, Leave):
            self._views.pop(said.leave, None)
        else:
            try:
                self._follow(said)
            except Problem as problem:
                await self._refuse(said.view, problem)
        self._came.set()

    def _follow(self, asked: Follow) -> None:
        if asked.view not in self._views and len(self._views) >= MAX_VIEWS:
            raise Problem(400, f"a page follows at most {MAX_VIEWS} windows: leave one first", "invalid_parameter")
        self._views.pop(asked.view, None)
        self._views[asked.view] = View(asked)

    # what it is told --------------------------------------------------------------------------------------------------

    async def _send_frames(self) -> None:
        """Send the windows that have changed, in rounds; a new window is shown at once."""
        while True:
            started = time.monotonic()
            self._came.clear()
            for view in list(self._views.values()):
                await self._show(view)
            least = HIDDEN_SECONDS if self._hidden else FRAME_SECONDS
            taken = time.monotonic() - started
            self._telemetry.frames_left_out(int(taken / least) if self._views else 0)
            try:
                async with asyncio.timeout(max(0.0, least - taken)):
                    await self._came.wait()
            except TimeoutError:
                pass

    async def _show(self, view: View) -> None:
        try:
            frame = await view.frame(self._sight.lists, self._sight.scope, self._windows)
        except NotLoaded:
            return
        except StocklineError as error:
            self._views.pop(view.asked.view, None)
            await self._refuse(view.asked.view, error)
            return
        # The page may have left the window while its state was asked for.
        if frame is not None and self._views.get(view.asked.view) is view:
            await self._send(frame)
            self._telemetry.frame_sent()

    async def _refuse(self, view: str | None, error: StocklineError) -> None:
        given = error if isinstance(error, Problem) else Problem(503, str(error), "unavailable")
        if isinstance(error, Forbidden):
            given = Problem(403, str(error), error.reason)
        await self._send(_encoder.encode(NotTaken(view, details(given.status, given.detail, given.reason))))

    async def _send(self, text: bytes) -> None:
        try:
            async with asyncio.timeout(STALL_SECONDS):
                await self._socket.send_frame(text, WSMsgType.TEXT)
        except TimeoutError:
            self._telemetry.page_cut_off(STALL_SECONDS)
            await self._close(WSCloseCode.TRY_AGAIN_LATER, b"the page takes too long")

    async def _close(self, code: WSCloseCode, why: bytes) -> None:
        """Close without waiting for the page to take what was sent before."""
        await self._socket.close(code=code, message=why, drain=False)
