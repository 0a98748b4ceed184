"""Counts, sums and bounds of the things that a query asks for, by up to two fields, for charts."""

from typing import Any, NamedTuple

import numpy as np
from msgspec import UNSET, Struct, UnsetType
from numpy.typing import NDArray

from engine.columns.column import At, Column
from engine.columns.kinds import Kind, Numbers, Value
from engine.columns.query import Query
from engine.columns.table import ColumnTable

Cells = NDArray[np.intp]
"""The number of its cell for each thing; a cell is a group, or one that has no thing."""

LOW_BITS = 32
CLOSE = 4096


class Aggregation(NamedTuple):
    """What is asked of a table: the things of `query`, grouped by `by`, with sums, least and greatest values."""

    query: Query
    by: tuple[str, ...]
    sums: tuple[str, ...] = ()
    least: tuple[str, ...] = ()
    greatest: tuple[str, ...] = ()


class Group(Struct, omit_defaults=True):
    """Things that are equal in the fields of `group`: how many they are, and what was asked of their other fields."""

    # msgspec describes no union of texts and dates, so the values are of any type.
    group: dict[str, Any]
    count: int
    sum: dict[str, Any] | UnsetType = UNSET
    min: dict[str, Any] | UnsetType = UNSET
    max: dict[str, Any] | UnsetType = UNSET


class _Grouped(NamedTuple):
    """How things are grouped.

    Attributes:
        cells: the cell of each thing.
        groups: the cells that have things.
        counts: how many things each group has.
        keys: for each field the number of its value in each group.
    """

    cells: Cells
    groups: Cells
    counts: NDArray[np.int64]
    keys: list[Numbers]


class _Figures(NamedTuple):
    """One figure for each group: its number, and whether any thing of the group has a value."""

    kind: Kind
    numbers: NDArray[Any]
    known: NDArray[np.bool_]

    def value(self, group: int) -> Value:
        return self.kind.value(int(self.numbers[group])) if self.known[group] else None


def aggregate(table: ColumnTable, asked: Aggregation, limit: int) -> tuple[list[Group], int]:
    """The first groups and how many there are: those with the greatest first sum first; without one the most things.

    Among equals the values of the groups decide, ascending. Only groups that are told are made of more than integers.
    """
    mask = table.mask(asked.query)
    at = slice(0, len(mask)) if mask.all() else np.flatnonzero(mask)
    columns = table.columns
    grouped = _grouped([columns[field] for field in asked.by], at, int(mask.sum()))
    sums = {field: _sums(columns[field], at, grouped) for field in asked.sums}
    least = {field: _bounds(columns[field], at, grouped, np.minimum) for field in asked.least}
    greatest = {field: _bounds(columns[field], at, grouped, np.maximum) for field in asked.greatest}
    kinds = [columns[field].kind for field in asked.by]
    order = _order([kind.ranked(key) for kind, key in zip(kinds, grouped.keys, strict=True)], grouped, sums)
    found = []
    for index in order[:limit].tolist():
        keys = [_value(kind, int(key[index])) for kind, key in zip(kinds, grouped.keys, strict=True)]
        group = Group(dict(zip(asked.by, keys, strict=True)), int(grouped.counts[index]))
        for name, figures in (("sum", sums), ("min", least), ("max", greatest)):
            if figures:
                setattr(group, name, {field: of.value(index) for field, of in figures.items()})
        found.append(group)
    return found, len(order)


def _value(kind: Kind, number: int) -> Value:
    return None if number == kind.missing else kind.value(number)


def _order(ranks: list[Numbers], grouped: _Grouped, sums: dict[str, _Figures]) -> NDArray[np.intp]:
    """The groups in their order: by the first sum, descending, a missing one last, then by their values."""
    by_value = np.lexsort(ranks[::-1]) if ranks else np.arange(len(grouped.groups))
    first = next(iter(sums.values()), None)
    figures = grouped.counts if first is None else first.numbers
    order = by_value[np.argsort(-figures[by_value], kind="stable")]
    if first is None:
        return order
    known = first.known[order]
    return np.concatenate([order[known], order[~known]])


def _grouped(columns: list[Column], at: At, count: int) -> _Grouped:
    """The groups of `count` things by the values of some columns."""
    cells, width = np.zeros(count, np.intp), 1
    fields: list[Numbers] = []
    for column in columns:
        numbers, places = _placed(column.read(at))
        cells, width = cells * len(numbers) + places if fields else places, width * len(numbers)
        fields.append(numbers)
    if width <= CLOSE + 4 * count:
        counted = np.bincount(cells, minlength=width)
        # Without a field there is one group, also of nothing.
        groups = np.flatnonzero(counted) if columns else np.zeros(1, np.intp)
        there = groups
    else:
        there, cells = np.unique(cells, return_inverse=True)
        groups, counted = np.arange(len(there)), np.bincount(cells)
    keys: list[Numbers] = []
    for numbers in reversed(fields):
        there, places = np.divmod(there, len(numbers))
        keys.insert(0, numbers[places])
    return _Grouped(cells, groups, counted[groups], keys)


def _placed(numbers: Numbers) -> tuple[Numbers, Cells]:
    """Numbers, ascending, and for each that is given its place among them; no sort where they lie close."""
    least, greatest = (int(numbers.min()), int(numbers.max())) if len(numbers) else (0, -1)
    if greatest - least > CLOSE + 4 * len(numbers):
        distinct, places = np.unique(numbers, return_inverse=True)
        return distinct.astype(np.int64), places
    # Counted from 0: the end of a range up to the greatest of 64 bits would be beyond them.
    return np.arange(greatest - least + 1) + least, np.subtract(numbers, least, dtype=np.intp)


def _sums(column: Column, at: At, grouped: _Grouped) -> _Figures:
    """Exact sums: in 64 bits where they certainly fit, else of the high and the low half of each number."""
    numbers = column.read(at).astype(np.int64, copy=False)
    known = numbers != column.kind.missing
    numbers = np.where(known, numbers, 0)
    most = max(int(numbers.max()), -int(numbers.min())) if len(numbers) else 0
    if most * len(numbers) < 2**63:
        totals = _gathered(np.add, numbers, grouped, 0)
    else:
        high, low = (
            _gathered(np.add, half, grouped, 0) for half in (numbers >> LOW_BITS, numbers & (1 << LOW_BITS) - 1)
        )
        totals = high.astype(object) * 2**LOW_BITS + low
    return _Figures(column.kind, totals, _any_known(known, grouped))


def _bounds(column: Column, at: At, grouped: _Grouped, bound: np.ufunc) -> _Figures:
    numbers = column.read(at).astype(np.int64, copy=False)
    known = numbers != column.kind.missing
    # What has no value is beyond all that have one.
    beyond = 2**63 - 1 if bound is np.minimum else -(2**63)
    found = _gathered(bound, np.where(known, numbers, beyond), grouped, beyond)
    return _Figures(column.kind, found, _any_known(known, grouped))


def _gathered(function: np.ufunc, numbers: NDArray[np.int64], grouped: _Grouped, first: int) -> NDArray[np.int64]:
    """The function of the numbers of each group, which begins with `first`."""
    found = np.full(int(grouped.groups[-1]) + 1 if len(grouped.groups) else 0, first, np.int64)
    function.at(found, grouped.cells, numbers)
    return found[grouped.groups]


def _any_known(known: NDArray[np.bool_], grouped: _Grouped) -> NDArray[np.bool_]:
    """For each group whether any thing of it has a value."""
    if known.all():
        return grouped.counts > 0
    missing = np.bincount(grouped.cells[~known], minlength=int(grouped.groups[-1]) + 1)
    return grouped.counts > missing[grouped.groups]
