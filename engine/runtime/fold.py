"""One partition: fold records of its log into rows and outputs.

The fold of one record, in this order and for these reasons:

1. decode        what cannot be read is a dead letter and nothing else
2. clock         the partition's now follows arrival (wall) or ticks and event time (log): time is part of the log
3. duplicates    before any agent: a repeat must change nothing, a conflict must not be half applied
4. agents        on copies, so that a rejection leaves no trace
5. accept        changed rows, wakes and the event's mark together

Decisions are taken per record; only the encoding of changed rows and positions is once per batch.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from traceback import extract_tb
from typing import NamedTuple

import msgspec

from agents.calendar import Calendar
from agents.pipeline import asked_by, handle
from agents.reader import Context
from agents.turn import Turn
from engine.bus.single import Commit, Output, Record
from engine.core.events import (
    BROADCAST_TYPES,
    OTHER_KEYS,
    AnswerToDeadLetter,
    ClockAccepted,
    ClockTicked,
    Event,
    FeedDeclared,
    RecordRefused,
    content,
    identity,
    type_name,
)
from engine.core.outcomes import DUPLICATE, Duplicate, Rejection
from engine.core.rules import Rules
from engine.core.values import HOUR, instant, moment
from engine.runtime.arrivals import Arrival
from engine.runtime.clock import CLOCK_SOURCE
from engine.runtime.figures import Figures
from engine.runtime.marker import COUNTERS, Marker, effect_counter
from engine.runtime.publishing import answer_of, dead_letter_of, position_of, revisions_of
from engine.runtime.source_counts import SourcesOfPartition
from tables.directory import pulse_key
from tables.event_marks import mark_key, marked_content, marked_identity, newest_arrival, pack_mark
from tables.feeds import Feeds
from tables.stock import STOCK
from tables.workspace import State, Workspace, is_light, too_heavy

TOO_LARGE = Rejection("row_too_large", "what the event would write is longer than a record or a transaction may be")
CONFLICT = Rejection("conflict", "an event with this source and id, but other content, was taken before")

Outcome = Rejection | Duplicate | None
"""What became of a record; None is applied."""


class Step(NamedTuple):
    """The fold of some records: what to commit, and what became of each record."""

    commit: Commit
    outcomes: list[Outcome]


class Fold:
    """The fold of one partition. After an error in a commit a fold is of no use: make a new one from the bus."""

    def __init__(self, state: State, partition: int, partitions: int, marker: Marker, memory_bytes: int) -> None:
        self.partition = partition
        self.marker = marker
        self._rules = rules = marker.rules or Rules()
        self._most_ahead = rules.max_ahead_hours * HOUR
        self._duplicate_window = rules.duplicate_window
        self._state = state
        self._space = Workspace(state, memory_bytes)
        self.feeds = Feeds.load(state, partition, partitions, marker.now)
        self._context = Context(self._space, rules, Calendar(), self.feeds, partition)
        self.behind = False
        """Whether the last tick has left some of what was due to the next."""
        self._arrivals: dict[str, int] = {}
        """The last arrival of each declared feed that no pulse holds yet."""
        self._marks: dict[bytes, bytes | None] = {}
        """The event marks of the step, by key."""
        self._mark_prefix = mark_key(partition, b"")
        self._touched: dict[bytes, int] = {}
        """The offset of the last record that touched a row in the step."""
        self._moments: dict[int, datetime] = {}
        """The instants of the step's events as they were decoded: to make such a moment anew takes longer."""
        self._index: list[tuple[str, int]] = []
        self._outputs: list[Output] = []
        self._count = dict(marker.counters)
        self._figures = Figures(state, partition, marker.now)
        self._sources = SourcesOfPartition(state, partition, self.feeds.declared)

    def step(self, arrivals: Sequence[Arrival], append: bool) -> Step:
        """Fold records, the next of the log, into a commit. `append`: the records are new to the log."""
        marks = self._prefetch(arrivals)
        outcomes = [self._fold(one.record, one.event, *mark) for one, mark in zip(arrivals, marks, strict=True)]
        self._remember_arrivals()
        self._figures.carry(self._space, self.marker.now)
        self._sources.carry(self._space)
        last = arrivals[-1].record.offset if arrivals else self.marker.next_offset - 1
        self.marker = Marker(last + 1, self.marker.now, dict(self._count), self._rules, self.marker.rows)
        records = [arrival.record for arrival in arrivals] if append else []
        for row, offset in self._touched.items():
            stock = self._space.require(STOCK + row)
            updated = self._moments.get(stock.updated) or moment(stock.updated)
            self._outputs.append(position_of(row, stock, updated, f"{self.partition}-{offset}"))
        changes = [*self._space.changes(), *self._marks.items()]
        packed = msgspec.msgpack.encode(self.marker)
        commit = Commit(self.partition, records, changes, self._outputs, self._index, packed, last + 1)
        return Step(commit, outcomes)

    def committed(self) -> None:
        """The last step is durable."""
        self._space.committed()
        self._marks, self._touched, self._moments, self._index, self._outputs = {}, {}, {}, [], []

    def due(self, now: int) -> bool:
        """Whether a tick at `now` would change something: a wake is due, a feed becomes stale or fresh again."""
        return self._space.due(self.partition, now) or self.feeds.due(now)

    def _prefetch(self, arrivals: Sequence[Arrival]) -> Iterable[tuple[bytes, bytes | None]]:
        """Read at once the rows that the records will ask for, and the marks of their events: (key, mark or None)."""
        marks: list[bytes] = []
        wanted: dict[bytes, None] = {}
        for arrival in arrivals:
            event = arrival.event
            if isinstance(event, Rejection):
                marks.append(self._mark_prefix)
                continue
            marks.append(self._mark_prefix + identity(event))
            wanted.update(dict.fromkeys(asked_by(event)))
        self._space.prefetch(wanted)
        return zip(marks, self._state.get_many(marks), strict=True)

    # the fold of one record -------------------------------------------------------------------------------------------

    def _fold(self, record: Record, event: Event | Rejection, key: bytes, mark: bytes | None) -> Outcome:
        """Fold one record; `key` is that of the event's mark, and `mark` is what was committed under it."""
        # 1. Decode.
        if isinstance(event, Rejection):
            return self._reject(record, None, event)
        kind, at = type(event), instant(event.time)
        if kind in BROADCAST_TYPES:
            self._before_broadcast(kind)
        # 2. Clock. A duplicate is a sign of life too; an event from the future is none.
        early = self._too_early(record, event, at) if at > record.arrived_at or kind in BROADCAST_TYPES else None
        if early is not None:
            return self._reject(record, event, early)
        now = self._advance_clock(record, event, at)
        # 3. Duplicates.
        digest = b"" if kind is ClockTicked else content(event, at)
        mark = self._marks.get(key, mark)
        if mark is not None and record.arrived_at - newest_arrival(mark) <= self._duplicate_window:
            return self._repeat(record, event, marked_content(mark) == digest)
        # 4. Agents.
        turn = Turn(self._context, event, at, now, marked_identity(key))
        rejection = self._handle(turn)
        if rejection is not None:
            return self._reject(record, event, rejection)
        # 5. Accept.
        if (outputs := self._outputs_of(turn, len(record.value))) is None:
            return self._reject(record, event, TOO_LARGE)
        self._accept(turn, record, outputs)
        if kind is not ClockTicked:
            self._marks[key] = pack_mark(digest, record.arrived_at)
        return None

    def _before_broadcast(self, kind: type) -> None:
        if kind is ClockTicked or kind is FeedDeclared:
            # Both judge feeds by what has arrived before them, wherever the batch was cut.
            self._remember_arrivals()
        if kind is ClockTicked:
            self.behind = False

    def _too_early(self, record: Record, event: Event, at: int) -> Rejection | None:
        """Reject what claims to happen long after its arrival, and clocks that are not the engine's."""
        if at > record.arrived_at + self._most_ahead:
            detail = f"`time` is more than {self._rules.max_ahead_hours} hours after its arrival"
            return Rejection("time_in_future", detail)
        is_ours = isinstance(event, ClockAccepted) or (isinstance(event, ClockTicked) and self._rules.clock == "wall")
        if is_ours and event.source != CLOCK_SOURCE:
            return Rejection("reserved_type", f"the engine itself writes `{type_name(event)}`")
        return None

    def _advance_clock(self, record: Record, event: Event, at: int) -> int:
        """Advance the partition's clock to this event, record the arrival of its feed, and return the clock's value.

        A log clock stands still between its ticks, so that it shows the same in every partition.
        """
        marker, is_tick = self.marker, type(event) is ClockTicked
        is_wall = self._rules.clock == "wall" and not is_tick
        shown = record.arrived_at if is_wall else at
        now = shown if shown > marker.now else marker.now
        if is_wall or is_tick:
            marker.now = now
        if event.source in self.feeds.declared:
            self._arrivals[event.source] = max(now, self._arrivals.get(event.source, 0))
        return now

    def _repeat(self, record: Record, event: Event, is_same: bool) -> Outcome:
        """Count an event that was seen within the window with the same content; reject one with other content."""
        if not is_same:
            return self._reject(record, event, CONFLICT)
        if not self._counted_elsewhere(event):
            self._sources.repeated(event.source, record)
        self._tally("duplicates", event)
        self._tally(f"repeats:{type_name(event)}", event)
        return DUPLICATE

    def _handle(self, turn: Turn) -> Rejection | None:
        """Let the agents see the event. A fault of theirs costs this event only: its turn is dropped whole.

        It would repeat on every replay, so it must not stop the stream.
        """
        try:
            return handle(turn)
        except Exception as error:  # noqa: BLE001 - whatever it is, it would come again on every replay
            place = extract_tb(error.__traceback__)[-1]
            where = f"{place.name}, line {place.lineno}"
            return Rejection("internal_error", f"a fault of the engine, please report it: {error!r} in {where}")

    def _outputs_of(self, turn: Turn, event_bytes: int) -> Sequence[Output] | None:
        """What an event publishes, once its wakes are set; None where it writes more than a commit can hold."""
        turn.set_wakes()
        if not turn.effects and is_light(turn.writes, event_bytes):
            return ()
        outputs = revisions_of(turn)
        return None if too_heavy(turn.writes, [output.value for output in outputs], event_bytes) else outputs

    def _accept(self, turn: Turn, record: Record, outputs: Sequence[Output]) -> None:
        """Take over what an event has changed and what it publishes, and count it."""
        self._space.accept(turn.writes)
        self._outputs += outputs
        self._figures.add(turn.sums)
        for row in turn.sites:
            self._touched[row] = record.offset
        kind, time = type(turn.event), turn.event.time
        if time.tzinfo is UTC:
            self._moments[turn.at] = time
        if kind is ClockTicked or kind is FeedDeclared:
            self.feeds.learn(turn.writes)
        if kind is ClockTicked:
            self.feeds.ticked()
            self.behind = self.due(turn.now)
        else:
            if kind not in BROADCAST_TYPES or self.partition == 0:
                self._count[COUNTERS[kind]] = self._count.get(COUNTERS[kind], 0) + 1
                if kind is not RecordRefused:
                    self._sources.applied(turn.event.source, record, turn.now - turn.at)
            for row in turn.sites:
                self._index.append((row.decode(), record.offset))
        if kind in OTHER_KEYS:
            self._publish_said(turn, record)
        for effect, _, data in turn.effects:
            if (counter := effect_counter(effect, data, turn.ref)) is not None:
                self._tally(counter)

    def _publish_said(self, turn: Turn, record: Record) -> None:
        """Publish what an event says that changes no row: a dead letter, or what became of one."""
        event = turn.event
        if isinstance(event, RecordRefused):
            # The event is applied, so that a repeat is a duplicate; the record that it tells of is the dead letter.
            self._publish_dead_letter(record, event, Rejection(event.data.reason, event.data.detail))
        elif isinstance(event, AnswerToDeadLetter):
            self._outputs.append(answer_of(event, turn.now, f"{record.partition}-{record.offset}"))

    def _remember_arrivals(self) -> None:
        """Carry the last arrivals of feeds to their rows, so that they obey the same commit."""
        for name, last in self._arrivals.items():
            if last > self.feeds.pulses[name].last:
                self._space.accept({pulse_key(self.partition, name): self.feeds.arrived(name, last)})
        self._arrivals = {}

    def _reject(self, record: Record, event: Event | None, rejection: Rejection) -> Rejection:
        """Count a record that is rejected, and publish it as a dead letter."""
        if event is not None:
            self._tally(f"rejected:{type_name(event)}", event)
        self._publish_dead_letter(record, event, rejection)
        return rejection

    def _publish_dead_letter(self, record: Record, event: Event | None, rejection: Rejection) -> None:
        """Publish a record that is not taken; the first partition alone does so for a broadcast one."""
        if not self._counted_elsewhere(event):
            letter = dead_letter_of(record, event, rejection)
            self._tally(f"dead_letters:{rejection.reason}")
            self._sources.refused(letter.key, record, rejection.reason)
            self._outputs.append(letter)

    def _counted_elsewhere(self, event: Event | None) -> bool:
        """What goes to every partition is counted, and rejected, by the first."""
        return self.partition != 0 and type(event) in BROADCAST_TYPES

    def _tally(self, name: str, event: Event | None = None) -> None:
        if not self._counted_elsewhere(event):
            self._count[name] = self._count.get(name, 0) + 1
