"""A record and its profile to an event of Stockline, or to the reason why it is none. Pure, and total: never raises."""

from collections.abc import Callable
from functools import partial
from typing import Final, NamedTuple

from connectors.kafka_source.debezium import change_document
from connectors.kafka_source.documents import Received, cloud_event, json_document, value_of
from connectors.kafka_source.profile import SourceProfile, TopicProfile
from connectors.mapping.documents import Document
from connectors.mapping.reading import DocumentTranslator, Skipped
from connectors.mapping.values import Unreadable
from engine.core.events import Event, Reserved, decode, type_name
from engine.core.identify import Name, identify
from engine.core.outcomes import Rejection

UNTRANSLATABLE: Final = "untranslatable"
TOMBSTONE: Final = Skipped("a tombstone behind a deleted row")


class Translated(NamedTuple):
    """An event that the engine can decode, and its bytes."""

    event: Event
    value: bytes


class Misfit(Rejection, frozen=True):
    """The rejection of what was translated: it has the form of an event, so its name may be read."""

    name: Name


Outcome = Translated | Skipped | Rejection


class Translation:
    """All topics of a profile: call it with a record of one of them."""

    def __init__(self, profile: SourceProfile) -> None:
        self._read = {topic.topic: _reader(topic, profile.name) for topic in profile.topics}

    def __call__(self, record: Received) -> Outcome:
        """Translate one record."""
        try:
            value = self._read[record.topic](record)
        except Unreadable as error:
            return Rejection(UNTRANSLATABLE, str(error))
        except (ValueError, ArithmeticError, LookupError, TypeError, RecursionError) as error:
            # Whatever somebody puts into a record costs that record only, also where a rule does not foresee it.
            return Rejection(UNTRANSLATABLE, f"a rule cannot be applied: {error!r}")
        return value if isinstance(value, Skipped) else _checked(value)


Reader = Callable[[Received], bytes | Skipped]


def _reader(topic: TopicProfile, feed: str) -> Reader:
    if topic.event_column is not None:
        return partial(_outbox_row, topic.event_column)
    if not topic.rules:
        return cloud_event
    translator = DocumentTranslator(topic.topic_reading(feed), own_source=topic.source is not None)
    if topic.format == "json":
        return lambda record: translator.of_json(json_document(record), record.offset)
    if topic.format == "debezium":
        return lambda record: TOMBSTONE if record.value is None else translator.of_json(_change(record), record.offset)
    return lambda record: translator.of_event(cloud_event(record), record.column, record.offset)


def _outbox_row(event_column: str, record: Received) -> bytes | Skipped:
    """The event that a row of an outbox holds; rows are deleted once they were read."""
    if record.value is None:
        return TOMBSTONE
    change = _change(record)
    if change["op"] == "d":
        return Skipped("a row of the outbox was deleted")
    if not (event := change[event_column]):
        raise Unreadable(f"the column {event_column} holds no event")
    return event.encode()


def _change(record: Received) -> Document:
    return Document(change_document(value_of(record)), record.column)


def _checked(value: bytes) -> Outcome:
    event = decode(value)
    if isinstance(event, Rejection):
        return Misfit(event.reason, event.detail, identify(value))
    if isinstance(event, Reserved):
        return Misfit("reserved_type", f"the engine itself writes `{type_name(event)}`", identify(value))
    return Translated(event, value)
