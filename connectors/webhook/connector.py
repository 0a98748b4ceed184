"""The webhook connector: a listener as its source, and the subscribers as its sink."""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Final, Self
from urllib.parse import urlsplit

import aiohttp

from connectors.base import JsonObject
from connectors.changes import TABLES, Changes
from connectors.client import EngineClient
from connectors.mapping.documents import parsed_object
from connectors.mapping.values import Unreadable
from connectors.ports import Batch, Finding, Sink, Source, Tools
from connectors.profiles import Unreachable
from connectors.webhook.incoming import Incoming
from connectors.webhook.listener import Listener
from connectors.webhook.notifying import Notifier, present
from connectors.webhook.outbox import FILE, Outbox, tables_of
from connectors.webhook.profile import Profile, Subscriber
from connectors.webhook.telling import Teller

LISTEN, SUBSCRIBERS = "listen", "subscribers"
LOOK_SECONDS: Final = 0.2


class Subscribers:
    """The sink: changes are followed and told in the background, and a round hands dead letters to the host.

    It is the source of that name too, by which dead letters are replayed.
    """

    def __init__(self, profile: Profile, tools: Tools) -> None:
        self._profile = profile
        self._tools = tools
        self._session: aiohttp.ClientSession | None = None
        self._notifiers: dict[str, Notifier] = {}
        self._tellers: list[Teller] = []
        self._outbox: Outbox | None = None
        self._changes: Changes | None = None
        self._running: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Open what is needed to tell somebody. Raises `UsageError` where a secret is missing."""
        self._session = aiohttp.ClientSession(trust_env=False, cookie_jar=aiohttp.DummyCookieJar())
        self._notifiers = {each.name: Notifier(each, self._session) for each in self._profile.subscribers}

    async def close(self) -> None:
        """Stop telling."""
        await self._stop()
        if self._session is not None:
            await self._session.close()

    async def pass_on(self, engine: EngineClient, _position: JsonObject | None, /) -> AsyncIterator[Batch]:
        """Tell what waits, until nothing can be told for a while. What could not be told becomes dead letters.

        Raises `Unreachable` where the database fails, or the changes cannot be followed.
        """
        running, changes = await self._started(engine)
        quiet_since = time.monotonic()
        while time.monotonic() - quiet_since < self._profile.linger_seconds:
            await asyncio.wait([running], timeout=LOOK_SECONDS)
            if running.done():
                await self._ended(running)
            for teller in self._tellers:
                if teller.dead:
                    dead, teller.dead = teller.dead, []
                    yield Batch(untranslated=[letter for letter, _ in dead])
                    teller.dead_lettered(dead)
            if changes.trouble is not None:
                raise Unreachable(changes.trouble)
            if not changes.in_step.is_set() or not all(each.is_idle(time.time()) for each in self._tellers):
                quiet_since = time.monotonic()
        if troubles := [f"{each.subscriber.name}: {each.trouble}" for each in self._tellers if each.trouble]:
            raise Unreachable("; ".join(troubles))

    def pull(self, _position: JsonObject | None, /) -> AsyncIterator[Batch]:
        """Nothing is read from subscribers."""
        return _nothing()

    async def replay(self, record: bytes) -> Sequence[bytes]:
        """Tell a subscriber the present state of what it was not told. Raises `Unreadable` if it fails again."""
        kept = parsed_object(record)
        subscriber, table = str(kept.get("subscriber")), next((t for t in TABLES if t == kept.get("table")), None)
        notifier = self._notifiers.get(subscriber)
        if notifier is None or table is None:
            raise Unreadable(f"there is no subscriber {subscriber!r} any more")
        async with self._profile.client() as engine:
            outcome = await notifier.tell(await present(table, str(kept.get("key")), engine), engine)
        if outcome.verdict != "told":
            raise Unreadable(f"{subscriber} was not told: {outcome.detail}")
        return ()

    async def _ended(self, running: "asyncio.Task[None]") -> None:
        """Say why what runs in the background has ended; the next round begins it anew, from the lists."""
        try:
            await running
        except* sqlite3.Error as errors:
            raise self._begun_anew(errors.exceptions[0]) from None

    def _begun_anew(self, error: BaseException) -> Unreachable:
        """Delete an outbox that cannot be used; all that it held is found again by the lists."""
        for file in self._tools.folder.glob(f"{FILE}*"):
            file.unlink(missing_ok=True)
        return Unreachable(f"{self._tools.folder / FILE} failed ({error}); it is begun anew")

    async def _started(self, engine: EngineClient) -> tuple["asyncio.Task[None]", Changes]:
        """What runs in the background: the changes are followed, and each subscriber is told."""
        if self._running is not None and self._changes is not None and not self._running.done():
            return self._running, self._changes
        await self._stop()
        try:
            self._outbox = Outbox(self._tools.folder, self._profile.subscribers)
        except sqlite3.Error as error:
            raise self._begun_anew(error) from None
        self._tellers = [Teller(each, self._notifiers[each.name], self._outbox) for each in self._profile.subscribers]
        self._changes = Changes(engine, tables_of(self._profile.subscribers), self._outbox)
        self._running = asyncio.create_task(self._run(self._changes, engine))
        return self._running, self._changes

    async def _run(self, changes: Changes, engine: EngineClient) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(changes.follow(self._wake))
            for teller in self._tellers:
                group.create_task(teller.run(engine))

    def _wake(self) -> None:
        for teller in self._tellers:
            teller.wake()

    async def _stop(self) -> None:
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)
            self._running = None
        if self._outbox is not None:
            self._outbox.close()
            self._outbox = None


class WebhookConnector:
    """A connector for webhooks in, webhooks out, or both."""

    def __init__(self, profile: Profile, tools: Tools) -> None:
        self._profile = profile
        self._tools = tools
        self._ends = AsyncExitStack()
        self._listener: Listener | None = None
        self._subscribers: Subscribers | None = None

    async def __aenter__(self) -> Self:
        """Read the secrets; the listener's port is bound when it is pulled. Raises `UsageError`."""
        profile = self._profile
        if profile.listen is not None:
            incoming = Incoming(profile.listen, profile.event_source, self._tools.identifiers)
            self._listener = Listener(profile.listen, incoming, profile.linger_seconds)
            self._ends.push_async_callback(self._listener.close)
        if profile.subscribers:
            self._subscribers = Subscribers(profile, self._tools)
            self._ends.push_async_callback(self._subscribers.close)
            await self._subscribers.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._ends.aclose()

    @property
    def sources(self) -> Mapping[str, Source]:
        """The listener, and the subscribers for the replay of what they were not told."""
        found: dict[str, Source] = {}
        if self._subscribers is not None:
            found[SUBSCRIBERS] = self._subscribers
        if self._listener is not None:
            found[LISTEN] = self._listener
        return found

    @property
    def sinks(self) -> Mapping[str, Sink]:
        """The subscribers."""
        return {} if self._subscribers is None else {SUBSCRIBERS: self._subscribers}

    async def check(self) -> Sequence[Finding]:
        """Say who is listened to, and whether the subscribers' addresses take connections; nobody is told anything."""
        listen = self._profile.listen
        found = [] if listen is None else [Finding("the listener", True, _listening(self._profile))]
        return [*found, *await asyncio.gather(*(_reach(each) for each in self._profile.subscribers))]


async def _nothing() -> AsyncIterator[Batch]:
    nothing: Sequence[Batch] = ()
    for batch in nothing:
        yield batch


def _listening(profile: Profile) -> str:
    listen = profile.listen
    assert listen is not None
    keys = ", ".join(key.id for key in listen.keys) or "nobody signs"
    return f"http://{listen.host}:{listen.port}{listen.path}, keys: {keys}"


async def _reach(subscriber: Subscriber) -> Finding:
    """Whether the address of a subscriber takes a connection."""
    what = f"the subscriber {subscriber.name}"
    parts = urlsplit(subscriber.url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        async with asyncio.timeout(subscriber.timeout_seconds):
            _, writer = await asyncio.open_connection(parts.hostname, port)
    except OSError as error:
        reason = error.strerror or "no answer"
        return Finding(what, False, f"{parts.hostname}:{port} takes no connection: {reason}")
    writer.close()
    return Finding(what, True, f"{parts.hostname}:{port} takes connections")
