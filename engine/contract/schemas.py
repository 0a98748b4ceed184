"""JSON Schema 2020-12 of the contract, made from the types that decode events and encode outputs."""

from collections.abc import Iterable
from typing import Any

import msgspec

from engine.contract.examples import examples_of
from engine.core.errors import UsageError
from engine.core.events import EVENT_TYPES
from engine.core.outputs import OutputEvent
from engine.core.topics import OUTPUT_TOPICS

Schema = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
DOCUMENTS = ("asyncapi", "openapi")

DESCRIPTION = (
    "One live truth of inventory per SKU and location: events in, positions, replenishment signals and alerts out."
)


def _output_type(kind: str, payload: type) -> type:
    """The envelope of outputs with the CloudEvents type `kind`, whose `data` is a `payload`."""
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


OUTPUT_TYPES: dict[str, type] = {
    kind: _output_type(kind, topic.data) for topic in OUTPUT_TOPICS.values() for kind in topic.kinds
}
"""CloudEvents type of an output -> the type of its envelope."""
NAMES = (*EVENT_TYPES, *(kind for kind in OUTPUT_TYPES if kind not in EVENT_TYPES))


def message_types() -> list[type]:
    """The envelopes of all events that go in or come out."""
    return [*EVENT_TYPES.values(), *OUTPUT_TYPES.values()]


def components(types: Iterable[object], template: str) -> tuple[list[Schema], dict[str, Schema]]:
    """The schemas of `types`, and the schemas by name that these refer to.

    Args:
        types: what msgspec can describe.
        template: how a reference is written, such as `#/$defs/{name}`.
    """
    schemas, parts = msgspec.json.schema_components(types, ref_template=template)
    return [_mend(schema) for schema in schemas], {name: _mend(part) for name, part in sorted(parts.items())}


def _mend(schema: Any) -> Any:
    """Correct a generated schema: the decoder takes a decimal as a number, too, but msgspec tells only the string."""
    if isinstance(schema, list):
        return [_mend(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("format") == "decimal" and schema.get("type") == "string":
        return {**schema, "type": ["string", "number"]}
    return {name: _mend(part) for name, part in schema.items()}


def of_type(kind: str) -> Schema:
    """The JSON Schema of one type of event, with examples; raises UsageError if the type does not exist.

    The schema of `alert.resolved` has two branches: the answer of a person, which goes in, and the change of the alert,
    which comes out.
    """
    types = [table[kind] for table in (EVENT_TYPES, OUTPUT_TYPES) if kind in table]
    if not types:
        raise UsageError(f"there is no type {kind!r}; there are {', '.join(NAMES)}, and {' and '.join(DOCUMENTS)}")
    schemas, parts = components(types, "#/$defs/{name}")
    body = schemas[0] if len(schemas) == 1 else {"oneOf": schemas}
    told = {"title": kind, "examples": examples_of(kind)}
    return {"$schema": DIALECT, "$id": f"urn:stockline:{kind}:1", **told, **body, "$defs": parts}


def contract() -> Schema:
    """The JSON Schema of the whole contract: any event that goes in or comes out."""
    schemas, parts = components(message_types(), "#/$defs/{name}")
    return {
        "$schema": DIALECT,
        "$id": "urn:stockline:contract:1",
        "title": "Stockline, version 1",
        "description": DESCRIPTION,
        "oneOf": schemas,
        "$defs": parts,
    }
