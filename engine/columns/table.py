"""A table in columns: things by name, each in a slot of its own, with their selection by a query."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from engine.columns.column import At, Column, Slots, Stored, holds, values_of
from engine.columns.kinds import TextKind, Value
from engine.columns.order import Part, Selection, keys_of
from engine.columns.query import Position, Query
from engine.columns.texts import Mask, Texts

MOST_UNLISTED = 10_000
"""So many slots of things that are not listed are nothing to worry about."""


class ColumnTable:
    """The things of one table. Not safe for several threads: its owner holds a lock.

    A thing may have a slot before it is listed, because something that joins it came first. A thing that was deleted
    keeps its slot until `compact`.

    Attributes:
        columns: the columns by field, in the order in which they are shown.
        stored: the columns that are written, those of them and those that only join.
        searched: the fields in which a text is searched for.
        version: grows with every change; it is counted by who changes the table.
        listed: how many things are listed.
    """

    def __init__(
        self,
        columns: Mapping[str, Column],
        searched: Sequence[str],
        joining: Mapping[str, Stored] = MappingProxyType({}),
    ) -> None:
        """Make an empty table.

        Args:
            columns: the columns by field, in the order in which they are shown.
            searched: the fields in which a text is searched for.
            joining: columns that are written and not shown: they lead to what others show.
        """
        self.columns = columns
        self.searched = searched
        self.version = 0
        self.listed = 0
        self._names = Texts()
        self.stored = {name: column for name, column in columns.items() if isinstance(column, Stored)} | dict(joining)
        self._alive: Mask = np.zeros(0, np.bool_)

    # writing ----------------------------------------------------------------------------------------------------------

    def slots(self, names: Sequence[str]) -> list[int]:
        """The slots of things, which get one if they are new."""
        slots = self._names.codes(names)
        length = len(self._names)
        if len(self._alive) < length:
            more = np.zeros(max(length - len(self._alive), len(self._alive) // 2), np.bool_)
            self._alive = np.concatenate([self._alive, more])
            for column in self.stored.values():
                column.make_room(len(self._alive))
        return slots

    def unlisted(self, slots: Slots) -> NDArray[np.intp]:
        """The places in `slots` of those things that are not listed."""
        return np.flatnonzero(~self._alive[slots])

    def enlist(self, slots: Sequence[int] | Slots) -> None:
        """List things, which may be listed already."""
        self.listed += len(slots) - int(self._alive[slots].sum())
        self._alive[slots] = True

    def unlist(self, names: Sequence[str]) -> None:
        """Let things be listed no more; names that are not known are passed over."""
        slots = [slot for name in names if (slot := self._names.find(name)) is not None]
        if not slots:
            return
        self.listed -= int(self._alive[slots].sum())
        self._alive[slots] = False

    @property
    def is_sparse(self) -> bool:
        """Whether most slots are of things that are not listed."""
        return len(self._names) > MOST_UNLISTED + 2 * self.listed

    def compact(self) -> None:
        """Give up the slots of all things that are not listed: a slot that was given out before means nothing now."""
        kept = np.flatnonzero(self._alive[: len(self._names)]).astype(np.int32)
        names, self._names = self.names(kept), Texts()
        self._names.codes(names)
        for column in self.stored.values():
            column.keep(kept)
        self._alive = np.ones(len(kept), np.bool_)
        self.version += 1

    # reading ----------------------------------------------------------------------------------------------------------

    def found(self, names: Sequence[str]) -> list[int | None]:
        """The slots of things by name; None where one is not listed."""
        slots = (self._names.find(name) for name in names)
        return [slot if slot is not None and self._alive[slot] else None for slot in slots]

    def listed_of(self, names: Sequence[str]) -> Slots:
        """The slots of those things by name that are listed."""
        return np.array([slot for slot in self.found(names) if slot is not None], np.int32)

    def names(self, slots: Slots) -> list[str]:
        """The names of things."""
        return [self._names.known[slot] for slot in slots.tolist()]

    def select(self, query: Query, after: Position | None = None) -> Selection:
        """The things that a query asks for, in order; with `after` only those that stand behind that position."""
        mask = self.mask(query)
        if after is not None:
            mask &= self._behind(query, after)
        # Reading a slice is several times as fast as reading by number.
        at: At = self._every() if mask.all() else np.flatnonzero(mask).astype(np.int32)
        ranks = self._names.ranks()[at]
        parts = []
        for field, descending in query.sorts:
            kind = self.columns[field].kind
            parts.append(Part(kind.ranked(self.columns[field].read(at)), kind.missing, descending))
        descending = query.by_name_descending
        return Selection(keys_of(parts, ranks, len(self._names), descending), self._names.order(), descending)

    def places(self, query: Query, slots: Slots) -> list[Position]:
        """Where things stand in the order of a query."""
        columns = [values_of(self.columns[field], slots) for field, _ in query.sorts]
        values: list[tuple[Value, ...]] = list(zip(*columns, strict=True)) if columns else [()] * len(slots)
        return [Position(each, name) for each, name in zip(values, self.names(slots), strict=True)]

    def mask(self, query: Query) -> Mask:
        """For every slot whether the query asks for its thing."""
        every = self._every()
        found = self._alive[every].copy()
        for condition in query.conditions:
            found &= holds(self.columns[condition.field], condition, every)
        if query.text is not None:
            found &= self._containing(query.text, every)
        return found

    def _every(self) -> At:
        return slice(0, len(self._names))

    def _containing(self, text: str, every: At) -> Mask:
        found = np.zeros(len(self._names), np.bool_)
        for field in self.searched:
            column = self.columns[field]
            if isinstance(column.kind, TextKind):
                # The last entry is that of a missing text.
                found |= np.append(column.kind.texts.containing(text), False).take(column.read(every))
        return found

    def _behind(self, query: Query, after: Position) -> Mask:
        """For every slot whether its thing stands behind a position in the order of a query."""
        low, high = self._names.span(after.name)
        ranks = self._names.ranks()
        behind = ranks < low if query.by_name_descending else ranks > high
        for (field, descending), value in zip(reversed(query.sorts), reversed(after.values), strict=True):
            kind = self.columns[field].kind
            found = kind.ranked(self.columns[field].read(self._every()))
            least, greatest = (kind.missing, kind.missing) if value is None else kind.span(value)
            behind = (found < least if descending else found > greatest) | (
                (found >= least) & (found <= greatest) & behind
            )
        return behind
