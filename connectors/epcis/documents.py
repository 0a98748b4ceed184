"""An EPCIS 2.0 document in JSON or JSON-LD to its events, each in its own bytes, so that a broken one costs itself.

A document is an `EPCISDocument`, an `EPCISQueryDocument`, one event, or an array of any of these.
"""

from codecs import BOM_UTF8
from collections import deque
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

import msgspec

from connectors.base import Json
from connectors.mapping.values import Unreadable

MAX_DOCUMENT_BYTES: Final = 64 * 1024 * 1024
"""A document is read whole, since JSON can be checked only at its end; a larger one is refused."""
MAX_EVENT_BYTES: Final = 4 * 1024 * 1024
MAX_DEPTH: Final = 8
"""A document lies in an array, and its events four levels below it; what lies deeper is no document."""
KINDS: Final = ("ObjectEvent", "AggregationEvent", "TransactionEvent", "TransformationEvent", "AssociationEvent")
CONTEXT: Final = {
    "gs1": "https://ref.gs1.org/voc/",
    "cbv": "https://ref.gs1.org/cbv/",
    "epcis": "https://ref.gs1.org/epcis/",
    "cbvmda": "urn:epcglobal:cbv:mda:",
}
"""The prefixes that the standard's own context declares."""

_LEVELS: Final = ("epcisBody", "queryResults", "resultsBody", "eventList", "event")


class RawEvent(NamedTuple):
    """An event's bytes, and the prefixes that its document declares."""

    text: bytes
    namespaces: Mapping[str, str]

    @property
    def record(self) -> bytes:
        """The event as a document of its own, so that it can be read again: prefixes are a part of its hash."""
        declared = {name: uri for name, uri in self.namespaces.items() if CONTEXT.get(name) != uri}
        if not declared:
            return self.text
        whole = {"@context": [declared], "type": "EPCISDocument", "epcisBody": {"eventList": [msgspec.Raw(self.text)]}}
        return msgspec.json.encode(whole)


def events_of(document: bytes) -> Iterator[RawEvent]:
    """The events of a document, in its order.

    Raises `Unreadable` where the document is broken; the events before that place have come then.
    """
    if len(document) > MAX_DOCUMENT_BYTES:
        raise Unreadable(f"a document of {len(document)} bytes, where {MAX_DOCUMENT_BYTES} may be read: split it")
    waiting: deque[tuple[bytes, Mapping[str, str], int]] = deque([(document.removeprefix(BOM_UTF8), CONTEXT, 0)])
    while waiting:
        text, namespaces, depth = waiting.popleft()
        if depth > MAX_DEPTH:
            raise Unreadable("arrays or documents lie within each other too deeply")
        if text.lstrip()[:1] == b"[":
            parts: list[msgspec.Raw] = _decoded(text, list[msgspec.Raw])
            waiting.extendleft((bytes(part), namespaces, depth + 1) for part in reversed(parts))
            continue
        fields: dict[str, msgspec.Raw] = _decoded(text, dict[str, msgspec.Raw])
        declared = _declared(fields.get("@context"), namespaces)
        inner = next((fields[name] for name in _LEVELS if name in fields), None)
        if inner is not None and "eventTime" not in fields:
            waiting.appendleft((bytes(inner), declared, depth + 1))
        elif fields:
            yield RawEvent(text, declared)


def _declared(context: msgspec.Raw | None, namespaces: Mapping[str, str]) -> Mapping[str, str]:
    """The prefixes of a `@context`: a URI, an object, or a list of both."""
    if context is None:
        return namespaces
    value: Json = _decoded(bytes(context), object)
    found = dict(namespaces)
    for part in value if isinstance(value, list) else [value]:
        if isinstance(part, dict):
            found |= {name: uri for name, uri in part.items() if isinstance(uri, str)}
    return found


def _decoded(text: bytes, kind: Json) -> Json:
    if text.lstrip()[:1] == b"<":
        raise Unreadable("the document is XML: EPCIS is read as JSON (EPCIS 2.0), so ask the sender for that")
    try:
        return msgspec.json.decode(text, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Unreadable(f"not a JSON document: {error}") from None
    except RecursionError:
        raise Unreadable("the JSON is nested too deeply") from None
