"""The order of a list: each thing gets one 64-bit key, so that a page is a partition and a deep page one fast sort.

A key is made of the ranks of the fields that order the list, the first in the highest bits, and of the rank of the
thing's name in the lowest, which makes it unique and leads back to the thing. Sorting bare unsigned integers takes a
tenth of the time of sorting by several arrays (`docs/decisions/0009-columns-in-numpy.md`).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.columns.column import Slots
from engine.columns.kinds import Numbers

Keys = NDArray[np.uint64]
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

    The first page is partitioned out of the keys; only when a second page is asked for are all of them sorted.
    """

    def __init__(self, keys: Keys, by_rank: Slots, descending: bool) -> None:
        """Make the selection of all things whose `keys` are given.

        Args:
            keys: see `keys_of`.
            by_rank: the slots in the order of their names.
            descending: whether names are ordered from the greatest.
        """
        self._keys = keys
        self._by_rank = by_rank
        self._descending = descending
        self._reads = 0

    def __len__(self) -> int:
        return len(self._keys)

    @property
    def size(self) -> int:
        """About how many bytes it takes."""
        return self._keys.nbytes

    def page(self, offset: int, limit: int) -> Slots:
        """The slots from `offset` on, at most `limit`, in order."""
        stop = min(offset + limit, len(self._keys))
        if offset >= stop:
            return self._by_rank[:0]
        self._reads += 1
        if self._reads == 1:
            parted = np.partition(self._keys, sorted({offset, stop - 1}))
            return self._slots(np.sort(parted[offset:stop]))
        if self._reads == 2:
            self._keys = np.sort(self._keys)
        return self._slots(self._keys[offset:stop])

    def all(self) -> Slots:
        """All slots in order."""
        return self._slots(np.sort(self._keys))

    def _slots(self, keys: Keys) -> Slots:
        ranks = (keys & np.uint64((1 << _bits(len(self._by_rank))) - 1)).astype(np.int64)
        return self._by_rank[len(self._by_rank) - 1 - ranks if self._descending else ranks]


def keys_of(parts: list[Part], name_ranks: Numbers, names: int, descending: bool) -> Keys:
    """The keys of some things.

    Args:
        parts: the fields that order the list, the first before the next.
        name_ranks: the rank of each thing's name.
        names: how many names there are.
        descending: whether names are ordered from the greatest.
    """
    name_bits = _bits(names)
    ranks = name_ranks.astype(np.uint64)
    if descending:
        ranks = np.uint64(max(names - 1, 0)) - ranks
    if not parts:
        return ranks
    keys = _from_part(parts[0])
    for part in parts[1:]:
        keys = _joined(keys, _from_part(part), KEY_BITS - name_bits)
    if keys.bits + name_bits > KEY_BITS:
        keys = _dense(keys)
    return (keys.keys << np.uint64(name_bits)) | ranks


def _from_part(part: Part) -> _Keys:
    """The ranks of a part from 0 on; where some are missing, 0 is theirs."""
    wide = part.ranks.astype(np.int64, copy=False)
    least, greatest = (int(wide.min()), int(wide.max())) if len(wide) else (0, 0)
    if least == part.missing < greatest:
        known = wide != part.missing
        least = int(wide[known].min()) - 1
        wide = np.where(known, wide, least)
    # The difference of two signed integers may need 64 bits; modulo 2^64 it is right.
    keys = wide.view(np.uint64) - np.uint64(least % 2**64)
    span = greatest - least
    return _Keys(np.uint64(span) - keys if part.descending else keys, span.bit_length())


def _joined(first: _Keys, second: _Keys, most: int) -> _Keys:
    """Keys that order by `first`, then by `second`, in at most `most` bits."""
    if first.bits + second.bits > most:
        first = _dense(first)
    if first.bits + second.bits > most:
        second = _dense(second)
    return _Keys((first.keys << np.uint64(second.bits)) | second.keys, first.bits + second.bits)


def _dense(keys: _Keys) -> _Keys:
    """The same order in the fewest bits: equal keys get one number, and the next key the next."""
    order = np.argsort(keys.keys)
    ordered = keys.keys[order]
    steps = np.zeros(len(ordered), np.uint64)
    steps[1:] = ordered[1:] != ordered[:-1]
    dense = np.empty_like(steps)
    dense[order] = np.cumsum(steps, dtype=np.uint64)
    return _Keys(dense, _bits(int(steps.sum()) + 1))


def _bits(count: int) -> int:
    """How many bits the numbers below `count` need."""
    return max(count - 1, 0).bit_length()
