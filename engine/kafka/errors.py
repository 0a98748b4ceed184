"""What the errors of a Kafka client mean in those of the engine."""

from collections.abc import Iterator
from contextlib import contextmanager

from aiokafka.errors import (
    AuthenticationFailedError,
    AuthenticationMethodNotSupported,
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    IllegalOperation,
    InvalidTransactionTimeout,
    KafkaConnectionError,
    KafkaError,
    MessageSizeTooLargeError,
    ProducerFenced,
    RecordListTooLargeError,
    TopicAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
)

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
CLIENT_ERRORS = (KafkaError, OSError, TimeoutError, AssertionError, IllegalOperation)
"""What a client raises. With the last two aiokafka refuses a step in a state that an earlier failure has left."""


@contextmanager
def translating(what: str) -> Iterator[None]:
    """Raise the engine's own error for what a client raises inside; `what` begins its message."""
    try:
        yield
    except CLIENT_ERRORS as error:
        raise translated(error, what) from error


def translated(error: BaseException, what: str) -> EnvironmentFailure | UsageError:
    """The engine's error for an error of a Kafka client; `what` begins its message."""
    if isinstance(error, KafkaConnectionError):
        return EnvironmentFailure(
            f"{what}: no broker answers. Start it, or see that the address and STOCKLINE_SECURITY_PROTOCOL are its own"
        )
    said = f"{what}: {type(error).__name__}: {error}".removesuffix(": ")
    if isinstance(error, ProducerFenced):
        return Fenced(said)
    if isinstance(error, NOT_ALLOWED):
        return UsageError(f"{said}; check STOCKLINE_USERNAME, the password and what the user may do")
    if isinstance(error, InvalidTransactionTimeout):
        return UsageError(f"{said}; STOCKLINE_TRANSACTION_TIMEOUT_MS is above the broker's transaction.max.timeout.ms")
    return EnvironmentFailure(said)
