"""The order of a list: each thing gets 64-bit keys, so that a page is a few partitions of bare integers.

A key is made of the ranks of the fields that order the list, the first in the highest bits, and of the rank of the
thing's name in the lowest, which makes it unique and leads back to the thing. What does not fit into 64 bits goes into
a second key, which is looked at only among things whose first keys are equal, as a radix sort from the highest digit
does. Partitioning bare unsigned integers takes a hundredth of the time of sorting by several arrays
(`docs/decisions/0009-columns-in-numpy.md`).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.columns.column import Slots
from engine.columns.kinds import Numbers

Keys = NDArray[np.uint64]
Levels = list[Keys]
"""The keys of all things, the first keys before the second; those of the last level are unique, and end in a rank."""
KEY_BITS = 64


class Part(NamedTuple):
    """What one field contributes to the keys: a rank for each thing, the number of missing ones, the direction."""

    ranks: Numbers
    missing: int
    descending: bool


class _Keys(NamedTuple):
    """Keys, and how many of their low bits are in use."""

    keys: Keys
    bits: int


class Selection:
    """The things of a list in their order, of which pages are read.

    The first page is partitioned out of the keys. Where one key holds the whole order, they are sorted when a second
    page is asked for; otherwise every page is partitioned.
    """

    def __init__(self, levels: Levels, by_rank: Slots, descending: bool) -> None:
        """Make the selection of all things whose keys are given.

        Args:
            levels: see `keys_of`.
            by_rank: the slots in the order of their names.
            descending: whether names are ordered from the greatest.
        """
        self._levels = levels
        self._by_rank = by_rank
        self._descending = descending
        self._reads = 0

    def __len__(self) -> int:
        return len(self._levels[-1])

    @property
    def size(self) -> int:
        """About how many bytes it takes."""
        return sum(keys.nbytes for keys in self._levels)

    def page(self, offset: int, limit: int) -> Slots:
        """The slots from `offset` on, at most `limit`, in order."""
        stop = min(offset + limit, len(self))
        if offset >= stop:
            return self._by_rank[:0]
        self._reads += 1
        if len(self._levels) > 1 or self._reads == 1:
            return self._slots(_between(self._levels, offset, stop))
        if self._reads == 2:
            self._levels = [np.sort(self._levels[0])]
        return self._slots(self._levels[0][offset:stop])

    def all(self) -> Slots:
        """All slots in order."""
        return self._slots(_sorted(self._levels))

    def _slots(self, keys: Keys) -> Slots:
        ranks = (keys & np.uint64((1 << _bits(len(self._by_rank))) - 1)).astype(np.int64)
        return self._by_rank[len(self._by_rank) - 1 - ranks if self._descending else ranks]


def keys_of(parts: list[Part], name_ranks: Numbers, names: int, descending: bool) -> Levels:
    """The keys of some things.

    Args:
        parts: the fields that order the list, the first before the next.
        name_ranks: the rank of each thing's name.
        names: how many names there are.
        descending: whether names are ordered from the greatest.
    """
    ranks = name_ranks.astype(np.uint64)
    if descending:
        ranks = np.uint64(max(names - 1, 0)) - ranks
    levels: list[_Keys] = []
    for keys in (*map(_from_part, parts), _Keys(ranks, _bits(names))):
        if levels and levels[-1].bits + keys.bits <= KEY_BITS:
            levels[-1] = _joined(levels[-1], keys)
        else:
            levels.append(keys)
    return [keys for keys, _ in levels]


def _from_part(part: Part) -> _Keys:
    """The ranks of a part from 0 on; where some are missing, 0 is theirs."""
    wide = part.ranks.astype(np.int64, copy=False)
    least, greatest = (int(wide.min()), int(wide.max())) if len(wide) else (0, 0)
    if least == part.missing < greatest:
        known = wide != part.missing
        least = int(np.where(known, wide, greatest).min()) - 1
        wide = np.where(known, wide, least)
    # The difference of two signed integers may need 64 bits; modulo 2^64 it is right.
    keys = wide.view(np.uint64) - np.uint64(least % 2**64)
    span = greatest - least
    return _Keys(np.uint64(span) - keys if part.descending else keys, span.bit_length())


def _joined(first: _Keys, second: _Keys) -> _Keys:
    """Keys that order by `first`, then by `second`."""
    if not first.bits:
        return second
    return _Keys((first.keys << np.uint64(second.bits)) | second.keys, first.bits + second.bits)


def _between(levels: Levels, start: int, stop: int) -> Keys:
    """The last keys of the things from place `start` on up to `stop`, in order."""
    if start >= stop:
        return levels[-1][:0]
    first = levels[0]
    # One place at a time: a partition around two is ten times as slow.
    parted = np.partition(first, stop - 1)[:stop]
    if len(levels) == 1:
        return np.sort(np.partition(parted, start)[start:])
    least, greatest = np.partition(parted, start)[start], parted[stop - 1]
    below, up_to = int((first < least).sum()), int((first <= least).sum())
    head = _between(_of(levels[1:], first == least), start - below, min(stop, up_to) - below)
    if least == greatest:
        return head
    inner = _sorted(_of(levels, (first > least) & (first < greatest)))
    tail = _between(_of(levels[1:], first == greatest), 0, stop - up_to - len(inner))
    return np.concatenate([head, inner, tail])


def _of(levels: Levels, mask: NDArray[np.bool_]) -> Levels:
    """The keys of some things only."""
    at = np.flatnonzero(mask)
    return [keys[at] for keys in levels]


def _sorted(levels: Levels) -> Keys:
    """The last keys of all things, in order."""
    return np.sort(levels[0]) if len(levels) == 1 else levels[-1][np.lexsort(levels[::-1])]


def _bits(count: int) -> int:
    """How many bits the numbers below `count` need."""
    return max(count - 1, 0).bit_length()
