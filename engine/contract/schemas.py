"""The contract as documents, from the very types that decode and encode: JSON Schema 2020-12 and AsyncAPI 3.0."""

from collections.abc import Iterable
from typing import Any

import msgspec

from engine import __version__
from engine.core.errors import UsageError
from engine.core.events import EVENT_TYPES
from engine.core.outputs import Alert, DeadLetter, OutputEvent, Position, Signal

Schema = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
DOCUMENTS = ("asyncapi", "openapi")

_DAY_MS = 24 * 3600 * 1000
_DESCRIPTION = (
    "One live truth of inventory per SKU and location: events in, positions, replenishment signals and alerts out."
)

_PAYLOADS = {
    "position.changed": Position,
    "signal.opened": Signal,
    "signal.amended": Signal,
    "signal.withdrawn": Signal,
    "signal.closed": Signal,
    "alert.opened": Alert,
    "alert.updated": Alert,
    "alert.resolved": Alert,
    "event.refused": DeadLetter,
}


def _output_type(kind: str, payload: type) -> type:
    """The envelope of everything that goes out, with its `type` and `data` narrowed."""
    name = "".join(map(str.capitalize, kind.split("."))) + "Output"
    fields = [
        (field.name, payload if field.name == "data" else field.type, field.default)
        if field.default is not msgspec.NODEFAULT
        else (field.name, payload if field.name == "data" else field.type)
        for field in msgspec.structs.fields(OutputEvent)
        if field.name != "type"
    ]
    made: type = msgspec.defstruct(
        name, fields, tag_field="type", tag=kind, kw_only=True, omit_defaults=True, namespace={"__doc__": f"`{kind}`."}
    )
    return made


OUTPUT_TYPES: dict[str, type] = {kind: _output_type(kind, payload) for kind, payload in _PAYLOADS.items()}
NAMES = (*EVENT_TYPES, *(kind for kind in OUTPUT_TYPES if kind not in EVENT_TYPES))


def _types() -> list[type]:
    return [*EVENT_TYPES.values(), *OUTPUT_TYPES.values()]


def components(types: Iterable[Any], template: str) -> tuple[list[Schema], dict[str, Schema]]:
    """The schemas of `types`, and those that they refer to by `template`, such as `#/$defs/{name}`."""
    schemas, parts = msgspec.json.schema_components(types, ref_template=template)
    return [_mend(schema) for schema in schemas], {name: _mend(part) for name, part in sorted(parts.items())}


def _mend(schema: Any) -> Any:
    """Say what the decoder takes and the generator leaves out: an amount may be a number as well as a string."""
    if isinstance(schema, list):
        return [_mend(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("format") == "decimal" and schema.get("type") == "string":
        return {**schema, "type": ["string", "number"]}
    return {name: _mend(part) for name, part in schema.items()}


def of_type(kind: str) -> Schema:
    """The JSON Schema of one type of event; raises UsageError for a type that there is not.

    `alert.resolved` is two: the answer of a person that goes in, and the change of the alert that comes out.
    """
    types = [table[kind] for table in (EVENT_TYPES, OUTPUT_TYPES) if kind in table]
    if not types:
        raise UsageError(f"there is no type {kind!r}; there are {', '.join(NAMES)}, and {' and '.join(DOCUMENTS)}")
    schemas, parts = components(types, "#/$defs/{name}")
    body = schemas[0] if len(schemas) == 1 else {"oneOf": schemas}
    return {"$schema": DIALECT, "$id": f"urn:stockline:{kind}:1", "title": kind, **body, "$defs": parts}


def contract() -> Schema:
    """The JSON Schema of the whole contract: any event that goes in or comes out."""
    schemas, parts = components(_types(), "#/$defs/{name}")
    return {
        "$schema": DIALECT,
        "$id": "urn:stockline:contract:1",
        "title": "Stockline, version 1",
        "description": _DESCRIPTION,
        "oneOf": schemas,
        "$defs": parts,
    }


class _Channel(msgspec.Struct):
    """A topic: its key, how long it keeps, and the types in it. An empty `types` is the engine's own business."""

    key: str
    kafka: dict[str, Any]
    what: str
    types: dict[str, type]


def _kept_days(days: int) -> dict[str, Any]:
    return {"cleanup.policy": ["delete"], "retention.ms": days * _DAY_MS}


def _outputs(thing: str) -> dict[str, type]:
    return {kind: made for kind, made in OUTPUT_TYPES.items() if kind.startswith(f"{thing}.")}


_COMPACTED: dict[str, Any] = {"cleanup.policy": ["compact"]}
_ROW = "sku and location"

CHANNELS = {
    "events": _Channel(
        "sku",
        _kept_days(14),
        "All events in, one totally ordered log per sku. location.defined, feed.declared, clock.ticked and "
        "clock.accepted go to every partition.",
        dict(EVENT_TYPES),
    ),
    "state": _Channel("table and row", _COMPACTED, "The engine's own changelog; its records are not public.", {}),
    "positions": _Channel(_ROW, _COMPACTED, "The latest row of (sku, location).", _outputs("position")),
    "signals": _Channel(_ROW, _kept_days(30), "Every revision of every signal.", _outputs("signal")),
    "alerts": _Channel(_ROW, _kept_days(30), "Every change of every alert.", _outputs("alert")),
    "dead-letters": _Channel(
        "source", _kept_days(30), "Refused records: their bytes, the reason, the place.", _outputs("event")
    ),
}


def asyncapi() -> Schema:
    """The AsyncAPI 3.0 document: a channel per topic, a message per type."""
    _, parts = components(_types(), "#/components/schemas/{name}")
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Stockline",
            "version": __version__,
            "description": _DESCRIPTION,
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "defaultContentType": "application/cloudevents+json",
        "channels": {name: _channel(name, channel) for name, channel in CHANNELS.items()},
        "operations": {name: _operation(name) for name in CHANNELS if name != "state"},
        "components": {"messages": _messages(), "schemas": _named_discriminators(parts)},
    }


def _named_discriminators(part: Any) -> Any:
    """Write each discriminator as AsyncAPI does, by the name of its property; the object form is OpenAPI's alone."""
    if isinstance(part, list):
        return [_named_discriminators(each) for each in part]
    if not isinstance(part, dict):
        return part
    mended = {name: _named_discriminators(each) for name, each in part.items()}
    match mended.get("discriminator"):
        case {"propertyName": str() as name}:
            mended["discriminator"] = name
    return mended


def _channel(name: str, channel: _Channel) -> Schema:
    topic = f"stockline.{name}"
    return {
        "address": topic,
        "title": topic,
        "description": channel.what,
        "messages": {kind: {"$ref": f"#/components/messages/{made.__name__}"} for kind, made in channel.types.items()},
        "bindings": {
            "kafka": {
                "topic": topic,
                "partitions": 8,
                "topicConfiguration": channel.kafka,
                "bindingVersion": "0.5.0",
            }
        },
    }


def _operation(name: str) -> Schema:
    """What the engine does with a channel: it receives events and sends everything else."""
    return {
        "action": "receive" if name == "events" else "send",
        "channel": {"$ref": f"#/channels/{name}"},
        "summary": CHANNELS[name].what,
    }


def _messages() -> Schema:
    return {
        made.__name__: _message(kind, made, channel.key)
        for channel in CHANNELS.values()
        for kind, made in channel.types.items()
    }


def _message(kind: str, made: type, key: str) -> Schema:
    return {
        "name": kind,
        "title": kind,
        "summary": _data_doc(made),
        "contentType": "application/cloudevents+json",
        "payload": {"$ref": f"#/components/schemas/{made.__name__}"},
        "bindings": {"kafka": {"key": {"type": "string", "description": key}, "bindingVersion": "0.5.0"}},
    }


def _data_doc(made: type) -> str | None:
    data = next(field.type for field in msgspec.structs.fields(made) if field.name == "data")
    return data.__doc__ if isinstance(data, type) else None
