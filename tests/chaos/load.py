"""Sends the story at a rate, through whatever happens to the broker."""

import asyncio
import logging
from contextlib import suppress

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from tests.chaos.story import Message, Story

TOPIC = "stockline.events"
CHUNK_SECONDS = 0.05
SEND_SECONDS = 15
CLOSE_SECONDS = 3
log = logging.getLogger(__name__)


class Load:
    """A sender that repeats what was not acknowledged, in order; repeats are what the engine must see through."""

    def __init__(self, address: str, story: Story, per_second: int) -> None:
        self._address = address
        self._story = story
        self._per_chunk = max(1, int(per_second * CHUNK_SECONDS))
        self._producer: AIOKafkaProducer | None = None
        self._task: asyncio.Task[None] | None = None
        self._stopping = False
        self.sent = 0
        self.repeated = 0

    async def begin(self) -> None:
        """Send the setup, then go on in the background."""
        await self._send(list(self._story.setup()))
        self._task = asyncio.create_task(self._run())

    async def end(self) -> None:
        """Send no more; all that was sent is acknowledged."""
        self._stopping = True
        if self._task is not None:
            await self._task
        await self._close()

    async def _run(self) -> None:
        while not self._stopping:
            chunk = [self._story.next() for _ in range(self._per_chunk)]
            await self._send(chunk)
            await asyncio.sleep(CHUNK_SECONDS)

    async def _send(self, chunk: list[Message]) -> None:
        while True:
            try:
                async with asyncio.timeout(SEND_SECONDS):
                    await self._try(chunk)
                self.sent += len(chunk)
                return
            except (KafkaError, OSError, TimeoutError) as error:
                log.info("sending again: %r", error)
                self.repeated += len(chunk)
                await self._close()
                await asyncio.sleep(0.5)

    async def _try(self, chunk: list[Message]) -> None:
        if self._producer is None:
            self._producer = AIOKafkaProducer(
                bootstrap_servers=self._address, acks="all", enable_idempotence=True, max_request_size=4 << 20,
                request_timeout_ms=5_000, retry_backoff_ms=100,
            )  # fmt: skip
            await self._producer.start()
        sent = [await self._producer.send(TOPIC, m.value, m.key, m.partition) for m in chunk]
        await asyncio.gather(*sent)

    async def _close(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            with suppress(Exception):
                await asyncio.wait_for(producer.stop(), CLOSE_SECONDS)
