"""Texts by number: a column of texts holds small integers, and each distinct text is kept once."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from engine.core.values import NUL

Codes = NDArray[np.int32]
Mask = NDArray[np.bool_]

FEW = 256
"""Up to so many new texts are inserted into the order one by one; more of them are merged by a sort."""


class Texts:
    """Distinct texts, each with a code (from 0, in the order of their arrival), their order, and a search in them.

    Attributes:
        known: the texts by code.
    """

    def __init__(self) -> None:
        self.known: list[str] = []
        self._codes: dict[str | None, int] = {None: -1}
        self._order: Codes = np.empty(0, np.int32)
        self._ranks: Codes = np.empty(0, np.int32)
        self._folded = _Folded()

    def __len__(self) -> int:
        return len(self.known)

    def code(self, text: str) -> int:
        """The code of a text, which is given one if it is new."""
        code = self._codes.get(text)
        if code is None:
            code = self._codes[text] = len(self.known)
            self.known.append(text)
        return code

    def codes(self, texts: Sequence[str | None]) -> list[int]:
        """The codes of many texts; that of None is -1."""
        try:
            return list(map(self._codes.__getitem__, texts))
        except KeyError:
            return [-1 if text is None else self.code(text) for text in texts]

    def find(self, text: str) -> int | None:
        """The code of a text, or None where it is not known."""
        return self._codes.get(text)

    def order(self) -> Codes:
        """The codes in the order of their texts (by code points, as Python compares them)."""
        fresh = range(len(self._order), len(self.known))
        if not fresh:
            return self._order
        text_of = self.known.__getitem__
        if len(fresh) <= FEW:
            codes = sorted(fresh, key=text_of)
            places = [bisect_left(self._order, text_of(code), key=text_of) for code in codes]
            self._order = np.insert(self._order, places, codes)
        else:
            self._order = np.array(sorted([*self._order.tolist(), *fresh], key=text_of), np.int32)
        self._ranks = np.empty_like(self._order)
        self._ranks[self._order] = np.arange(len(self._order), dtype=np.int32)
        return self._order

    def ranks(self) -> Codes:
        """The place of each code in `order`."""
        self.order()
        return self._ranks

    def span(self, text: str) -> tuple[int, int]:
        """The first rank that is not below `text` and the last that is not above it; they cross where it is unknown."""
        order, text_of = self.order(), self.known.__getitem__
        return bisect_left(order, text, key=text_of), bisect_right(order, text, key=text_of) - 1

    def containing(self, part: str) -> Mask:
        """For each code whether its text contains `part`, which is case-folded, in either case."""
        return self._folded.containing(part, self.known)


class _Folded:
    """The case-folded bytes of all texts in one array, so that a search is a few passes over memory."""

    def __init__(self) -> None:
        self._bytes: NDArray[np.uint8] = np.empty(0, np.uint8)
        self._ends: NDArray[np.int64] = np.empty(0, np.int64)
        """Where the NUL behind each text lies."""
        self._frequencies: NDArray[np.int64] = np.zeros(256, np.int64)

    def containing(self, part: str, texts: list[str]) -> Mask:
        self._take(texts[len(self._ends) :])
        found = np.zeros(len(self._ends), np.bool_)
        wanted = part.encode("utf-8", "surrogatepass")
        if NUL in part:
            return found
        if not wanted:
            return ~found
        anchor = min(range(len(wanted)), key=lambda index: int(self._frequencies[wanted[index]]))
        starts = np.flatnonzero(self._bytes == wanted[anchor]) - anchor
        starts = starts[(starts >= 0) & (starts + len(wanted) <= len(self._bytes))]
        for index, byte in enumerate(wanted):
            if index != anchor:
                starts = starts[self._bytes[starts + index] == byte]
        found[np.searchsorted(self._ends, starts)] = True
        return found

    def _take(self, texts: Iterable[str]) -> None:
        """Append texts; each is followed by a NUL, so that no match reaches from one text into the next."""
        folded = [text.replace(NUL, " ").casefold().encode("utf-8", "surrogatepass") + b"\0" for text in texts]
        if not folded:
            return
        joined = np.frombuffer(b"".join(folded), np.uint8)
        ends = np.cumsum([len(each) for each in folded]) - 1 + len(self._bytes)
        self._bytes = np.concatenate([self._bytes, joined])
        self._ends = np.concatenate([self._ends, ends])
        self._frequencies += np.bincount(joined, minlength=256)
