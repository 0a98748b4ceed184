"""What a message holds, whatever carries it: a JSON document, or a CloudEvent in structured or binary mode."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import msgspec

from connectors.mapping.values import Unreadable

STRUCTURED = "application/cloudevents"
STRUCTURED_JSON = "application/cloudevents+json"

OwnColumn = Callable[[str], object]
"""The value of a column `@...` of the carrier itself; raises `Unreadable` for one that it does not have."""


class Message(NamedTuple):
    """A content type, the attributes of a CloudEvent in binary mode by their names (else none), and a body."""

    content_type: str
    attributes: Mapping[str, str]
    body: bytes


class Document(Mapping[str, str]):
    """A JSON document as the text of its columns: dotted paths; missing and null are empty."""

    def __init__(self, root: Any, own_column: OwnColumn) -> None:
        self._root = root
        self._own_column = own_column

    def __getitem__(self, path: str) -> str:
        found = self._own_column(path) if path.startswith("@") else self._find(path)
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


def cloud_event(message: Message) -> bytes:
    """The CloudEvent of a message in JSON structured mode, its bytes untouched where it came so.

    Raises:
        Unreadable: it is none, or its data are not JSON.
    """
    content_type = media_type(message.content_type)
    if content_type.startswith(STRUCTURED):
        if content_type != STRUCTURED_JSON:
            raise Unreadable(f"CloudEvents as {content_type} are not read")
        return message.body
    return _from_binary(message, content_type) if message.attributes else message.body


def media_type(content_type: str) -> str:
    """A content type without its parameters, in lower case."""
    return content_type.partition(";")[0].strip().lower()


def _from_binary(message: Message, content_type: str) -> bytes:
    if content_type and content_type != "application/json" and not content_type.endswith("+json"):
        raise Unreadable(f"data as {content_type} are not read")
    event: dict[str, Any] = dict(sorted(message.attributes.items()))
    # What the event says of its data is the content type's and the body's to say.
    for name in ("data", "data_base64", "datacontenttype"):
        event.pop(name, None)
    if message.body:
        try:
            # Parsed whole before it is put into the envelope: it must not reach beyond its place in it.
            event["data"] = msgspec.json.decode(message.body, type=msgspec.Raw)
        except (msgspec.DecodeError, RecursionError) as error:
            raise Unreadable(f"data: not JSON: {error}") from None
    return msgspec.json.encode(event)


def _refuse_constant(name: str) -> str:
    raise ValueError(f"{name} is not JSON")
