"""One partition: fold records of its log into rows and outputs.

The fold of one record, in this order and for these reasons:

1. decode        what cannot be read is a dead letter and nothing else
2. clock         the partition's now follows arrival (wall) or ticks and event time (log): time is part of the log
3. duplicates    before any agent: a repeat must change nothing, a conflict must not be half applied
4. agents        on copies, so that a rejection leaves no trace
5. accept        changes, alarm clock and the event's name together

Decisions are taken per record; only the encoding of changed rows and positions is once per batch.
"""

from collections.abc import Iterable, Sequence
from traceback import extract_tb
from typing import Any, NamedTuple

import msgspec

from agents.pipeline import ASKED, STEPS, handle
from agents.turn import Calendar, Turn
from engine.bus.single import Commit, Output, Record
from engine.core.events import (
    EVENT_TYPES,
    Broadcast,
    ClockAccepted,
    ClockTicked,
    Event,
    FeedDeclared,
    content,
    identity,
    type_name,
)
from engine.core.outcomes import DUPLICATE, Duplicate, Rejection
from engine.core.outputs import Alert, Signal
from engine.core.rules import Rules
from engine.core.values import HOUR, instant
from engine.runtime.arrivals import Arrival
from engine.runtime.clock import CLOCK_SOURCE
from engine.runtime.marker import Marker
from engine.runtime.publishing import dead_letter_of, position_of, revision_of
from tables import keys
from tables.feeds import Feeds
from tables.rows import Stock
from tables.workspace import State, Workspace, too_heavy

TOO_LARGE = Rejection("row_too_large", "what the event would write is longer than a record or a transaction may be")

COUNTERS = {kind: f"events:{name}" for name, kind in EVENT_TYPES.items()}
"""The counter of each event type."""

Outcome = Rejection | Duplicate | None
"""What became of a record; None is applied."""


class Step(NamedTuple):
    """The fold of some records: what to commit, and what became of each record."""

    commit: Commit
    outcomes: list[Outcome]


class Fold:
    """The fold of one partition. After an error in a commit a task is of no use: make a new one from the bus."""

    def __init__(
        self, state: State, partition: int, partitions: int, rules: Rules, marker: Marker, memory_bytes: int
    ) -> None:
        self.partition = partition
        self.marker = marker
        self._rules = rules
        self._state = state
        self._space = Workspace(state, memory_bytes)
        self._calendar = Calendar()
        self.feeds = Feeds.load(state, partition, partitions, marker.now)
        self.behind = False
        """Whether the last tick has left some of what was due to the next."""
        self._arrivals: dict[str, int] = {}
        self._seen: dict[bytes, bytes | None] = {}
        self._touched: dict[bytes, int] = {}
        self._index: list[tuple[str, int]] = []
        self._outputs: list[Output] = []
        self._count = dict(marker.counters)

    def step(self, arrivals: Sequence[Arrival], append: bool) -> Step:
        """Fold records, the next of the log, into a commit. `append`: the records are new to the log."""
        names = self._prefetch(arrivals)
        outcomes = [self._fold(*arrival, *name) for arrival, name in zip(arrivals, names, strict=True)]
        self._remember_arrivals()
        last = arrivals[-1].record.offset if arrivals else self.marker.next_offset - 1
        self.marker = Marker(last + 1, self.marker.now, dict(self._count), self._rules)
        records = [arrival.record for arrival in arrivals] if append else []
        for row, offset in self._touched.items():
            stock: Stock = self._space.get(keys.STOCK + row)
            self._outputs.append(position_of(row, stock, self.partition, offset))
        changes = [*self._space.changes(), *((key, value) for key, value in self._seen.items())]
        packed = msgspec.msgpack.encode(self.marker)
        commit = Commit(self.partition, records, changes, self._outputs, self._index, packed, last + 1)
        return Step(commit, outcomes)

    def committed(self) -> None:
        """The last step is durable."""
        self._space.committed()
        self._seen, self._touched, self._index, self._outputs = {}, {}, [], []

    def due(self, now: int) -> bool:
        """Whether a tick at `now` would change something: a timer is due, a feed becomes stale or fresh again."""
        return self._space.due(self.partition, now) or self.feeds.due(now)

    def _prefetch(self, arrivals: Sequence[Arrival]) -> Iterable[tuple[bytes, bytes | None]]:
        """Read in one go what the records will ask for: the names of events, and their rows."""
        names: list[bytes] = []
        wanted: dict[bytes, None] = {}
        for _, event in arrivals:
            if isinstance(event, Rejection):
                names.append(keys.DUPLICATE)
                continue
            names.append(keys.duplicate(self.partition, identity(event)))
            data: Any = event.data
            kind = type(event)
            if kind in STEPS:
                row = keys.row(data.sku, data.location)
                wanted[keys.STOCK + row] = None
                if kind in ASKED:
                    wanted.update(dict.fromkeys(ASKED[kind](row, data)))
        self._space.prefetch(list(wanted))
        return zip(names, self._state.get_many(names), strict=True)

    # the fold of one record -------------------------------------------------------------------------------------------

    def _fold(self, record: Record, event: Event | Rejection, name: bytes, seen: bytes | None) -> Outcome:
        if isinstance(event, Rejection):
            return self._reject(record, None, event)
        if type(event) is ClockTicked or type(event) is FeedDeclared:
            # Both judge feeds by what has arrived before them, wherever the batch was cut.
            self._remember_arrivals()
        if type(event) is ClockTicked:
            self.behind = False
        at = instant(event.time)
        says = content(event, at) if type(event) is not ClockTicked else b""
        early = self._too_early(record, event, at)
        refused = early or self._repeated(record, self._seen.get(name, seen), says)
        now = self.marker.now if early else self._hear(record, event, at)
        if isinstance(refused, Rejection):
            return self._reject(record, event, refused)
        if refused is DUPLICATE:
            self._tally("duplicates", event)
            return DUPLICATE
        turn = Turn(self._space, self._rules, self._calendar, self.feeds, self.partition)
        turn.begin(event, at, now, name[-16:])
        refused = self._handle(turn)
        if refused is not None:
            return self._reject(record, event, refused)
        self._set_alarms(turn)
        outputs = [revision_of(*effect, turn) for effect in turn.effects] if turn.effects else []
        if too_heavy(turn.writes, [output.value for output in outputs], len(record.value)):
            return self._reject(record, event, TOO_LARGE)
        self._accept(turn, record.offset, outputs)
        if type(event) is not ClockTicked:
            self._seen[name] = says + record.arrived_at.to_bytes(8, "big")
        return None

    def _hear(self, record: Record, event: Event, at: int) -> int:
        """Note that the event's source is alive; answer what the clock shows at the event.

        A log clock stands still between its ticks, so that it shows the same in every partition.
        """
        wall = self._rules.clock == "wall" and type(event) is not ClockTicked
        now = max(self.marker.now, record.arrived_at if wall else at)
        if wall or type(event) is ClockTicked:
            self.marker.now = now
        if event.source in self.feeds.declared:
            self._arrivals[event.source] = max(now, self._arrivals.get(event.source, 0))
        return now

    def _handle(self, turn: Turn) -> Rejection | None:
        """Let the agents see the event. A fault of theirs costs this event only: its turn is dropped whole.

        It would repeat on every replay, so it must not stop the stream.
        """
        try:
            return handle(turn)
        except Exception as error:
            place = extract_tb(error.__traceback__)[-1]
            where = f"{place.name}, line {place.lineno}"
            return Rejection("internal_error", f"a fault of the engine, please report it: {error!r} in {where}")

    def _too_early(self, record: Record, event: Event, at: int) -> Rejection | None:
        """Refuse what claims to happen long after its arrival, and clocks that are not the engine's."""
        if at > record.arrived_at + self._rules.max_ahead_hours * HOUR:
            detail = f"`time` is more than {self._rules.max_ahead_hours} hours after its arrival"
            return Rejection("time_in_future", detail)
        ours = type(event) is ClockAccepted or (type(event) is ClockTicked and self._rules.clock == "wall")
        if ours and event.source != CLOCK_SOURCE:
            return Rejection("reserved_type", f"the engine itself writes `{type_name(event)}`")
        return None

    def _repeated(self, record: Record, seen: bytes | None, says: bytes) -> Rejection | Duplicate | None:
        """Whether the event's name was seen within the window: with the same content, or with other content."""
        if seen is None or record.arrived_at - int.from_bytes(seen[8:], "big") > self._rules.duplicate_window:
            return None
        if seen[:8] == says:
            return DUPLICATE
        return Rejection("conflict", "an event with this source and id, but other content, was taken before")

    def _accept(self, turn: Turn, offset: int, outputs: list[Output]) -> None:
        for row in turn.touched:
            self._touched[row] = offset
        self._space.accept(turn.writes)
        kind = type(turn.event)
        if kind is ClockTicked or kind is FeedDeclared:
            self.feeds.learn(turn.writes)
        if kind is ClockTicked:
            self.feeds.ticked()
            self.behind = self.due(turn.now)
        else:
            self._tally(COUNTERS[kind], turn.event)
            self._index += [(row.decode(), offset) for row in turn.touched]
        for effect, _, data in turn.effects:
            self._tally_effect(effect, data)
        self._outputs += outputs

    def _tally_effect(self, effect: str, data: Signal | Alert) -> None:
        if isinstance(data, Alert):
            self._tally(f"{effect}:{data.kind}")
        # A revision that only records an answer is counted as the event that it answers with.
        elif effect != "signal.amended" or data.status == "open":
            self._tally(f"{effect}:{data.disposition}")

    def _set_alarms(self, turn: Turn) -> None:
        for row, stock in turn.touched.items():
            old = turn.wakes[row]
            if old != stock.wake_at:
                if old is not None:
                    turn.put(keys.timer(self.partition, old, row), None)
                if stock.wake_at is not None:
                    turn.put(keys.timer(self.partition, stock.wake_at, row), b"")

    def _remember_arrivals(self) -> None:
        """Carry the last arrivals of feeds to their rows, so that they obey the same commit."""
        for name, last in self._arrivals.items():
            if last > self.feeds.pulses[name].last:
                self._space.accept({keys.pulse(self.partition, name): self.feeds.arrived(name, last)})
        self._arrivals = {}

    def _reject(self, record: Record, event: Event | None, rejection: Rejection) -> Rejection:
        """Publish a rejected record as a dead letter; a broadcast one by the first partition only."""
        if not self._counted_elsewhere(event):
            self._tally(f"dead_letters:{rejection.reason}")
            self._outputs.append(dead_letter_of(record, event, rejection))
        return rejection

    # counters ---------------------------------------------------------------------------------------------------------

    def _counted_elsewhere(self, event: Event | None) -> bool:
        """What goes to every partition is counted, and rejected, by the first."""
        return self.partition != 0 and isinstance(event, Broadcast)

    def _tally(self, name: str, event: Event | None = None) -> None:
        if self._counted_elsewhere(event):
            return
        self._count[name] = self._count.get(name, 0) + 1
