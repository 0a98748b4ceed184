"""The sink that keeps another system's draft purchases true to the signals.

A round (`pass_on`):

1. wait until the engine shows what was posted before, so that nothing is said twice
2. read the signals that stand or have a draft, and the lines that the other system has, by our key alone
3. act on the difference (`decisions`); what is refused waits longer each time (`memory`)
4. find again: what was written by a lost call, or by another writer, is seen here, and 3 is repeated
5. say the difference between what was found and what the engine knows, but for drafts of signals that have ended
   meanwhile, whose lines the next round removes

A crash after any step leaves what the next round finds in 2.
"""

from collections.abc import AsyncIterator, Callable, Collection, Iterable, Iterator, Sequence
from datetime import UTC, datetime

from connectors.base import JsonObject
from connectors.client import EngineClient, EngineRefused
from connectors.orders.calls import Calls
from connectors.orders.decisions import Drafted, DraftGone, Lines, News, by_signal, has_draft, is_done, kept, news
from connectors.orders.events import Events
from connectors.orders.memory import Memory
from connectors.orders.settings import PushSettings
from connectors.orders.signals import PushedSignal, pushed_signal
from connectors.orders.system import OrderSystem
from connectors.ports import Batch
from connectors.profiles import Unreachable

MAX_PASSES = 5
"""Of acting and finding again in a round; two writers agree within three."""
EVENTS_OF_A_BATCH = 500
_LISTS = ({"status": "open", "disposition": "auto"}, {"status": "accepted"})
_CLOSED = ("withdrawn", "rejected", "expired")

Signals = dict[str, PushedSignal]


def _now() -> datetime:
    return datetime.now(UTC)


class OrderPusher:
    """A `Sink` over an `OrderSystem`; `source` is the CloudEvents source of its events, `clock` is for tests."""

    def __init__(
        self,
        system: OrderSystem,
        source: str,
        settings: PushSettings | None = None,
        clock: Callable[[], datetime] = _now,
    ) -> None:
        self._system = system
        self._events = Events(source, system.name)
        self._settings = settings or PushSettings()
        self._clock = clock

    async def pass_on(self, engine: EngineClient, position: JsonObject | None) -> AsyncIterator[Batch]:
        """One round; see the module. `Unreachable` is raised once everything that is known has been said."""
        await _shown(engine)
        memory = Memory.of(position)
        signals = await self._standing(engine) | await self._closed(engine, memory)
        lines = await self._find(signals, memory.watched)
        unknown = await self._add_others(engine, signals, [*memory.watched, *lines])
        memory.forget_others(signals)
        calls = Calls(self._system, memory, self._settings, self._clock)
        for _ in range(MAX_PASSES):
            if not await calls.act(signals, lines):
                break
            lines = await self._find(signals, memory.watched)
        said = [item for item in news(signals.values(), lines, self._system.name) if await _is_true_still(engine, item)]
        if gone := [item.signal for item in said if isinstance(item, DraftGone) and item.signal.stands]:
            for signal in gone:
                memory.let_go_of(signal)
            # Kept before it is said: else a crash between the two would give the person the line back.
            yield Batch(position=memory.position())
        memory.succeeded(ident for ident, signal in signals.items() if is_done(signal, lines))
        memory.watched = sorted(ident for ident, signal in signals.items() if has_draft(signal, lines))
        events = [*map(self._events.of, said), *self._failures(signals, memory)]
        for portion in _portions(events):
            yield Batch(portion)
        yield Batch(position=memory.position(), skipped={"unknown_signal": unknown} if unknown else {})
        if calls.unreachable is not None:
            raise calls.unreachable

    async def _standing(self, engine: EngineClient) -> Signals:
        found = [pushed_signal(each) for filters in _LISTS async for each in engine.signals(**filters)]
        return {signal.id: signal for signal in found if self._is_ours(signal)}

    async def _closed(self, engine: EngineClient, memory: Memory) -> Signals:
        """Those that were closed since the last round: the draft of one may be there, or even ordered, unsaid.

        Without a memory they are all that the engine keeps, of which those with a draft are taken.
        """
        last = memory.closed_until
        since = {"updated.min": last} if last else {}
        closed: Signals = {}
        for status in _CLOSED:
            async for published in engine.signals(status=status, **since):
                signal = pushed_signal(published)
                memory.closed_until = max(memory.closed_until or "", signal.updated)
                if (last or signal.draft is not None) and self._is_ours(signal):
                    closed[signal.id] = signal
        return closed

    async def _add_others(self, engine: EngineClient, signals: Signals, idents: Iterable[str]) -> int:
        """Add the signals that are on no list but have a line; returns how many of them the engine does not know."""
        unknown = 0
        for ident in [each for each in dict.fromkeys(idents) if each not in signals]:
            try:
                signal = pushed_signal(await engine.get(f"/v1/signals/{ident}"))
            except EngineRefused as refused:
                if refused.status != 404:
                    raise
                unknown += 1
            else:
                signals |= {ident: signal} if self._is_ours(signal) else {}
        return unknown

    def _is_ours(self, signal: PushedSignal) -> bool:
        settings = self._settings
        located = not settings.locations or signal.location in settings.locations
        return located and (not settings.suppliers or signal.supplier in settings.suppliers)

    async def _find(self, signals: Signals, watched: Collection[str]) -> Lines:
        """The lines by signal. What is not where it should be is looked for twice: a list may move while it is read."""
        found = list(await self._system.find({*signals, *watched}))
        lines = by_signal(found)
        absent = [s.id for s in signals.values() if (s.is_wanted or s.draft) and kept(lines, s.id) is None]
        return by_signal([*found, *await self._system.find(absent)]) if absent else lines

    def _failures(self, signals: Signals, memory: Memory) -> Iterator[bytes]:
        now = self._clock()
        for ident, failure in memory.to_say(now, self._settings).items():
            failure.said_at = now
            if signals[ident].stands or signals[ident].draft is not None:
                yield self._events.push_failed(signals[ident], failure)


async def _shown(engine: EngineClient) -> None:
    """Wait until the engine shows all that it had accepted; what is accepted meanwhile need not be shown."""
    accepted = (await engine.get("/v1/sync"))["accepted"]
    if (await engine.sync())["applied"] < accepted:
        raise Unreachable("the engine is behind: the signals that it shows are too old to act on")


async def _is_true_still(engine: EngineClient, item: News) -> bool:
    """Whether a signal whose draft is to be said stands yet: to write a line takes long, and its row goes on."""
    if not isinstance(item, Drafted):
        return True
    return pushed_signal(await engine.get(f"/v1/signals/{item.signal.id}")).stands


def _portions(events: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    for start in range(0, len(events), EVENTS_OF_A_BATCH):
        yield events[start : start + EVENTS_OF_A_BATCH]
