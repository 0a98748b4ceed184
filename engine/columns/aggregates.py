"""Counts, sums and bounds of the things that a query asks for, by up to two fields, for charts."""

from decimal import Decimal
from typing import Any, NamedTuple

import numpy as np
from msgspec import UNSET, Struct, UnsetType
from numpy.typing import NDArray

from engine.columns.column import At, Column
from engine.columns.kinds import Kind, Numbers, Value
from engine.columns.query import Query
from engine.columns.table import ColumnTable

Groups = NDArray[np.int64]
"""The number of its group for each thing."""
Figures = list[Value]
"""One figure for each group; None where no thing of it has a value."""

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


def aggregate(table: ColumnTable, asked: Aggregation) -> list[Group]:
    """All groups, those with the greatest first sum first; without a sum, those of the most things."""
    mask = table.mask(asked.query)
    at = slice(0, len(mask)) if mask.all() else np.flatnonzero(mask)
    groups, keys = _grouped([table.columns[field] for field in asked.by], at, int(mask.sum()))
    counts = np.bincount(groups, minlength=len(keys)).tolist()
    sums, least, greatest = (
        [(field, function(table.columns[field], at, groups, len(keys))) for field in fields]
        for fields, function in ((asked.sums, _sums), (asked.least, _least), (asked.greatest, _greatest))
    )
    found = []
    for index, key in enumerate(keys):
        group = Group(dict(zip(asked.by, key, strict=True)), counts[index])
        for name, figures in (("sum", sums), ("min", least), ("max", greatest)):
            if figures:
                setattr(group, name, {field: values[index] for field, values in figures})
        found.append(group)
    first: Figures = sums[0][1] if sums else counts
    return [found[index] for index in sorted(range(len(found)), key=lambda index: _after_greater(first[index]))]


def _after_greater(figure: Value) -> tuple[bool, Decimal]:
    """A key that sorts descending, a missing figure last."""
    return figure is None, -Decimal(str(figure or 0))


def _grouped(columns: list[Column], at: At, count: int) -> tuple[Groups, list[tuple[Value, ...]]]:
    """The group of each of `count` things, and the values by which the groups differ, ascending."""
    groups = np.zeros(count, np.int64)
    keys: list[tuple[Value, ...]] = [()]
    for column in columns:
        kind = column.kind
        numbers, inverse = _distinct(column.read(at))
        values = [None if number == kind.missing else kind.value(number) for number in numbers.tolist()]
        together, groups = _distinct(groups * len(values) + inverse)
        keys = [(*keys[each // len(values)], values[each % len(values)]) for each in together.tolist()]
    return groups, keys


def _distinct(numbers: Numbers) -> tuple[Groups, Groups]:
    """The distinct numbers, ascending, and for each number the place of its equal; no sort where they lie close."""
    least, greatest = (int(numbers.min()), int(numbers.max())) if len(numbers) else (0, 0)
    if greatest - least > CLOSE + 4 * len(numbers):
        distinct, inverse = np.unique(numbers, return_inverse=True)
        return distinct.astype(np.int64), inverse
    shifted = numbers - least
    present = np.bincount(shifted) > 0
    return np.flatnonzero(present) + least, (np.cumsum(present) - 1)[shifted]


def _sums(column: Column, at: At, groups: Groups, count: int) -> Figures:
    """Exact sums: of the high and the low half of each number, whose sums a float still holds exactly."""
    kind, numbers = column.kind, column.read(at).astype(np.int64)
    known = numbers != kind.missing
    numbers = np.where(known, numbers, 0)
    low = np.bincount(groups, numbers & ((1 << LOW_BITS) - 1), count)
    high = np.bincount(groups, numbers >> LOW_BITS, count)
    some = np.bincount(groups, known, count)
    figures = zip(high.tolist(), low.tolist(), some.tolist(), strict=True)
    return [kind.value((int(top) << LOW_BITS) + int(rest)) if any_known else None for top, rest, any_known in figures]


def _least(column: Column, at: At, groups: Groups, count: int) -> Figures:
    return _bounds(column.kind, column.read(at), (groups, count), np.minimum)


def _greatest(column: Column, at: At, groups: Groups, count: int) -> Figures:
    return _bounds(column.kind, column.read(at), (groups, count), np.maximum)


def _bounds(kind: Kind, numbers: Numbers, grouped: tuple[Groups, int], bound: np.ufunc) -> Figures:
    groups, count = grouped
    known = np.flatnonzero(numbers != kind.missing)
    chosen, of = numbers[known].astype(np.int64), groups[known]
    order = np.argsort(of, kind="stable")
    starts = np.searchsorted(of[order], np.arange(count))
    figures: Figures = [None] * count
    present = np.unique(of)
    for group, number in zip(present.tolist(), bound.reduceat(chosen[order], starts[present]).tolist(), strict=True):
        figures[group] = kind.value(number)
    return figures
