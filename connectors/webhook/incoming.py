"""What a request of a webhook holds, as events of Stockline. Pure: no connection is touched here.

A request carries one CloudEvent (binary or structured mode), a batch of them, a JSON document by rules, or an EPCIS
document. Each record of it is translated on its own, and one that cannot be is kept in the form in which it came.
"""

import base64
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec

from connectors.epcis.documents import events_of
from connectors.epcis.translation import EpcisTranslation
from connectors.mapping.documents import Document, Message, cloud_event, media_type, parsed_object
from connectors.mapping.reading import DocumentTranslator, Skipped
from connectors.mapping.values import Unreadable
from connectors.ports import Identifiers, UntranslatedRecord
from connectors.webhook.profile import NOWHERE, Listen

BATCH: Final = "application/cloudevents-batch+json"
NO_CLOUD_EVENT: Final = "neither a CloudEvent in structured mode (application/cloudevents+json) nor `ce-` headers"


@dataclass
class Taken:
    """What a request holds: events as JSON lines, records that are none, and those that a rule skips, by reason."""

    events: list[bytes] = field(default_factory=list)
    untranslated: list[UntranslatedRecord] = field(default_factory=list)
    skipped: dict[str, int] = field(default_factory=dict)


class Incoming:
    """Translates requests as a profile says."""

    def __init__(self, listen: Listen, source: str, identifiers: Identifiers) -> None:
        self._path = listen.path
        self._epcis: EpcisTranslation | None = None
        self._rules: DocumentTranslator | None = None
        self._is_json = listen.reading.format == "json"
        if listen.epcis is not None:
            self._epcis = EpcisTranslation(listen.epcis, identifiers)
        elif listen.reading.rules:
            own = listen.reading.source is not None
            self._rules = DocumentTranslator(listen.reading.reading(source, "{@none}", NOWHERE), own)

    def take(self, message: Message) -> Taken:
        """Everything that a request holds."""
        taken = Taken()
        try:
            for record in self._records(message):
                self._add(record, taken)
        except Unreadable as error:
            taken.untranslated.append(self._refused(error, message))
        return taken

    def again(self, record: bytes) -> Sequence[bytes]:
        """The events of a record that was kept. Raises `Unreadable`, or `Unmapped`."""
        translated = self._translated(_read_back(record))
        return () if isinstance(translated, Skipped) else translated

    def _records(self, message: Message) -> Iterator[Message]:
        if self._epcis is not None:
            for raw in events_of(message.body):
                yield Message("application/json", {}, raw.record)
        elif media_type(message.content_type) == BATCH:
            for each in _array(message.body):
                yield Message("application/cloudevents+json", {}, each)
        else:
            yield message

    def _add(self, record: Message, taken: Taken) -> None:
        try:
            translated = self._translated(record)
        except Unreadable as error:
            taken.untranslated.append(self._refused(error, record))
            return
        if isinstance(translated, Skipped):
            taken.skipped[translated.why] = taken.skipped.get(translated.why, 0) + 1
        else:
            taken.events += translated

    def _translated(self, record: Message) -> Sequence[bytes] | Skipped:
        try:
            return self._by_format(record)
        except (ValueError, ArithmeticError, LookupError, TypeError, RecursionError) as error:
            # Whatever somebody sends costs that record only, also where a rule does not foresee it.
            raise Unreadable(f"a rule cannot be applied: {error!r}") from None

    def _by_format(self, record: Message) -> Sequence[bytes] | Skipped:
        if self._epcis is not None:
            return _of_epcis(self._epcis, record.body)
        if self._rules is not None and self._is_json:
            document = Document(parsed_object(record.body), _no_column)
            return _one(self._rules.of_json(document, 0))
        if not record.attributes and not media_type(record.content_type).startswith("application/cloud"):
            raise Unreadable(NO_CLOUD_EVENT)
        event = cloud_event(record)
        if self._rules is not None:
            return _one(self._rules.of_event(event, _no_column, 0))
        return [_on_one_line(event)]

    def _refused(self, error: Unreadable, record: Message) -> UntranslatedRecord:
        kept = _kept(record)
        return UntranslatedRecord.of(error, hashlib.sha256(kept).hexdigest()[:32], kept, f"a request to {self._path}")


def _one(translated: bytes | Skipped) -> Sequence[bytes] | Skipped:
    return translated if isinstance(translated, Skipped) else [translated]


def _array(body: bytes) -> Sequence[bytes]:
    try:
        return [bytes(each) for each in msgspec.json.decode(body, type=list[msgspec.Raw])]
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise Unreadable(f"not a JSON array: {error}") from None


def _on_one_line(event: bytes) -> bytes:
    """An event without the white space of its form; its numbers keep their digits."""
    parsed_object(event)
    try:
        return msgspec.json.format(event, indent=-1)
    except (msgspec.DecodeError, RecursionError) as error:
        raise Unreadable(f"not JSON: {error}") from None


def _no_column(name: str) -> object:
    raise Unreadable(f"a webhook has no column {name}")


def _of_epcis(translation: EpcisTranslation, document: bytes) -> Sequence[bytes] | Skipped:
    outcomes = [translation(raw) for raw in events_of(document)]
    events = [event for outcome in outcomes for event in outcome.events]
    skipped = next((outcome.skipped for outcome in outcomes if outcome.skipped is not None), None)
    return events if events or skipped is None else Skipped(skipped)


def _kept(message: Message) -> bytes:
    """A record in full, so that it can be translated again."""
    whole: dict[str, object] = {"content_type": message.content_type}
    if message.attributes:
        whole["attributes"] = dict(sorted(message.attributes.items()))
    try:
        whole["body"] = message.body.decode()
    except UnicodeDecodeError:
        whole["body_base64"] = base64.b64encode(message.body).decode()
    return json.dumps(whole, separators=(",", ":")).encode()


def _read_back(kept: bytes) -> Message:
    whole = parsed_object(kept)
    body = str(whole["body"]).encode() if "body" in whole else base64.b64decode(whole.get("body_base64", ""))
    return Message(str(whole.get("content_type", "")), whole.get("attributes", {}), body)
