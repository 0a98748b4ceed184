"""Deletes from the copy of the web process what the topics keep no longer, so that it does not grow for ever.

On Kafka the retention of the topics decides how long signals, alerts and dead letters are known. A thing goes when it
has ended and its last record is older than its topic keeps records; what is still open stays. The index of the events
of a row loses what the log has lost. Age is counted back from the newest clock of the fold and not from the wall clock:
a clock that runs ahead deletes nothing.
"""

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping

from aiokafka import AIOKafkaConsumer, TopicPartition

from engine.bus.kafka.web.view import KafkaView
from engine.core.topics import HISTORIES, Topic
from engine.kafka.topic_names import EVENTS, OUTPUTS

PASS_SECONDS = 3600.0
MS = 1000
"""Microseconds in a millisecond."""


class Forgetting:
    """Passes over the copy, one an hour, in portions that its follower runs between two fetches.

    So a portion never writes at the same time as the follower, and it holds the follower up for some milliseconds.
    """

    def __init__(
        self,
        view: KafkaView,
        kept_ms: Mapping[str, int],
        clock_of: Callable[[bytes], int],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Delete from `view`.

        Args:
            view: the copy.
            kept_ms: for how many milliseconds each topic of Kafka keeps its records; those that are left out, or have
                less than 0, keep them for ever.
            clock_of: the clock, an instant, in the marker of a commit.
            clock: seconds, by which the passes are an hour apart.
        """
        self._view, self._kept_ms, self._clock_of, self._clock = view, kept_ms, clock_of, clock
        self._portions: Iterator[None] | None = None
        self._due = clock()

    async def step(self, consumer: AIOKafkaConsumer) -> None:
        """Delete a portion where a pass is under way, else begin the pass that is due; raises errors of Kafka."""
        if self._portions is not None:
            if await asyncio.to_thread(self._is_over, self._portions):
                self._portions = None
        elif self._clock() >= self._due:
            self._due = self._clock() + PASS_SECONDS
            log = [TopicPartition(EVENTS, partition) for partition in range(self._view.partitions)]
            begins = await consumer.beginning_offsets(log)
            self._view.log_begins([begins[at] for at in log])
            self._portions = self._pass()

    @staticmethod
    def _is_over(portions: Iterator[None]) -> bool:
        return next(portions, portions) is portions

    def _pass(self) -> Iterator[None]:
        """Deletes a portion before each item. The view may be filled anew between two, so it is asked each time."""
        view = self._view
        reached: bytes | None = b"\0"
        while reached is not None:
            reached = view.retention.drop_touched(reached)
            yield
        markers = [marker for partition in range(view.partitions) if (marker := view.marker(partition)) is not None]
        now = max(map(self._clock_of, markers), default=0)
        for topic in HISTORIES:
            for partition in range(view.partitions):
                while view.retention.drop_history(topic, partition, self._kept_from(topic, now)):
                    yield
        while view.retention.drop_decisions(self._kept_from("signals", now)):
            yield
        view.retention.reclaim()

    def _kept_from(self, topic: Topic, now: int) -> int:
        """The instant from which on the records of a topic are kept; 0 where all are."""
        kept = self._kept_ms.get(OUTPUTS[topic], -1)
        return 0 if kept < 0 else max(0, now - kept * MS)
