"""The shape of the records that Stockline writes to its topics, and their headers."""

Header = tuple[str, bytes]
NO_HEADERS: list[Header] = []
"""Shared by all records without headers; never changed."""
Message = tuple[bytes, bytes | None, list[Header]]
"""A record to be written: key, value (None deletes under compaction), headers. A plain tuple: there are many."""

BROADCAST_HEADER: Header = ("stockline-broadcast", b"all")
"""On an event for every partition that its sender has put into every partition."""
TOUCHED_HEADER = "stockline-offsets"
"""On a position: the log offsets of the events since the last position of the row, which have changed it."""
UNTIL_HEADER = "stockline-until"
"""On every output: the offset of the log up to which (exclusive) the commit that wrote it has folded."""
TOLD_HEADER = "stockline-decision"
"""On a signal or alert that somebody's decision made: who decided what, by which event."""
ORIGIN_HEADER = "stockline-origin"
"""On a dead letter of a connector: where the foreign record was."""
ORIGIN_KEY_HEADER = "stockline-origin-key"
"""On a dead letter of a connector: the key of the foreign record; the record's own headers follow."""
