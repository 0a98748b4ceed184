"""One partition: fold records of its log into rows and outputs.

The fold of one record, in this order and for these reasons:

1. decode        what cannot be read is a dead letter and nothing else
2. clock         the partition's now follows arrival (wall) or ticks and event time (log): time is part of the log
3. duplicates    before any agent: a repeat must change nothing, a conflict must not be half applied
4. agents        on copies, so that a rejection leaves no trace
5. accept        changes, wakes and the event's mark together

Decisions are taken per record; only the encoding of changed rows and positions is once per batch.
"""

from base64 import b64encode
from collections.abc import Iterable, Sequence
from contextlib import suppress
from hashlib import sha256
from traceback import extract_tb
from typing import Any, NamedTuple

import msgspec

from agents.calendar import Calendar
from agents.pipeline import asked_by, handle
from agents.reader import Context
from agents.turn import Turn
from engine.bus.single import Commit, Output, Record, Topic
from engine.core.events import (
    EVENT_TYPES,
    Broadcast,
    ClockAccepted,
    ClockTicked,
    Event,
    FeedDeclared,
    content,
    decode,
    identity,
    type_name,
)
from engine.core.identify import identify
from engine.core.outcomes import DUPLICATE, Duplicate, Rejection
from engine.core.outputs import Alert, DeadLetter, Position, Signal, envelope
from engine.core.rules import Rules
from engine.core.values import HOUR, instant, moment, partition_of, row_key
from engine.runtime.clock import CLOCK_SOURCE
from engine.runtime.marker import Marker
from tables import keys
from tables.directory import pulse_key
from tables.event_marks import mark_key, marked_content, marked_identity, newest_arrival, pack_mark
from tables.feeds import Feeds
from tables.stock import STOCK
from tables.workspace import State, Workspace, too_heavy

LONGEST_KEPT_BYTES = 16 << 20
"""A refused record up to this length is kept in its dead letter: longer ones come out of compressed batches."""
SHORT_BYTES = 64 * 1024
"""A refused record up to this length is kept as text even where JSON escapes make it six times as long."""

TOO_LARGE = Rejection("row_too_large", "what the event would write is longer than a record or a transaction may be")

COUNTERS = {kind: f"events:{name}" for name, kind in EVENT_TYPES.items()}
"""The counter of each event type."""

Outcome = Rejection | Duplicate | None
"""What became of a record; None is applied."""


class Arrival(NamedTuple):
    """A record with what decoding made of it."""

    record: Record
    event: Event | Rejection


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
        self.feeds = Feeds.load(state, partition, partitions, marker.now)
        self._context = Context(self._space, rules, Calendar(), self.feeds, partition)
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
        self._outputs += [self._position(row, offset) for row, offset in self._touched.items()]
        changes = [*self._space.changes(), *((key, value) for key, value in self._seen.items())]
        packed = msgspec.msgpack.encode(self.marker)
        commit = Commit(self.partition, records, changes, self._outputs, self._index, packed, last + 1)
        return Step(commit, outcomes)

    def committed(self) -> None:
        """The last step is durable."""
        self._space.committed()
        self._seen, self._touched, self._index, self._outputs = {}, {}, [], []

    def due(self, now: int) -> bool:
        """Whether a tick at `now` would change something: a wake is due, a feed becomes stale or fresh again."""
        return self._space.due(self.partition, now) or self.feeds.due(now)

    def _prefetch(self, arrivals: Sequence[Arrival]) -> Iterable[tuple[bytes, bytes | None]]:
        """Read in one go what the records will ask for: the names of events, and their rows."""
        names: list[bytes] = []
        wanted: dict[bytes, None] = {}
        for _, event in arrivals:
            if isinstance(event, Rejection):
                names.append(mark_key(self.partition, b""))
                continue
            names.append(mark_key(self.partition, identity(event)))
            for key in asked_by(event):
                wanted[key] = None
        self._space.prefetch(list(wanted))
        return zip(names, self._state.get_many(names), strict=True)

    # the fold of one record -------------------------------------------------------------------------------------------

    def _fold(self, record: Record, event: Event | Rejection, name: bytes, seen: bytes | None) -> Outcome:
        if isinstance(event, Rejection):
            return self._refuse(record, None, event)
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
            return self._refuse(record, event, refused)
        if refused is DUPLICATE:
            self._tally("duplicates", event)
            return DUPLICATE
        turn = Turn(self._context, event, at, now, marked_identity(name))
        refused = self._handle(turn)
        if refused is not None:
            return self._refuse(record, event, refused)
        turn.set_wakes()
        outputs = [_output(*effect, turn) for effect in turn.effects] if turn.effects else []
        if too_heavy(turn.writes, [output.value for output in outputs], len(record.value)):
            return self._refuse(record, event, TOO_LARGE)
        self._accept(turn, record.offset, outputs)
        if type(event) is not ClockTicked:
            self._seen[name] = pack_mark(says, record.arrived_at)
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
        if seen is None or record.arrived_at - newest_arrival(seen) > self._rules.duplicate_window:
            return None
        if marked_content(seen) == says:
            return DUPLICATE
        return Rejection("conflict", "an event with this source and id, but other content, was taken before")

    def _accept(self, turn: Turn, offset: int, outputs: list[Output]) -> None:
        for row in turn.sites:
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
            self._index += [(row.decode(), offset) for row in turn.sites]
        for effect, _, data in turn.effects:
            self._tally_effect(effect, data)
        self._outputs += outputs

    def _tally_effect(self, effect: str, data: Signal | Alert) -> None:
        if isinstance(data, Alert):
            self._tally(f"{effect}:{data.kind}")
        # A revision that only records an answer is counted as the event that it answers with.
        elif effect != "signal.amended" or data.status == "open":
            self._tally(f"{effect}:{data.disposition}")

    def _remember_arrivals(self) -> None:
        """Carry the last arrivals of feeds to their rows, so that they obey the same commit."""
        for name, last in self._arrivals.items():
            if last > self.feeds.pulses[name].last:
                self._space.accept({pulse_key(self.partition, name): self.feeds.arrived(name, last)})
        self._arrivals = {}

    # outputs ----------------------------------------------------------------------------------------------------------

    def _position(self, row: bytes, offset: int) -> Output:
        stock = self._space.require(STOCK + row)
        sku, location = keys.names(row)
        position = Position(
            sku=sku,
            location=location,
            available=stock.available,
            held=stock.held,
            on_hand=stock.available + stock.held,
            reserved=stock.reserved,
            sellable=stock.sellable,
            on_order=stock.on_order,
            in_transit=stock.in_transit,
            position=stock.position,
            version=stock.version,
            updated=moment(stock.updated),
        )
        name = f"{sku}@{location}"
        value = envelope("position.changed", f"{name}/{self.partition}-{offset}", stock.updated, position)
        key = row.decode()
        return Output("positions", key, key, value, "position.changed")

    def _refuse(self, record: Record, event: Event | None, refused: Rejection) -> Rejection:
        if self._counted_elsewhere(event):
            return refused
        self._tally(f"dead_letters:{refused.reason}")
        name = f"{record.partition}-{record.offset}"
        source, event_id = (event.source, event.id) if event else identify(record.value)
        letter = DeadLetter(
            id=name,
            reason=refused.reason,
            detail=_said_of(record.value) + refused.detail,
            place=f"stockline.events/{record.partition}/{record.offset}",
            arrived=moment(record.arrived_at),
            event_id=event_id,
            event_source=source,
            **_exact(record.value),
        )
        value = envelope("event.refused", name, record.arrived_at, letter, event)
        self._outputs.append(Output("dead-letters", source or "", name, value, "event.refused"))
        return refused

    def _counted_elsewhere(self, event: Event | None) -> bool:
        """What goes to every partition is counted, and refused, by the first."""
        return self.partition != 0 and isinstance(event, Broadcast)

    def _tally(self, name: str, event: Event | None = None) -> None:
        if self._counted_elsewhere(event):
            return
        self._count[name] = self._count.get(name, 0) + 1


def _output(kind: str, revision: int, data: Signal | Alert, turn: Turn) -> Output:
    """A revision of a signal or alert as it is published."""
    value = envelope(kind, f"{data.id}/{revision}", turn.now, data, turn.event)
    topic: Topic = "signals" if isinstance(data, Signal) else "alerts"
    return Output(topic, row_key(data.sku, data.location), data.id, value, kind)


def _said_of(value: bytes) -> str:
    """What a dead letter says in place of bytes that no record has room for."""
    if len(value) <= LONGEST_KEPT_BYTES:
        return ""
    return f"its {len(value)} bytes are too many to be kept here, SHA-256 {sha256(value).hexdigest()}; "


def _exact(value: bytes) -> dict[str, Any]:
    """The exact bytes of a record, as text where they are text and JSON does not make it much longer."""
    if len(value) > LONGEST_KEPT_BYTES:
        return {}
    with suppress(UnicodeDecodeError):
        text = value.decode()
        if len(value) < SHORT_BYTES or len(msgspec.json.encode(text)) < 1.4 * len(value):
            return {"raw": text}
    return {"raw_base64": b64encode(value).decode()}


MAX_SKUS_REMEMBERED = 200_000


class Decoder:
    """Reads records of a log that others may write: what lies under a wrong key or in a wrong partition is refused.

    The order of a sku is that of its partition; an event elsewhere would be folded beside it.
    """

    def __init__(self, partitions: int) -> None:
        self._partitions = partitions
        self._known: dict[str, int] = {}

    def arrivals(self, records: Sequence[Record]) -> list[Arrival]:
        """The records with their events."""
        return [Arrival(record, self._event(record)) for record in records]

    def _event(self, record: Record) -> Event | Rejection:
        event = decode(record.value)
        if isinstance(event, Rejection | Broadcast):
            return event
        sku: str = event.data.sku
        if record.key != sku:
            return Rejection("wrong_key", f"the record's key is not the event's sku {sku!r}")
        partition = self._known.get(sku)
        if partition is None:
            if len(self._known) > MAX_SKUS_REMEMBERED:
                self._known.clear()
            partition = self._known[sku] = partition_of(sku, self._partitions)
        if record.partition != partition:
            return Rejection("wrong_partition", f"{sku!r} belongs in partition {partition} of {self._partitions}")
        return event
