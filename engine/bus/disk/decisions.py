"""The index of decisions on disk: each is stored once, in the index of all, and found by sku, person, thing and event.

Decisions are few beside events, so that five keys for each cost little; a page of them reads nothing else.
"""

from collections.abc import Iterator

import msgspec
from rocksdict import WriteBatch

from engine.bus.disk import layout
from engine.core.decisions import Decision, Index, index_names
from tables.stores.rocksdb import RocksStore

_decoder = msgspec.json.Decoder(Decision)
_encoder = msgspec.json.Encoder()
_ALL = layout.decision_prefix("all", "")
_AFTER_PLACES = b"\xff"


class DecisionIndex:
    """Reads and writes the decisions in a store."""

    def __init__(self, store: RocksStore) -> None:
        self._family = store.family("history")

    def add(self, batch: WriteBatch, found: Decision) -> None:
        """Put a decision into `batch`."""
        place = found.place.encode()
        for index, name in index_names(found):
            value = _encoder.encode(found) if index == "all" else b""
            batch.put(layout.decision_prefix(index, name) + place, value, self._family.handle)

    def find(self, index: Index, name: str, before: str | None) -> Iterator[Decision]:
        """The decisions under a name of an index, newest first, from the first place below `before`."""
        prefix = layout.decision_prefix(index, name)
        stop = prefix + (_AFTER_PLACES if before is None else before.encode())
        for key, value in self._family.scan(prefix, stop, reverse=True):
            stored = value or self._family.get(_ALL + key[len(prefix) :])
            if stored is not None:
                yield _decoder.decode(stored)

    def drop(self, batch: WriteBatch, before: str, limit: int) -> int:
        """Put into `batch` that the oldest decisions go, at most `limit`, none from the place `before` on; how many."""
        count = 0
        for count, (_, value) in enumerate(self._family.scan(_ALL, _ALL + before.encode()), 1):
            found = _decoder.decode(value)
            for index, name in index_names(found):
                batch.delete(layout.decision_prefix(index, name) + found.place.encode(), self._family.handle)
            if count == limit:
                break
        return count
