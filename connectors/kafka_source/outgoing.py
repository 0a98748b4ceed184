"""What is written for a record: its event, to one partition or to all, or its dead letter. Pure."""

import base64
import hashlib
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from msgspec.structs import replace

from connectors.kafka_source.documents import MAX_TIMESTAMP_MS, Received, name_in_headers
from connectors.kafka_source.profile import default_source
from connectors.kafka_source.translate import Misfit, Outcome
from connectors.mapping.reading import Skipped
from engine.core.events import BROADCAST_TYPES, key_of
from engine.core.outcomes import Rejection
from engine.core.outputs import DeadLetter, envelope
from engine.core.values import moment, partition_of
from engine.kafka.connection import MAX_RECORD_BYTES
from engine.kafka.headers import BROADCAST_HEADER, NO_HEADERS, ORIGIN_HEADER, ORIGIN_KEY_HEADER, Header
from engine.kafka.topic_names import DEAD_LETTERS, EVENTS

MAX_LETTER_BYTES = MAX_RECORD_BYTES - (64 << 10)
"""The longest dead letter, with room for its headers."""
COMMIT_BYTES = 16 << 20
"""Of one transaction: an event for every partition is written as often as there are partitions."""
MAX_ORIGIN_BYTES = 32 << 10
MAX_DETAIL = 1_000


class Outgoing(NamedTuple):
    """A record to be written."""

    topic: str
    partition: int
    key: bytes
    value: bytes
    headers: list[Header]


class Target(NamedTuple):
    """Where it goes: the number of partitions of Stockline's topics, and the name of the feed."""

    partitions: int
    feed: str


def outgoing(record: Received, outcome: Outcome, target: Target) -> list[Outgoing]:
    """The records that follow from a translated one; none where it was skipped."""
    if isinstance(outcome, Skipped):
        return []
    if isinstance(outcome, Rejection):
        return [_letter(record, outcome, target)]
    if type(outcome.event) in BROADCAST_TYPES:
        key = outcome.event.source.encode()
        everywhere = range(target.partitions)
        return [Outgoing(EVENTS, partition, key, outcome.value, [BROADCAST_HEADER]) for partition in everywhere]
    name = key_of(outcome.event)
    return [Outgoing(EVENTS, partition_of(name, target.partitions), name.encode(), outcome.value, NO_HEADERS)]


class Portion(NamedTuple):
    """What is written in one transaction: what follows from the records before the offset `reached`."""

    sent: list[Outgoing]
    outcomes: list[Outcome]
    reached: int


def portions(
    records: Iterable[Received], translate: Callable[[Received], Outcome], target: Target, end: int
) -> Iterator[Portion]:
    """What follows from the records before the offset `end`, cut where it is too long for one transaction."""
    portion, length = Portion([], [], end), 0
    for record in records:
        outcome = translate(record)
        sent = outgoing(record, outcome, target)
        added = sum([len(out.value) for out in sent])
        if portion.outcomes and length + added > COMMIT_BYTES:
            yield portion._replace(reached=record.offset)
            portion, length = Portion([], [], end), 0
        length += added
        portion.sent.extend(sent)
        portion.outcomes.append(outcome)
    yield portion


def _letter(record: Received, refused: Rejection, target: Target) -> Outgoing:
    value = record.value or b""
    encoded = _encoded(record, refused, _exact(value))
    if len(encoded) > MAX_LETTER_BYTES:
        digest = hashlib.sha256(value).hexdigest()
        detail = f"its {len(value)} bytes are too many to be kept here, SHA-256 {digest}; {refused.detail}"
        encoded = _encoded(record, replace(refused, detail=detail), {})
    origin = [(ORIGIN_HEADER, record.place.encode()), *_origin(record)]
    key = default_source(target.feed, record.topic).encode()
    return Outgoing(DEAD_LETTERS, record.partition % target.partitions, key, encoded, origin)


def _encoded(record: Received, refused: Rejection, exact: dict[str, str]) -> bytes:
    name = f"{record.topic}-{record.partition}-{record.offset}"
    arrived_at = min(max(record.timestamp_ms, 0), MAX_TIMESTAMP_MS) * 1000
    event = refused.name if isinstance(refused, Misfit) else name_in_headers(record)
    letter = DeadLetter(
        id=name,
        reason=refused.reason,
        detail=_sentence(refused.detail),
        place=record.place,
        arrived=moment(arrived_at),
        event_id=event.id,
        event_source=event.source,
        **exact,
    )
    return envelope("event.refused", name, arrived_at, letter)


def _sentence(detail: str) -> str:
    """A detail that may quote what came in: of bounded length, and text that can be written."""
    return detail[:MAX_DETAIL].encode("utf-8", "replace").decode()


def _exact(value: bytes) -> dict[str, str]:
    """The exact bytes, as text where they are text and stay shorter so."""
    try:
        text = value.decode()
    except UnicodeDecodeError:
        return {"raw_base64": base64.b64encode(value).decode()}
    if len(value) > MAX_LETTER_BYTES // 6:
        # A character may need six in JSON; base64 needs four bytes for three whatever they are.
        return {"raw_base64": base64.b64encode(value).decode()}
    return {"raw": text}


def _origin(record: Received) -> list[Header]:
    key = [] if record.key is None else [(ORIGIN_KEY_HEADER, record.key)]
    headers = [*key, *((name, value or b"") for name, value in record.headers)]
    size = sum(len(name) + len(value) for name, value in headers)
    return headers if size <= MAX_ORIGIN_BYTES else []
