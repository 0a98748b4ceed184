"""How to reach a Kafka cluster, and what its errors mean in those of the engine."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any, NamedTuple, Protocol

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import (
    AuthenticationFailedError,
    AuthenticationMethodNotSupported,
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    GroupCoordinatorNotAvailableError,
    GroupLoadInProgressError,
    InvalidTransactionTimeout,
    KafkaConnectionError,
    KafkaError,
    MessageSizeTooLargeError,
    ProducerFenced,
    RecordListTooLargeError,
    TopicAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
)
from aiokafka.helpers import create_ssl_context

from engine.core.errors import EnvironmentFailure, Fenced, UsageError
from engine.settings import KafkaSettings

NOT_ALLOWED = (
    AuthenticationFailedError,
    AuthenticationMethodNotSupported,
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    TopicAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
)
CLOSE_SECONDS = 5.0
RETRY_SECONDS = 0.2
RETRY_BACKOFF_MS = 50
METADATA_MAX_AGE_MS = 60_000
MAX_RECORD_BYTES = 24 << 20
"""The longest record that the engine itself writes: the dead letter of the longest record that is kept in one."""
UNDERWAY_BYTES = 32 << 20
"""So much of a transaction is sent at once; a broker takes requests of 100 MiB where it is not told otherwise."""
TOO_LONG = (MessageSizeTooLargeError, RecordListTooLargeError)


class _Client(Protocol):
    async def stop(self) -> None: ...


class Connection:
    """The address of a cluster and the right to use it; makes clients that are ready to start."""

    def __init__(self, settings: KafkaSettings) -> None:
        self.settings = settings
        self.address = settings.kafka
        ssl = _ssl_context(settings)
        self.options: dict[str, Any] = {
            "bootstrap_servers": settings.kafka.split(","),
            "client_id": f"stockline-{os.getpid()}",
            "security_protocol": settings.security_protocol,
            "ssl_context": ssl,
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
        """A consumer outside any group that sees committed records only."""
        chosen = {
            "enable_auto_commit": False,
            "auto_offset_reset": "none",
            "isolation_level": "read_committed",
            "max_partition_fetch_bytes": self.settings.fetch_bytes,
            "fetch_max_wait_ms": 100,
            **options,
        }
        return AIOKafkaConsumer(**self.options, **chosen)

    def producer(self, **options: Any) -> AIOKafkaProducer:
        """An idempotent producer; with `transactional_id` a transactional one."""
        chosen = {
            "acks": "all",
            "enable_idempotence": True,
            "max_request_size": MAX_RECORD_BYTES,
            "max_batch_size": self.settings.batch_bytes,
            "compression_type": self.settings.compression,
            **options,
        }
        return AIOKafkaProducer(**self.options, **chosen)

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
            with suppress(Exception):
                await asyncio.wait_for(admin.close(), CLOSE_SECONDS)

    @contextmanager
    def translated(self, what: str) -> Iterator[None]:
        """Raise the engine's own error for what a client says inside."""
        try:
            yield
        except (KafkaError, OSError, TimeoutError) as error:
            raise translated(error, f"Kafka at {self.address}: {what}") from error


def translated(error: BaseException, what: str) -> EnvironmentFailure | UsageError:
    """The engine's error for what a Kafka client has said."""
    if isinstance(error, KafkaConnectionError):
        return EnvironmentFailure(
            f"{what}: no broker answers. Start it, or see that the address and STOCKLINE_SECURITY_PROTOCOL are its own"
        )
    said = f"{what}: {type(error).__name__}: {error}" if str(error) else f"{what}: {type(error).__name__}"
    if isinstance(error, ProducerFenced):
        return Fenced(said)
    if isinstance(error, NOT_ALLOWED):
        return UsageError(f"{said}; check STOCKLINE_USERNAME, the password and what the user may do")
    if isinstance(error, InvalidTransactionTimeout):
        return UsageError(f"{said}; STOCKLINE_TRANSACTION_TIMEOUT_MS is above the broker's transaction.max.timeout.ms")
    return EnvironmentFailure(said)


async def group_offsets(
    admin: AIOKafkaAdminClient, settings: KafkaSettings, places: Sequence[TopicPartition]
) -> dict[TopicPartition, int]:
    """How far the group has told that it was, 0 where it never did. The first look makes the broker's own topic."""
    deadline = time.monotonic() + settings.request_timeout_ms / 1000
    while True:
        try:
            found = await admin.list_consumer_group_offsets(settings.group, partitions=list(places))
        except (GroupCoordinatorNotAvailableError, GroupLoadInProgressError):
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(RETRY_SECONDS)
            continue
        return {place: max(0, found[place].offset) if place in found else 0 for place in places}


async def stopped(client: _Client) -> None:
    """Stop a client whose broker may be gone: what does not end in time is left behind."""
    with suppress(Exception):
        await asyncio.wait_for(client.stop(), CLOSE_SECONDS)


class TopicPlace(NamedTuple):
    """A partition of one of the engine's topics."""

    topic: str
    partition: int


def _ssl_context(settings: KafkaSettings) -> Any:
    if not settings.security_protocol.endswith("SSL"):
        return None
    try:
        return create_ssl_context(
            cafile=_text(settings.ca_file),
            certfile=_text(settings.cert_file),
            keyfile=_text(settings.key_file),
            password=settings.secret("key_password"),
        )
    except OSError as error:
        raise UsageError(f"the certificates for Kafka cannot be used: {error}") from None


def _text(path: Any) -> str | None:
    return None if path is None else str(path)
