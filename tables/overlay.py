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
    for pair in stored:
        is_replaced = False
        while key is not None and (key == pair[0] or (key > pair[0]) == reverse):
            is_replaced = key == pair[0]
            row = row_of(key)
            if row is not None:
                yield key, row
            key = next(above, None)
        if not is_replaced:
            yield pair
    while key is not None:
        row = row_of(key)
        if row is not None:
            yield key, row
        key = next(above, None)
