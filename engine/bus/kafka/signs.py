"""Tells the processes of a cluster of each other: each writes a sign of life into a topic of its own every few seconds.

No event is folded by what is told here, and no process ends for it: what fails is tried again, and warned of once.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from aiokafka import AIOKafkaProducer
from aiokafka.structs import ConsumerRecord

from engine.aio import end
from engine.bus.kafka.side_topic import SideTopic
from engine.bus.kafka.topics import ensure_side_topic
from engine.kafka.connection import Connection, stopped
from engine.kafka.errors import CLIENT_ERRORS
from engine.kafka.topic_names import PROCESSES

FAREWELL_SECONDS = 3.0

log = logging.getLogger(__name__)

Hear = Callable[[str, bytes | None, float], None]
"""Told which process it is, its sign of life (None: its orderly end), and the broker's time of it in Unix seconds."""


class SignsOfLife:
    """Writes the signs of life of one process, and follows those of all where somebody asks."""

    def __init__(self, connection: Connection, name: str, tell: Callable[[], bytes], hear: Hear | None) -> None:
        """Write what `tell` says under the key `name`; call `hear`, if it is given, with what all have written."""
        self._connection, self._name, self._tell, self._hear = connection, name, tell, hear
        # As long as the group waits for a silent worker, so that both agree on who is gone.
        self._every_seconds = connection.settings.session_timeout_ms / 1000
        self._is_there = False
        self._producer: AIOKafkaProducer | None = None
        self._telling: asyncio.Task[None] | None = None
        self._following: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin in the background; nothing here holds up who starts it."""
        self._telling = asyncio.create_task(self._tell_for_ever())

    async def stop(self) -> None:
        """End, and tell the others, unless Kafka does not take it within three seconds."""
        for running in (self._telling, self._following):
            if running is not None:
                await end(running)
        if (producer := self._producer) is not None:
            with suppress(Exception):
                await asyncio.wait_for(self._send(producer, None), FAREWELL_SECONDS)
            await stopped(producer)

    async def _tell_for_ever(self) -> None:
        is_known = False
        while True:
            try:
                await self._tell_once()
                is_known = False
            except Exception as error:  # noqa: BLE001 - whatever it is, the process goes on without it
                if not is_known:
                    log.warning("the other processes are not told of this one, tries follow until they are: %r", error)
                is_known = True
            await asyncio.sleep(self._every_seconds)

    async def _tell_once(self) -> None:
        if not self._is_there:
            await ensure_side_topic(self._connection, PROCESSES)
            self._is_there = True
            if self._hear is not None:
                topic = SideTopic(self._connection, PROCESSES, partial(_pass_on, self._hear))
                self._following = asyncio.create_task(topic.follow())
        told = self._tell()
        producer = self._producer = self._producer or await self._connected()
        try:
            await self._send(producer, told)
        except CLIENT_ERRORS:
            self._producer = None
            await stopped(producer)
            raise

    async def _connected(self) -> AIOKafkaProducer:
        producer = self._connection.producer()
        try:
            await producer.start()
        except BaseException:
            await stopped(producer)
            raise
        return producer

    async def _send(self, producer: AIOKafkaProducer, value: bytes | None) -> None:
        await producer.send_and_wait(PROCESSES, value, key=self._name.encode(), partition=0)


def _pass_on(hear: Hear, record: ConsumerRecord[bytes, bytes]) -> None:
    hear((record.key or b"").decode(errors="replace"), record.value, record.timestamp / 1000)
