"""What a record holds: a JSON document, or a CloudEvent in structured or binary mode (Kafka binding 1.0)."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from connectors.mapping.values import Unreadable
from engine.core.identify import MAX_NAME, Name
from engine.core.values import iso

ATTRIBUTE_PREFIX = "ce_"
CONTENT_TYPE = "content-type"
STRUCTURED = "application/cloudevents"
STRUCTURED_JSON = "application/cloudevents+json"
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


class Document(Mapping[str, str]):
    """A JSON document as the text of its columns: dotted paths; missing and null are empty."""

    def __init__(self, root: Any, record: Received) -> None:
        self._root = root
        self._record = record

    def __getitem__(self, path: str) -> str:
        found = self._of_record(path) if path.startswith("@") else self._find(path)
        if isinstance(found, dict | list):
            raise Unreadable(f"{path} is not one value but {'an object' if isinstance(found, dict) else 'a list'}")
        if isinstance(found, bool):
            return "true" if found else "false"
        return "" if found is None else str(found)

    def __iter__(self) -> Iterator[str]:
        return iter(self._root)

    def __len__(self) -> int:
        return len(self._root)

    def _find(self, path: str) -> Any:
        place = self._root
        for name in path.split("."):
            if isinstance(place, list) and name.isdecimal() and int(name) < len(place):
                place = place[int(name)]
            elif isinstance(place, dict):
                place = place.get(name)
            else:
                return None
        return place

    def _of_record(self, column: str) -> str:
        record = self._record
        if column.startswith("@header."):
            return header_text(record, column.removeprefix("@header.")) or ""
        if column == "@time":
            if not 0 <= record.timestamp_ms <= MAX_TIMESTAMP_MS:
                raise Unreadable("the record has no timestamp")
            return iso(record.timestamp_ms * 1000)
        if column == "@key":
            return _text(record.key or b"", "the key")
        own = {"@topic": record.topic, "@partition": record.partition, "@offset": record.offset}
        if column not in own:
            raise Unreadable(f"a record has no column {column}")
        return str(own[column])


def json_document(record: Received) -> Document:
    """The document of a JSON record; numbers keep their digits. Raises `Unreadable`."""
    return Document(parsed_object(value_of(record)), record)


def parsed_object(value: bytes) -> dict[str, Any]:
    """A JSON object whose numbers are text. Raises `Unreadable`."""
    try:
        found = json.loads(value.decode(), parse_int=str, parse_float=str, parse_constant=_refuse_constant)
    except UnicodeDecodeError as error:
        raise Unreadable(f"not UTF-8: {error.reason} at byte {error.start}") from None
    except RecursionError:
        raise Unreadable("the JSON is nested too deeply") from None
    except ValueError as error:
        raise Unreadable(f"not JSON: {error}") from None
    if not isinstance(found, dict):
        raise Unreadable("the JSON is not an object")
    return found


def cloud_event(record: Received) -> bytes:
    """The CloudEvent of a record in JSON structured mode, its bytes untouched where it came so.

    Raises:
        Unreadable: it is none, or its data are not JSON.
    """
    content_type = (header_text(record, CONTENT_TYPE) or "").partition(";")[0].strip().lower()
    if content_type.startswith(STRUCTURED):
        if content_type != STRUCTURED_JSON:
            raise Unreadable(f"CloudEvents as {content_type} are not read")
        return value_of(record)
    if any(name.startswith(ATTRIBUTE_PREFIX) for name, _ in record.headers):
        return _from_binary(record, content_type)
    return value_of(record)


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


def _from_binary(record: Received, content_type: str) -> bytes:
    if content_type and content_type != "application/json" and not content_type.endswith("+json"):
        raise Unreadable(f"data as {content_type} are not read")
    names = {header[len(ATTRIBUTE_PREFIX) :] for header, _ in record.headers if header.startswith(ATTRIBUTE_PREFIX)}
    event: dict[str, Any] = {name: header_text(record, ATTRIBUTE_PREFIX + name) for name in sorted(names)}
    # What the event says of its data is the content type's and the value's to say.
    for name in ("data", "data_base64", "datacontenttype"):
        event.pop(name, None)
    if record.value:
        try:
            # Parsed whole before it is put into the envelope: it must not reach beyond its place in it.
            event["data"] = msgspec.json.decode(record.value, type=msgspec.Raw)
        except (msgspec.DecodeError, RecursionError) as error:
            raise Unreadable(f"data: not JSON: {error}") from None
    return msgspec.json.encode(event)


def _text(value: bytes, what: str) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise Unreadable(f"{what} is not UTF-8") from None


def _refuse_constant(name: str) -> str:
    raise ValueError(f"{name} is not JSON")
