"""Tells every process of a cluster which sessions of browsers were ended before their time, by a topic of their own.

A session is a signed cookie that each process reads by itself, so one of them alone cannot end it. The topic is read
from its beginning before a process serves: what was ended while it was away is ended there, too.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition

from engine.access.sessions import Ended
from engine.aio import end
from engine.bus.kafka.topics import ensure_logouts
from engine.kafka.connection import Connection, stopped
from engine.kafka.errors import CLIENT_ERRORS
from engine.kafka.topic_names import LOGOUTS

AT = TopicPartition(LOGOUTS, 0)
FETCH_MS = 1_000
RETRY_SECONDS = 1.0
TOLD_SECONDS = 5.0
"""So long a logout waits until the others are told. It is done then all the same, and telling them goes on."""

log = logging.getLogger(__name__)


class Logouts:
    """Reads and writes the topic of logouts."""

    def __init__(self, connection: Connection, hear: Callable[[str, float], None]) -> None:
        """Call `hear` with each session that was ended, wherever that was, and with until when it would have lasted."""
        self._connection, self._hear = connection, hear
        self._reached = 0
        self._untold: asyncio.Queue[tuple[bytes, asyncio.Future[None]]] = asyncio.Queue()
        self._running: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Make the topic where it is missing, read all of it, and follow it. Raises EnvironmentFailure, UsageError."""
        await ensure_logouts(self._connection)
        with self._connection.translated(f"{LOGOUTS} cannot be read"):
            consumer = await self._connected()
            try:
                stop = (await consumer.end_offsets([AT]))[AT]
                while self._reached < stop:
                    await self._take(consumer)
            except BaseException:
                await stopped(consumer)
                raise
        self._running = [asyncio.create_task(self._follow(consumer)), asyncio.create_task(self._tell_all())]

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
            await producer.send_and_wait(LOGOUTS, value, partition=AT.partition)
        except CLIENT_ERRORS as error:
            log.warning("the other processes cannot be told of a logout, another try follows: %r", error)
            return False
        finally:
            await stopped(producer)
        return True

    async def _connected(self) -> AIOKafkaConsumer:
        """A consumer that goes on where the reading was, or begins where the topic does if that is gone."""
        consumer = self._connection.consumer(auto_offset_reset="earliest")
        try:
            await consumer.start()
        except BaseException:
            await stopped(consumer)
            raise
        consumer.assign([AT])
        consumer.seek(AT, self._reached)
        return consumer

    async def _take(self, consumer: AIOKafkaConsumer) -> None:
        fetched = await consumer.getmany(AT, timeout_ms=FETCH_MS)
        for record in fetched.get(AT, ()):
            try:
                ended = msgspec.json.decode(record.value or b"", type=Ended)
            except msgspec.DecodeError:
                log.warning("%s, offset %d is no record of Stockline and is passed over", LOGOUTS, record.offset)
            else:
                self._hear(ended.session, ended.until)
        self._reached = await consumer.position(AT)

    async def _follow(self, following: AIOKafkaConsumer | None) -> None:
        while True:
            try:
                if following is None:
                    following = await self._connected()
                while True:
                    await self._take(following)
            except Exception as error:  # noqa: BLE001 - without the following, sessions that were ended would be taken
                log.warning("%s cannot be followed, another try follows: %r", LOGOUTS, error)
            finally:
                if following is not None:
                    await stopped(following)
            following = None
            await asyncio.sleep(RETRY_SECONDS)
