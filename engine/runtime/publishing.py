"""What a fold publishes: the position of a row, a revision of a signal or alert, and the dead letter of a record."""

import logging
from base64 import b64encode
from contextlib import suppress
from datetime import datetime
from hashlib import sha256
from typing import Any

import msgspec

from agents.turn import Turn
from engine.bus.single import Output, Record
from engine.core.decisions import decided_thing, told_by
from engine.core.events import AnswerToDeadLetter, DeadLetterReplayed, Event
from engine.core.identify import identify
from engine.core.outcomes import Rejection
from engine.core.outputs import Alert, DeadLetter, DeadLetterAnswer, Position, Signal, envelope, position_changed
from engine.core.topics import EVENTS, TOPIC_OF
from engine.core.values import NUL, moment, row_key
from tables.stock import Stock

log = logging.getLogger(__name__)

LONGEST_KEPT_BYTES = 16 << 20
"""Rejected records up to this size are stored in their dead letter; longer ones come out of compressed batches."""
SHORT_BYTES = 64 * 1024
"""Rejected records up to this size are stored as text, even if JSON escaping makes them up to six times larger."""


def position_of(row: bytes, stock: Stock, updated: datetime, ref: str) -> Output:
    """The published position of a row.

    Args:
        row: the row's name.
        stock: what it holds.
        updated: the moment of `stock.updated`.
        ref: the partition and the log offset of the last record that touched the row.
    """
    key = row.decode()
    sku, location = key.split(NUL)
    position = Position(
        sku,
        location,
        stock.available,
        stock.held,
        stock.available + stock.held,
        stock.reserved,
        stock.sellable,
        stock.on_order,
        stock.in_transit,
        stock.position,
        stock.version,
        updated,
    )
    value = position_changed(position, ref)
    return Output("positions", key, key, value, "position.changed")


def revision_of(kind: str, revision: int, data: Signal | Alert, turn: Turn) -> Output:
    """A revision of a signal or alert, as an event of the type `kind`."""
    value = envelope(kind, f"{data.id}/{revision}", turn.now, data, turn.event)
    if log.isEnabledFor(logging.DEBUG):
        log.debug("%s %s", kind, data.id, extra={**_correlation(turn.event), "partition": turn.partition})
    return Output(TOPIC_OF[type(data)], row_key(data.sku, data.location), data.id, value, kind)


def revisions_of(turn: Turn) -> list[Output]:
    """What an event publishes. Of a decision, the first revision of the thing decided upon says that it is one."""
    outputs = [revision_of(*effect, turn) for effect in turn.effects]
    told = told_by(turn.event)
    if told is not None:
        name = decided_thing(turn.event)
        place = next(place for place, output in enumerate(outputs) if output.id == name)
        outputs[place] = msgspec.structs.replace(outputs[place], told=told)
    return outputs


def _correlation(event: Event) -> dict[str, object]:
    """What ties a log line to an event."""
    return {
        "event_id": event.id, "event_source": event.source, "correlationid": event.correlationid,
        "traceparent": event.traceparent,
    }  # fmt: skip


def dead_letter_of(record: Record, event: Event | None, rejection: Rejection) -> Output:
    """The dead letter of a rejected record; `event` is None where the record could not be decoded."""
    name = f"{record.partition}-{record.offset}"
    source, event_id = (event.source, event.id) if event else identify(record.value)
    letter = DeadLetter(
        id=name,
        reason=rejection.reason,
        detail=_note_on_length(record.value) + rejection.detail,
        place=f"{EVENTS.kafka_name}/{record.partition}/{record.offset}",
        arrived=moment(record.arrived_at),
        event_id=event_id,
        event_source=source,
        **_exact(record.value),
    )
    value = envelope("event.refused", name, record.arrived_at, letter, event)
    if log.isEnabledFor(logging.DEBUG):
        said = {"event_id": event_id, "event_source": source} if event is None else _correlation(event)
        place = {"partition": record.partition, "offset": record.offset}
        log.debug("refused as %s: %s", rejection.reason, rejection.detail, extra={**said, **place})
    return Output("dead-letters", source or "", name, value, "event.refused")


def answer_of(event: AnswerToDeadLetter, now: int, place: str) -> Output:
    """What a person did about a dead letter; `place` tells the answer from all others."""
    told = event.data
    is_replayed = isinstance(event, DeadLetterReplayed)
    answer = DeadLetterAnswer(
        id=told.dead_letter,
        status="replayed" if is_replayed else "discarded",
        answered=moment(now),
        by=told.by,
        event=told.event,
        note=told.note,
    )
    kind = "dead_letter.replayed" if is_replayed else "dead_letter.discarded"
    value = envelope(kind, f"{told.dead_letter}/{place}", now, answer, event)
    return Output("dead-letter-answers", told.dead_letter, told.dead_letter, value, kind)


def _note_on_length(value: bytes) -> str:
    """The sentence that stands in a dead letter for bytes that no record has room for."""
    if len(value) <= LONGEST_KEPT_BYTES:
        return ""
    return f"its {len(value)} bytes are too many to be kept here, SHA-256 {sha256(value).hexdigest()}; "


def _exact(value: bytes) -> dict[str, Any]:
    """The exact bytes of a record, as text where they are text and JSON does not make it much longer."""
    if len(value) > LONGEST_KEPT_BYTES:
        return {}
    with suppress(UnicodeDecodeError):
        text = value.decode()
        if len(value) < SHORT_BYTES or len(msgspec.json.encode(text)) < 1.4 * len(value):
            return {"raw": text}
    return {"raw_base64": b64encode(value).decode()}
