"""What a record of a topic holds: a JSON document, or a CloudEvent in structured or binary mode (Kafka binding 1.0)."""

from collections.abc import Sequence
from typing import NamedTuple

from connectors.mapping.documents import STRUCTURED, Document, Message, media_type, parsed_object
from connectors.mapping.documents import cloud_event as event_of_message
from connectors.mapping.values import Unreadable
from engine.core.identify import MAX_NAME, Name
from engine.core.values import iso

ATTRIBUTE_PREFIX = "ce_"
CONTENT_TYPE = "content-type"
MAX_TIMESTAMP_MS = 253_402_300_799_999
"""The last millisecond of the year 9999."""


class Received(NamedTuple):
    """A record of a foreign topic."""

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    headers: Sequence[tuple[str, bytes]]
    value: bytes | None

    @property
    def place(self) -> str:
        """Where it is."""
        return f"{self.topic}/{self.partition}/{self.offset}"

    def column(self, name: str) -> str:
        """The text of a column `@...` of the record itself. Raises `Unreadable`."""
        if name.startswith("@header."):
            return header_text(self, name.removeprefix("@header.")) or ""
        if name == "@time":
            if not 0 <= self.timestamp_ms <= MAX_TIMESTAMP_MS:
                raise Unreadable("the record has no timestamp")
            return iso(self.timestamp_ms * 1000)
        if name == "@key":
            return _text(self.key or b"", "the key")
        own = {"@topic": self.topic, "@partition": self.partition, "@offset": self.offset}
        if name not in own:
            raise Unreadable(f"a record has no column {name}")
        return str(own[name])


def json_document(record: Received) -> Document:
    """The document of a JSON record; numbers keep their digits. Raises `Unreadable`."""
    return Document(parsed_object(value_of(record)), record.column)


def cloud_event(record: Received) -> bytes:
    """The CloudEvent of a record in JSON structured mode, its bytes untouched where it came so.

    Raises:
        Unreadable: it is none, or its data are not JSON.
    """
    content_type = header_text(record, CONTENT_TYPE) or ""
    in_binary_mode = any(name.startswith(ATTRIBUTE_PREFIX) for name, _ in record.headers)
    if media_type(content_type).startswith(STRUCTURED) or not in_binary_mode:
        return event_of_message(Message(content_type, {}, value_of(record)))
    names = {header[len(ATTRIBUTE_PREFIX) :] for header, _ in record.headers if header.startswith(ATTRIBUTE_PREFIX)}
    attributes = {name: header_text(record, ATTRIBUTE_PREFIX + name) or "" for name in names}
    return event_of_message(Message(content_type, attributes, record.value or b""))


def header_text(record: Received, name: str) -> str | None:
    """The header `name`, None where there is none. Raises `Unreadable`."""
    found = [value for header, value in record.headers if header.lower() == name.lower()]
    if len(found) > 1:
        raise Unreadable(f"the header {name} is there {len(found)} times")
    return _text(found[0] or b"", f"the header {name}") if found else None


def name_in_headers(record: Received) -> Name:
    """The name of a CloudEvent in binary mode, as far as the headers tell it."""
    found: list[str | None] = []
    for attribute in Name._fields:
        try:
            text = header_text(record, ATTRIBUTE_PREFIX + attribute)
        except Unreadable:
            text = None
        found.append(text[:MAX_NAME] if text else None)
    return Name(*found)


def value_of(record: Received) -> bytes:
    """The value of a record. Raises `Unreadable` where there is none."""
    if record.value is None:
        raise Unreadable("the record has no value")
    return record.value


def _text(value: bytes, what: str) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise Unreadable(f"{what} is not UTF-8") from None
