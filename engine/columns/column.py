"""Columns of numbers: those that are written, those of another thing, and those that follow from others."""

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from engine.columns.kinds import Kind, Numbers, TextKind, Value
from engine.columns.query import Condition
from engine.columns.texts import Mask

Slots = NDArray[np.int32]
"""Numbers of things in their table."""
At = slice | Numbers
"""Which things of a table are read: a slice of all of them, or some by number."""


class Column(Protocol):
    """One field of all things of a table.

    Attributes:
        kind: how its values are kept.
    """

    kind: Kind

    def read(self, at: At) -> Numbers:
        """The numbers of some things; the caller must not change them."""


class Stored:
    """A column that is written."""

    def __init__(self, kind: Kind, first: int | None = None) -> None:
        """Make a column of a kind; before it is written, a thing has the number `first`, or none."""
        self.kind = kind
        self._first = kind.missing if first is None else first
        self._numbers = self._empty(0)

    def read(self, at: At) -> Numbers:
        """The numbers of some things; the caller must not change them."""
        # `take` is half as fast again as an index.
        return self._numbers[at] if isinstance(at, slice) else self._numbers.take(at)

    def make_room(self, length: int) -> None:
        """Let the column have at least `length` things; new ones are missing."""
        room = len(self._numbers)
        if room < length:
            self._numbers = np.concatenate([self._numbers, self._empty(max(length - room, room // 2))])

    def _empty(self, length: int) -> Numbers:
        if self.kind.wide:
            return np.full(length, self._first, np.int64)
        return np.full(length, self._first, np.int32)

    def keep(self, slots: Slots) -> None:
        """Keep only some things, which get the numbers of their places, and of texts of its own only theirs."""
        numbers = self._numbers[slots]
        if isinstance(self.kind, TextKind) and not self.kind.shared:
            used, places = np.unique(numbers, return_inverse=True)
            known, self.kind = self.kind.texts.known, TextKind()
            codes = [-1 if code == -1 else self.kind.texts.code(known[code]) for code in used.tolist()]
            numbers = np.array(codes, np.int32)[places]
        self._numbers = numbers

    def write(self, slots: Sequence[int] | Slots, values: Sequence[object]) -> None:
        """Set the values of some things."""
        self._numbers[slots] = self.kind.numbers(values)

    def write_one(self, slot: int, value: object) -> None:
        """Set the value of one thing."""
        self._numbers[slot] = self.kind.number(value)

    def read_one(self, slot: int) -> Value:
        """The value of one thing."""
        number = int(self._numbers[slot])
        return None if number == self.kind.missing else self.kind.value(number)

    def add(self, slot: int, more: int) -> None:
        """Add to the number of one thing."""
        self._numbers[slot] += more


class Joined:
    """A column of another table, whose slot for a thing is the code of the thing's text, such as its sku."""

    def __init__(self, code: Column, other: Stored) -> None:
        self.kind = other.kind
        self._code, self._other = code, other

    def read(self, at: At) -> Numbers:
        """The numbers of some things; the caller must not change them."""
        codes = self._code.read(at)
        if len(codes):
            self._other.make_room(int(codes.max()) + 1)
        return self._other.read(codes)


class Derived:
    """A column that is computed from others whenever it is read."""

    def __init__(self, kind: Kind, compute: Callable[[At], Numbers]) -> None:
        self.kind = kind
        self.read = compute


def values_of(column: Column, at: At) -> list[Value]:
    """The values of some things, JSON-ready; None where one is missing."""
    kind = column.kind
    value, missing, numbers = kind.value, kind.missing, column.read(at).tolist()
    if value is int:
        return [None if number == missing else number for number in numbers]
    return [None if number == missing else value(number) for number in numbers]


def holds(column: Column, condition: Condition, at: At) -> Mask:
    """For some things whether a condition on the column holds."""
    if condition.relation == "is" and isinstance(column.kind, TextKind):
        return column.kind.among(column.read(at), condition.values)
    ranks = column.kind.ranked(column.read(at))
    low, high = column.kind.span(condition.values[0])
    if condition.relation == "min":
        reached: Mask = ranks >= max(low, column.kind.missing + 1)
        return reached
    if condition.relation == "max":
        passed: Mask = (ranks <= high) & (ranks != column.kind.missing)
        return passed
    found: Mask = (ranks >= low) & (ranks <= high)
    for value in condition.values[1:]:
        low, high = column.kind.span(value)
        found |= (ranks >= low) & (ranks <= high)
    return found
