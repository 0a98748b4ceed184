"""At which rows a document is known: an index of the numbers of orders, shipments and receipts.

Rows are kept by sku and location, and a person who asks for an order knows neither. The index is a sorted array of
64-bit words, of which each holds a part of a digest of the number and the number of a row: some ten bytes for each
document, however long its number is. What it finds is looked up in the rows, so that a digest that is shared costs a
look and tells nothing wrong.
"""

import threading
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import Literal

from engine.bus.single import Commit, Kept
from engine.core.topics import Topic
from tables import keys
from tables.purchasing import LINE, SHIPMENT
from tables.receipts import RECEIPT

DocumentKind = Literal["order", "shipment", "receipt"]
Row = tuple[str, str]
"""(sku, location)"""

_TABLES = {LINE[0]: "order", SHIPMENT[0]: "shipment", RECEIPT[0]: "receipt"}
"""The tag of a table -> the kind of document whose number stands in its keys, behind the row."""
_TAGS = {kind: bytes([tag]) for tag, kind in _TABLES.items()}

ROW_BITS = 24
"""A word has room for so many rows, 16 million."""
FEW = 65_536
"""With more new words than this they are merged into the sorted array."""


class DocumentIndex:
    """Number of a document -> the rows that know it, kept up to date by what is committed.

    It reads the keys of all documents when it is asked first; from then on it follows the commits.
    """

    def __init__(self, bus: Kept) -> None:
        """Make an index of a bus, which is to tell it of every commit."""
        self._bus = bus
        self._reading, self._noting = threading.Lock(), threading.Lock()
        self._noted: set[bytes] | None = None
        """Keys of documents that were written since the last question; None before the first."""
        self._begin()

    def _begin(self) -> None:
        self._rows: list[str] = []
        self._numbers: dict[str, int] = {}
        self._sorted = array("Q")
        self._fresh: set[int] = set()

    def committed(self, commits: Sequence[Commit]) -> None:
        """Note what was committed; the thread that commits calls it."""
        with self._noting:
            if self._noted is not None:
                self._noted.update(key for commit in commits for key, _ in commit.changes if key[0] in _TABLES)
                if len(self._noted) > FEW:
                    self._noted = None

    def deleted(self, topic: Topic, names: Sequence[str]) -> None:
        """What is published is not indexed here."""

    def discarded(self) -> None:
        """The bus begins empty, so that everything must be read again."""
        with self._noting:
            self._noted = None

    def rows_of(self, kind: DocumentKind, number: str) -> list[Row]:
        """The rows at which a document is known, sorted."""
        with self._reading:
            with self._noting:
                noted, self._noted = self._noted, set()
            if noted is None:
                self._begin()
                for tag in _TABLES:
                    self._add(key for key, _ in self._bus.state.scan(bytes([tag]), bytes([tag + 1])))
            else:
                self._add(noted)
            found = [self._rows[at] for at in self._places(_digest(kind, number))]
        known = [row for row in found if self._is_known(kind, number, row.encode())]
        return [keys.names(row.encode()) for row in sorted(known)]

    def _add(self, written: Iterable[bytes]) -> None:
        for key in written:
            sku, location, number = key[1:].split(keys.NUL, 3)[:3]
            row = f"{sku.decode()}\0{location.decode()}"
            at = self._numbers.get(row)
            if at is None:
                at = self._numbers[row] = len(self._rows)
                self._rows.append(row)
            self._fresh.add(_digest(_TABLES[key[0]], number.decode()) << ROW_BITS | at)
            if len(self._fresh) > FEW:
                self._merge()

    def _merge(self) -> None:
        self._sorted = array("Q", sorted(self._fresh.union(self._sorted)))
        self._fresh = set()

    def _places(self, digest: int) -> set[int]:
        """The numbers of the rows with a document of this digest."""
        low, high = digest << ROW_BITS, (digest + 1) << ROW_BITS
        words = self._sorted[bisect_left(self._sorted, low) : bisect_left(self._sorted, high)]
        return {word - low for word in [*words, *(word for word in self._fresh if low <= word < high)]}

    def _is_known(self, kind: DocumentKind, number: str, row: bytes) -> bool:
        prefix = _TAGS[kind] + row + keys.NUL + number.encode()
        if kind == "order":
            return any(True for _ in self._bus.state.scan(prefix + keys.NUL, prefix + keys.AFTER_NUL))
        return self._bus.state.get(prefix) is not None


def _digest(kind: str, number: str) -> int:
    """40 bits of the digest of a document's name."""
    return int.from_bytes(blake2b(f"{kind}\0{number}".encode(), digest_size=5).digest(), "big")
