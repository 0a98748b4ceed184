"""How to reach a Kafka cluster: makes clients that are ready to start."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, suppress
from pathlib import Path
from ssl import SSLContext
from typing import Any, Protocol

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupCoordinatorNotAvailableError, GroupLoadInProgressError
from aiokafka.helpers import create_ssl_context

from engine.core.errors import UsageError
from engine.kafka.errors import translating
from engine.settings import KafkaSettings, load_kafka

CLOSE_SECONDS = 5.0
RETRY_SECONDS = 0.2
RETRY_BACKOFF_MS = 50
METADATA_MAX_AGE_MS = 60_000
MAX_POLL_INTERVAL_MS = 10 * 60_000
MAX_RECORD_BYTES = 24 << 20
"""The longest record that is written: the dead letter of the longest record that is kept in one."""
UNDERWAY_BYTES = 32 << 20
"""So much of a transaction is sent at once; a broker takes requests of 100 MiB where it is not told otherwise."""


class _Client(Protocol):
    async def stop(self) -> None: ...


class Connection:
    """The address of a cluster and the right to use it; makes clients that are ready to start."""

    def __init__(self, settings: KafkaSettings) -> None:
        self.settings = settings
        self.address = settings.kafka
        self.options: dict[str, Any] = {
            "bootstrap_servers": settings.kafka.split(","),
            "client_id": f"stockline-{os.getpid()}",
            "security_protocol": settings.security_protocol,
            "ssl_context": _ssl_context(settings),
            "request_timeout_ms": settings.request_timeout_ms,
            "retry_backoff_ms": RETRY_BACKOFF_MS,
            "metadata_max_age_ms": METADATA_MAX_AGE_MS,
        }
        if settings.security_protocol.startswith("SASL"):
            self.options |= {
                "sasl_mechanism": settings.sasl_mechanism,
                "sasl_plain_username": settings.username,
                "sasl_plain_password": settings.secret("password"),
            }

    def consumer(self, **options: Any) -> AIOKafkaConsumer:
        """A consumer outside any group that sees committed records only; it is told where to read, it never guesses."""
        chosen = {
            "enable_auto_commit": False,
            "auto_offset_reset": "none",
            "isolation_level": "read_committed",
            "max_partition_fetch_bytes": self.settings.fetch_bytes,
            "fetch_max_wait_ms": 100,
            **options,
        }
        return AIOKafkaConsumer(**self.options, **chosen)

    def member(self, group: str, **options: Any) -> AIOKafkaConsumer:
        """A consumer that is a member of `group`; offsets are committed by whoever uses it."""
        session_ms = self.settings.session_timeout_ms
        return self.consumer(
            group_id=group,
            session_timeout_ms=session_ms,
            heartbeat_interval_ms=max(200, session_ms // 6),
            max_poll_interval_ms=MAX_POLL_INTERVAL_MS,
            **options,
        )

    def producer(self, **options: Any) -> AIOKafkaProducer:
        """An idempotent producer."""
        chosen = {
            "acks": "all",
            "enable_idempotence": True,
            "max_request_size": MAX_RECORD_BYTES,
            "max_batch_size": self.settings.batch_bytes,
            "compression_type": self.settings.compression,
            **options,
        }
        return AIOKafkaProducer(**self.options, **chosen)

    def transactional_producer(self, transactional_id: str) -> AIOKafkaProducer:
        """A transactional producer; once it is started, every other one with its id is fenced."""
        return self.producer(
            transactional_id=transactional_id, transaction_timeout_ms=self.settings.transaction_timeout_ms
        )

    def admin(self) -> AIOKafkaAdminClient:
        """A client for topics and groups."""
        return AIOKafkaAdminClient(**self.options)

    @asynccontextmanager
    async def started_admin(self) -> AsyncIterator[AIOKafkaAdminClient]:
        """A client for topics and groups, connected."""
        admin = self.admin()
        try:
            with self.translated("cannot be reached"):
                await admin.start()
            yield admin
        finally:
            await closed(admin)

    def translated(self, what: str) -> AbstractContextManager[None]:
        """Raises the engine's own error for what a client raises inside; the message names the cluster."""
        return translating(f"Kafka at {self.address}: {what}")


def connection_to(address: str) -> Connection:
    """How to reach the cluster at HOST:PORT; the environment says the rest. Raises `UsageError`."""
    return Connection(load_kafka(kafka=address))


async def group_offsets(
    admin: AIOKafkaAdminClient, settings: KafkaSettings, partitions: Sequence[TopicPartition]
) -> dict[TopicPartition, int]:
    """The offsets that the group has committed, 0 where it never did.

    The first request of a cluster makes the broker create its own topic, which takes a while.
    """
    deadline = time.monotonic() + settings.request_timeout_ms / 1000
    while True:
        try:
            found = await admin.list_consumer_group_offsets(settings.group, partitions=list(partitions))
        except (GroupCoordinatorNotAvailableError, GroupLoadInProgressError):
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(RETRY_SECONDS)
            continue
        return {at: max(0, found[at].offset) if at in found else 0 for at in partitions}


async def stopped(client: _Client) -> None:
    """Stop a client whose broker may be gone: what does not end in time is left behind."""
    with suppress(Exception):
        await asyncio.wait_for(_stop(client), CLOSE_SECONDS)


async def _stop(client: _Client) -> None:
    try:
        await client.stop()
    except asyncio.CancelledError:
        # A consumer whose broker is gone lets out the cancellation of its own background work.
        if (here := asyncio.current_task()) is None or here.cancelling():
            raise


async def closed(admin: AIOKafkaAdminClient) -> None:
    """Close an admin client in the same way."""
    with suppress(Exception):
        await asyncio.wait_for(admin.close(), CLOSE_SECONDS)


def _ssl_context(settings: KafkaSettings) -> SSLContext | None:
    if not settings.security_protocol.endswith("SSL"):
        return None
    try:
        context: SSLContext = create_ssl_context(
            cafile=_text(settings.ca_file),
            certfile=_text(settings.cert_file),
            keyfile=_text(settings.key_file),
            password=settings.secret("key_password"),
        )
    except OSError as error:
        raise UsageError(f"the certificates for Kafka cannot be used: {error}") from None
    return context


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)
