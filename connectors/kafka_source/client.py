"""The connector's own way to Kafka: clients, and what their errors mean in those of Stockline."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import (
    AuthenticationFailedError,
    AuthenticationMethodNotSupported,
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    IllegalStateError,
    InvalidTransactionTimeout,
    KafkaError,
    MessageSizeTooLargeError,
    ProducerFenced,
    RecordListTooLargeError,
    TopicAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
)

from connectors.kafka_source.outgoing import DEAD_LETTERS, MAX_RECORD_BYTES
from engine.core.errors import EnvironmentFailure, Fenced, UsageError

NOT_ALLOWED = (
    AuthenticationFailedError,
    AuthenticationMethodNotSupported,
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    TopicAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
)
TOO_LONG = (MessageSizeTooLargeError, RecordListTooLargeError)
CLOSE_SECONDS = 5.0
BATCH_BYTES = 1 << 20


@dataclass(frozen=True)
class Access:
    """How a cluster is reached: arguments of every aiokafka client, the group, and what its clients may take."""

    options: Mapping[str, Any]
    group: str
    session_timeout_ms: int = 8_000
    transaction_timeout_ms: int = 30_000
    fetch_bytes: int = 1 << 20
    compression: str | None = None

    def consumer(self) -> AIOKafkaConsumer:
        """A member of the group that sees committed records only; where it reads is told to it, never guessed."""
        return AIOKafkaConsumer(
            **self.options,
            group_id=self.group,
            enable_auto_commit=False,
            auto_offset_reset="none",
            isolation_level="read_committed",
            session_timeout_ms=self.session_timeout_ms,
            heartbeat_interval_ms=max(200, self.session_timeout_ms // 6),
            max_poll_interval_ms=10 * 60_000,
            max_partition_fetch_bytes=self.fetch_bytes,
            fetch_max_wait_ms=100,
        )

    def producer(self, transactional_id: str) -> AIOKafkaProducer:
        """A transactional producer."""
        return AIOKafkaProducer(
            **self.options,
            transactional_id=transactional_id,
            transaction_timeout_ms=self.transaction_timeout_ms,
            max_request_size=MAX_RECORD_BYTES,
            max_batch_size=BATCH_BYTES,
            compression_type=self.compression,
        )


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Raise Stockline's own error for what a client says inside."""
    try:
        yield
    except (KafkaError, IllegalStateError, OSError, TimeoutError, AssertionError) as error:
        # An AssertionError is how aiokafka refuses a step in a state that a former failure has left.
        said = f"{what}: {type(error).__name__}: {error}".removesuffix(": ")
        if isinstance(error, ProducerFenced):
            raise Fenced(said) from error
        if isinstance(error, NOT_ALLOWED):
            raise UsageError(f"{said}; check the user, its password and what it may do") from error
        if isinstance(error, TOO_LONG):
            raise UsageError(
                f"{said}; the limit of a topic of Stockline was lowered, nothing was written: kafka-configs --alter "
                f"--entity-type topics --entity-name {DEAD_LETTERS} --add-config max.message.bytes={MAX_RECORD_BYTES}"
            ) from error
        if isinstance(error, InvalidTransactionTimeout):
            raise UsageError(
                f"{said}; STOCKLINE_TRANSACTION_TIMEOUT_MS is above the broker's transaction.max.timeout.ms"
            ) from error
        raise EnvironmentFailure(said) from error


async def stopped(client: AIOKafkaConsumer | AIOKafkaProducer) -> None:
    """Stop a client whose broker may be gone: what does not end in time is left behind."""
    with suppress(Exception):
        await asyncio.wait_for(client.stop(), CLOSE_SECONDS)
