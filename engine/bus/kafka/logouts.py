"""Tells every process of a cluster which sessions of browsers were ended before their time, by a topic of their own.

A session is a signed cookie that each process reads by itself, so one of them alone cannot end it. The topic is read
from its beginning before a process serves: what was ended while it was away is ended there, too.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress

import msgspec
from aiokafka.structs import ConsumerRecord

from engine.access.sessions import Ended
from engine.aio import end
from engine.bus.kafka.side_topic import SideTopic
from engine.bus.kafka.topics import ensure_side_topic
from engine.kafka.connection import Connection, stopped
from engine.kafka.errors import CLIENT_ERRORS
from engine.kafka.topic_names import LOGOUTS

RETRY_SECONDS = 1.0
TOLD_SECONDS = 5.0
"""So long a logout waits until the others are told. It is done then all the same, and telling them goes on."""

log = logging.getLogger(__name__)


class Logouts:
    """Reads and writes the topic of logouts."""

    def __init__(self, connection: Connection, hear: Callable[[str, float], None]) -> None:
        """Call `hear` with each session that was ended, wherever that was, and with until when it would have lasted."""
        self._connection, self._hear = connection, hear
        self._topic = SideTopic(connection, LOGOUTS, self._pass_on)
        self._untold: asyncio.Queue[tuple[bytes, asyncio.Future[None]]] = asyncio.Queue()
        self._running: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Make the topic where it is missing, read all of it, and follow it. Raises EnvironmentFailure, UsageError."""
        await ensure_side_topic(self._connection, LOGOUTS)
        consumer = await self._topic.read_all()
        self._running = [asyncio.create_task(self._topic.follow(consumer)), asyncio.create_task(self._tell_all())]

    async def stop(self) -> None:
        """Follow no more."""
        for running in self._running:
            await end(running)

    async def tell(self, session: str, until: float) -> None:
        """Tell all processes that a session was ended; after five seconds that goes on in the background."""
        told: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._untold.put_nowait((msgspec.json.encode(Ended(session, until)), told))
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(told), TOLD_SECONDS)

    async def _tell_all(self) -> None:
        while True:
            value, told = await self._untold.get()
            while not await self._sent(value):  # noqa: ASYNC110 - Kafka has no event for its coming back
                await asyncio.sleep(RETRY_SECONDS)
            told.set_result(None)

    async def _sent(self, value: bytes) -> bool:
        """Whether Kafka has taken a record. People log out seldom: a producer for each may not have failed before."""
        producer = self._connection.producer()
        try:
            await producer.start()
            await producer.send_and_wait(LOGOUTS, value, partition=0)
        except CLIENT_ERRORS as error:
            log.warning("the other processes cannot be told of a logout, another try follows: %r", error)
            return False
        finally:
            await stopped(producer)
        return True

    def _pass_on(self, record: ConsumerRecord[bytes, bytes]) -> None:
        try:
            ended = msgspec.json.decode(record.value or b"", type=Ended)
        except msgspec.DecodeError:
            log.warning("%s, offset %d is no record of Stockline and is passed over", LOGOUTS, record.offset)
        else:
            self._hear(ended.session, ended.until)
