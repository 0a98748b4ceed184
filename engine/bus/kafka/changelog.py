"""A commit as records of `stockline.state`, and the way back.

- a row: its state key -> its value, null to delete
- the names of events that a commit remembered: one record (`tables.event_marks`)
- the marker: how far the log is folded, with the identity of the log's topic
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgspec

from engine.bus.single import Commit
from tables.event_marks import EVENT_MARK, chunk_key, pack_marks
from tables.markers import marker_key

Pair = tuple[bytes, bytes | None]

DEDUPE_TAG = EVENT_MARK[0]


class LogMarker(msgspec.Struct, array_like=True):
    """The marker of a task with the log that it speaks of."""

    topic_id: str
    next_offset: int
    marker: bytes


_decoder = msgspec.msgpack.Decoder(LogMarker)


def read_log_marker(value: bytes | None) -> LogMarker | None:
    """The stored marker, None where there is none."""
    return None if value is None else _decoder.decode(value)


class Change(NamedTuple):
    """What a commit changes: the records of the changelog, and the names, which locally lie one by one."""

    records: list[Pair]
    names: list[tuple[bytes, bytes]]


def change_of(commit: Commit, topic_id: str, expired: Sequence[bytes]) -> Change:
    """The changelog records of a commit. `expired` are the keys of chunks of names that are too old to count."""
    records: list[Pair] = []
    names: list[tuple[bytes, bytes]] = []
    for pair in commit.changes:
        key, value = pair
        if key[0] == DEDUPE_TAG and value is not None:
            names.append((key, value))
        else:
            records.append(pair)
    if names:
        records.append((chunk_key(commit.partition, commit.next_offset), pack_marks(names)))
    records += [(key, None) for key in expired]
    marker = LogMarker(topic_id, commit.next_offset, commit.marker)
    records.append((marker_key(commit.partition), msgspec.msgpack.encode(marker)))
    return Change(records, names)


def touched_offsets(commit: Commit) -> dict[str, bytes]:
    """For each row of the commit the log offsets that concern it, as text with commas."""
    offsets: dict[str, list[int]] = {}
    for row, offset in commit.touched:
        offsets.setdefault(row, []).append(offset)
    return {row: b",".join([b"%d" % offset for offset in found]) for row, found in offsets.items()}


def offsets_in(text: bytes) -> Iterator[int]:
    """The offsets that `touched_offsets` wrote."""
    return map(int, text.split(b","))
