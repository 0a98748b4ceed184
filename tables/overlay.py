"""Ordered reads of rows that are partly committed and partly only written: what is written lies over what is stored."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from tables.table import Key

T = TypeVar("T")
Pair = tuple[Key[T], T]


def overlay(
    stored: Iterator[Pair[T]], written: Iterable[Key[T]], row_of: Callable[[Key[T]], T | None], reverse: bool
) -> Iterator[Pair[T]]:
    """Merge two ordered sources of (key, row) into one, lazily.

    Args:
        stored: the pairs below, in order.
        written: the keys above, in the same order; a key may stand in both.
        row_of: the row that was written under a key, None where it was deleted.
        reverse: the order is descending.

    A caller that stops early costs no more than what it has taken.
    """
    above = iter(written)
    key = next(above, None)
    for stored_key, stored_row in stored:
        while key is not None and (key > stored_key if reverse else key < stored_key):
            row = row_of(key)
            if row is not None:
                yield key, row
            key = next(above, None)
        if key != stored_key:
            yield stored_key, stored_row
        elif key is not None:
            row = row_of(key)
            if row is not None:
                yield key, row
            key = next(above, None)
    while key is not None:
        row = row_of(key)
        if row is not None:
            yield key, row
        key = next(above, None)
