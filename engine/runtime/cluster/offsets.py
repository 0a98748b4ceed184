"""The consumed offsets of a worker's partitions, as the consumer group shows them. Only lag dashboards read them."""

import asyncio
import logging
from collections.abc import Callable

from engine.bus.cluster import Cluster
from engine.core.errors import EnvironmentFailure

RETRY_SECONDS = 0.5

log = logging.getLogger(__name__)


class OffsetReporter:
    """Publishes consumed offsets one call at a time; those that come meanwhile go together with the next call.

    `is_owned` says whether a partition is still this worker's: after a failure only the offsets of such are retried.
    """

    def __init__(self, cluster: Cluster, is_owned: Callable[[int], bool]) -> None:
        self._cluster = cluster
        self._is_owned = is_owned
        self._unpublished: dict[int, int] = {}
        self._publishing: asyncio.Task[None] | None = None
        self._closing = False

    def consumed(self, partition: int, end: int) -> None:
        """All records before the offset `end` are folded and committed."""
        self._unpublished[partition] = end
        if self._publishing is None or self._publishing.done():
            self._publishing = asyncio.create_task(self._publish())

    async def close(self) -> None:
        """Publish what is left; a failure is not retried any more."""
        self._closing = True
        if self._publishing is not None:
            await self._publishing

    async def _publish(self) -> None:
        while self._unpublished:
            offsets, self._unpublished = self._unpublished, {}
            try:
                await self._cluster.committed(offsets)
            except EnvironmentFailure as error:
                log.info("the group's offsets were not published: %s", error)
                if self._closing:
                    return
                # Without a retry, a reader that waits for the end of the log would wait until the next event.
                retried = {partition: end for partition, end in offsets.items() if self._is_owned(partition)}
                self._unpublished = retried | self._unpublished
                await asyncio.sleep(RETRY_SECONDS)
