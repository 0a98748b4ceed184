"""The records of one partition that were fetched and wait to be folded."""

import asyncio
import logging
from collections import deque
from collections.abc import Sequence

from engine.bus.cluster import Fetched

log = logging.getLogger(__name__)


class FetchQueue:
    """Fetches of one partition in the order of their offsets, without gaps between them and without overlaps.

    Attributes:
        arrived: set while records wait.
        newest: the latest arrival among the records that wait, in microseconds; 0 while none does.
        records: how many records wait.
        bytes: how many bytes their values have.
    """

    def __init__(self, partition: int) -> None:
        self.arrived = asyncio.Event()
        self.newest = 0
        self.records = 0
        self.bytes = 0
        self._partition = partition
        self._fetches: deque[Fetched] = deque()
        self._expected: int | None = None

    @property
    def is_open(self) -> bool:
        """Whether the queue takes fetches: it knows which offset comes next."""
        return self._expected is not None

    def begin(self, offset: int) -> None:
        """Drop all that waits, and take fetches from `offset` on."""
        self.close()
        self._expected = offset

    def close(self) -> None:
        """Drop all that waits, and every fetch that comes until `begin`."""
        self._expected = None
        self._fetches.clear()
        self.records = self.bytes = 0
        self._empty()

    def add(self, fetched: Fetched) -> bool:
        """Queue a fetch that contains the next offset; False if it was issued before a seek and is dropped.

        Such a stale fetch can start exactly at the sought offset. The fetch that was issued after the seek then
        overlaps it, so records below the expected offset are dropped.
        """
        expected = self._expected
        if expected is None or not fetched.start <= expected < fetched.end:
            log.debug("partition %d: dropped a fetch from %d, not %s", self._partition, fetched.start, expected)
            return False
        if fetched.start < expected:
            rest = [record for record in fetched.records if record.offset >= expected]
            fetched = fetched._replace(start=expected, records=rest)
        self._expected = fetched.end
        if fetched.records:
            self._fetches.append(fetched)
            self._count(fetched, 1)
            self.newest = max(self.newest, *(record.arrived_at for record in fetched.records))
            self.arrived.set()
        return True

    def gather(self, limit: int) -> list[Fetched]:
        """Remove up to `limit` records from the front; a longer fetch is cut in two."""
        found: list[Fetched] = []
        while self._fetches and limit > 0:
            fetched = self._fetches.popleft()
            if len(fetched.records) > limit:
                self._fetches.appendleft(fetched._replace(records=fetched.records[limit:]))
                cut = fetched.records[limit].offset
                fetched = fetched._replace(records=fetched.records[:limit], end=cut)
            found.append(fetched)
            limit -= len(fetched.records)
            self._count(fetched, -1)
        if not self._fetches:
            self._empty()
        return found

    def put_back(self, gathered: Sequence[Fetched]) -> None:
        """Undo a `gather`."""
        for fetched in reversed(gathered):
            self._fetches.appendleft(fetched)
            self._count(fetched, 1)
        self.arrived.set()

    def _empty(self) -> None:
        self.newest = 0
        self.arrived.clear()

    def _count(self, fetched: Fetched, sign: int) -> None:
        self.records += sign * len(fetched.records)
        self.bytes += sign * sum([len(record.value) for record in fetched.records])
