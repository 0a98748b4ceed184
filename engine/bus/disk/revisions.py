"""Every revision of a signal or alert by its name and time, so that it can be read as it was at a moment."""

from collections.abc import Iterator
from datetime import datetime

import msgspec
from rocksdict import WriteBatch

from engine.bus.disk import layout
from engine.core.topics import Topic
from engine.core.values import instant
from tables.stores.rocksdb import RocksStore


class _Data(msgspec.Struct):
    id: str


class _Envelope(msgspec.Struct):
    id: str
    time: datetime
    data: _Data


_envelopes = msgspec.json.Decoder(_Envelope)


class Revisions:
    """Reads and writes the revisions in a store: each is the key of its value in the history."""

    def __init__(self, store: RocksStore) -> None:
        self._family = store.family("history")

    def add(self, batch: WriteBatch, topic: Topic, value: bytes, history_key: bytes) -> None:
        """Put a revision into `batch`; what another program has published under no revision is left out."""
        key = _key_of(topic, value)
        if key is not None:
            batch.put(key, history_key, self._family.handle)

    def drop(self, batch: WriteBatch, topic: Topic, value: bytes) -> None:
        """Put into `batch` that a revision goes."""
        key = _key_of(topic, value)
        if key is not None:
            batch.delete(key, self._family.handle)

    def find(self, topic: Topic, name: str, until: int) -> Iterator[bytes]:
        """The revisions of a thing, newest first, from the instant `until` back."""
        found = self._family.scan(
            layout.revision_key(topic, name, 0, 0), layout.revision_key(topic, name, until + 1, 0), reverse=True
        )
        for _, history_key in found:
            value = self._family.get(history_key)
            if value is not None:
                yield value


def _key_of(topic: Topic, value: bytes) -> bytes | None:
    try:
        told = _envelopes.decode(value)
        return layout.revision_key(topic, told.data.id, instant(told.time), int(told.id.rpartition("/")[2]))
    except ValueError:
        return None
