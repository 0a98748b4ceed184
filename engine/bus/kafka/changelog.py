"""A commit as records of `stockline.state`, and the way back.

- a row: its state key -> its value, null to delete
- the event marks that a commit made: one record (`tables.event_marks`)
- the marker: how far the log is folded, with the identity of the log's topic
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgspec

from engine.bus.single import Commit
from engine.kafka.headers import NO_HEADERS, Message
from tables.event_marks import EVENT_MARK, chunk_key, newest_arrival, pack_marks
from tables.markers import marker_key

Pair = tuple[bytes, bytes | None]

MARK_TAG = EVENT_MARK[0]


class LogMarker(msgspec.Struct, array_like=True):
    """The marker of a partition with the log that it speaks of."""

    topic_id: str
    next_offset: int
    marker: bytes


_decoder = msgspec.msgpack.Decoder(LogMarker)


def read_log_marker(value: bytes | None) -> LogMarker | None:
    """The stored marker, None where there is none."""
    return None if value is None else _decoder.decode(value)


class Change(NamedTuple):
    """What a commit changes: rows, event marks, the same marks packed into one record, and the marker.

    All but the marks are records of the changelog as they are written. `chunk` is one record, or none where the commit
    makes no mark.
    """

    rows: list[Message]
    marks: list[tuple[bytes, bytes]]
    chunk: Sequence[Message]
    marker: Message

    @property
    def newest(self) -> int:
        """The latest arrival (microseconds) among the marks, 0 where there are none."""
        return newest_arrival(self.marks[-1][1]) if self.marks else 0

    def records(self, expired: Sequence[bytes]) -> list[Message]:
        """The records of the changelog; `expired` are the keys of chunks whose marks are too old to count.

        The marker comes last, so that a reader of a part of a commit does not take it for the whole.
        """
        return [*self.rows, *self.chunk, *((key, None, NO_HEADERS) for key in expired), self.marker]


def change_of(commit: Commit, topic_id: str) -> Change:
    """What a commit on the log with the identity `topic_id` changes. Every change passes here once, so it is short."""
    rows: list[Message] = []
    marks: list[tuple[bytes, bytes]] = []
    for key, value in commit.changes:
        if key[0] == MARK_TAG and value is not None:
            marks.append((key, value))
        else:
            rows.append((key, value, NO_HEADERS))
    chunk: list[Message] = []
    if marks:
        chunk.append((chunk_key(commit.partition, commit.next_offset), pack_marks(marks), NO_HEADERS))
    marker = msgspec.msgpack.encode(LogMarker(topic_id, commit.next_offset, commit.marker))
    return Change(rows, marks, chunk, (marker_key(commit.partition), marker, NO_HEADERS))


def touched_offsets(commit: Commit) -> dict[str, bytes]:
    """For each row of the commit the log offsets that concern it, as text with commas."""
    offsets: dict[str, list[int]] = {}
    for row, offset in commit.touched:
        offsets.setdefault(row, []).append(offset)
    return {row: b",".join([b"%d" % offset for offset in found]) for row, found in offsets.items()}


def offsets_in(text: bytes) -> Iterator[int]:
    """The offsets that `touched_offsets` wrote."""
    return map(int, text.split(b","))
