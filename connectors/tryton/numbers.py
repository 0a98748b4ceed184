"""A set of record ids, kept as ranges: the ids of an ERP's finished records have few gaps, so it stays small.

Written as text, it is a part of a position: "1-40,44" holds 41 ids.
"""

from bisect import bisect_right
from collections.abc import Iterator
from typing import Self


class NumberSet:
    """Whole numbers; `text` gives its written form, `parse` reads it."""

    def __init__(self) -> None:
        self._firsts: list[int] = []
        self._lasts: list[int] = []

    @classmethod
    def parse(cls, text: str) -> Self:
        """The set that `text` is written from. Raises `ValueError` where it is none."""
        numbers = cls()
        for part in filter(None, text.split(",")):
            first, _, last = part.partition("-")
            numbers._firsts.append(int(first))
            numbers._lasts.append(int(last or first))
        return numbers

    def text(self) -> str:
        """The written form."""
        return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in zip(self._firsts, self._lasts, strict=True))

    def __contains__(self, number: int) -> bool:
        place = bisect_right(self._firsts, number) - 1
        return place >= 0 and number <= self._lasts[place]

    def __iter__(self) -> Iterator[int]:
        for first, last in zip(self._firsts, self._lasts, strict=True):
            yield from range(first, last + 1)

    def add(self, number: int) -> None:
        """Put a number in; it joins the ranges that it touches."""
        if number in self:
            return
        place = bisect_right(self._firsts, number)
        joins_left = place > 0 and self._lasts[place - 1] == number - 1
        joins_right = place < len(self._firsts) and self._firsts[place] == number + 1
        if joins_left and joins_right:
            self._lasts[place - 1] = self._lasts.pop(place)
            del self._firsts[place]
        elif joins_left:
            self._lasts[place - 1] = number
        elif joins_right:
            self._firsts[place] = number
        else:
            self._firsts.insert(place, number)
            self._lasts.insert(place, number)

    def discard(self, number: int) -> None:
        """Take a number out, where it is in."""
        if number not in self:
            return
        place = bisect_right(self._firsts, number) - 1
        first, last = self._firsts.pop(place), self._lasts.pop(place)
        for a, b in reversed([(first, number - 1), (number + 1, last)]):
            if a <= b:
                self._firsts.insert(place, a)
                self._lasts.insert(place, b)
