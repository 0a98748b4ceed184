"""A record and its profile to an event of Stockline, or to the reason why it is none. Pure, and total: never raises."""

import json
from collections.abc import Callable
from typing import Final, NamedTuple

from connectors.kafka_source.documents import Received, cloud_event, json_document
from connectors.kafka_source.profile import SourceProfile, TopicProfile
from connectors.mapping.documents import Document, parsed_object
from connectors.mapping.language import template_fields
from connectors.mapping.translator import Translator
from connectors.mapping.values import Unreadable
from engine.core.events import Event, Reserved, decode, type_name
from engine.core.identify import Name, identify
from engine.core.outcomes import Rejection

UNTRANSLATABLE: Final = "untranslatable"


class Translated(NamedTuple):
    """An event that the engine can decode, and its bytes."""

    event: Event
    value: bytes


class Skipped(NamedTuple):
    """A record that a rule leaves out, with the rule's reason."""

    why: str


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
    if not topic.rules:
        return cloud_event
    rules = _Rules(topic, feed)
    return rules.of_json if topic.format == "json" else rules.of_event


class _Rules:
    def __init__(self, topic: TopicProfile, feed: str) -> None:
        reading = topic.reading(feed)
        self._translate = Translator(reading)
        self._id_columns = template_fields(reading.id)
        self._own_source = topic.source is not None

    def of_json(self, record: Received) -> bytes | Skipped:
        """A JSON document by the rules."""
        return self._apply(json_document(record), record)

    def of_event(self, record: Received) -> bytes | Skipped:
        """A CloudEvent by the rules; its source stays unless the profile has one."""
        attributes = parsed_object(cloud_event(record))
        translated = self._apply(Document(attributes, record.column), record)
        source = attributes.get("source")
        if isinstance(translated, Skipped) or self._own_source or not source:
            return translated
        event = json.loads(translated) | {"source": source}
        return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()

    def _apply(self, document: Document, record: Received) -> bytes | Skipped:
        translated = self._translate(document, record.offset)
        if isinstance(translated, str):
            return Skipped(translated)
        for column in self._id_columns:
            # Two documents without a number would else be one event.
            if not document[column].strip():
                raise Unreadable(f"id: the column {column} is empty")
        return translated


def _checked(value: bytes) -> Outcome:
    event = decode(value)
    if isinstance(event, Rejection):
        return Misfit(event.reason, event.detail, identify(value))
    if isinstance(event, Reserved):
        return Misfit("reserved_type", f"the engine itself writes `{type_name(event)}`", identify(value))
    return Translated(event, value)
