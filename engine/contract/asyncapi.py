"""The AsyncAPI 3.0 document, made from the table of topics and the types of their records."""

from collections.abc import Mapping
from typing import Any

import msgspec

from engine import __version__
from engine.contract.examples import IN, OUT, examples_of
from engine.contract.schemas import DESCRIPTION, OUTPUT_TYPES, Schema, components, message_types
from engine.core.events import EVENT_TYPES
from engine.core.topics import DEFAULT_PARTITIONS, EVENTS, STATE, TOPICS, OutputTopic, TopicDeclaration
from engine.core.values import DAY

BINDING = "0.5.0"
"""The version of AsyncAPI's bindings for Kafka."""


def document() -> Schema:
    """The AsyncAPI 3.0 document: it has a channel for each topic and a message for each type of record."""
    _, parts = components(message_types(), "#/components/schemas/{name}")
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Stockline",
            "version": __version__,
            "description": DESCRIPTION,
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "defaultContentType": "application/cloudevents+json",
        "channels": {name: _channel(topic) for name, topic in TOPICS.items()},
        "operations": {name: _operation(topic) for name, topic in TOPICS.items() if topic is not STATE},
        "components": {"messages": _messages(), "schemas": _named_discriminators(parts)},
    }


def _named_discriminators(part: Any) -> Any:
    """Write each discriminator as the name of its property: only OpenAPI knows the object that msgspec makes."""
    if isinstance(part, list):
        return [_named_discriminators(each) for each in part]
    if not isinstance(part, dict):
        return part
    mended = {name: _named_discriminators(each) for name, each in part.items()}
    match mended.get("discriminator"):
        case {"propertyName": str() as name}:
            mended["discriminator"] = name
    return mended


def _types_of(topic: TopicDeclaration) -> Mapping[str, type]:
    """The types of a topic's records by their CloudEvents type; the changelog has none that are public."""
    if isinstance(topic, OutputTopic):
        return {kind: OUTPUT_TYPES[kind] for kind in topic.kinds}
    return EVENT_TYPES if topic is EVENTS else {}


def _channel(topic: TopicDeclaration) -> Schema:
    return {
        "address": topic.kafka_name,
        "title": topic.kafka_name,
        "description": topic.holds,
        "messages": {
            kind: {"$ref": f"#/components/messages/{made.__name__}"} for kind, made in _types_of(topic).items()
        },
        "bindings": {
            "kafka": {
                "topic": topic.kafka_name,
                "partitions": DEFAULT_PARTITIONS,
                "topicConfiguration": _configuration(topic),
                "bindingVersion": BINDING,
            }
        },
    }


def _configuration(topic: TopicDeclaration) -> Schema:
    if topic.kept_days is None:
        return {"cleanup.policy": ["compact"]}
    return {"cleanup.policy": ["delete"], "retention.ms": topic.kept_days * DAY // 1000}


def _operation(topic: TopicDeclaration) -> Schema:
    """What the engine does with a channel: it receives events and sends everything else."""
    return {
        "action": "receive" if topic is EVENTS else "send",
        "channel": {"$ref": f"#/channels/{topic.name}"},
        "summary": topic.holds,
    }


def _messages() -> Schema:
    return {
        made.__name__: _message(kind, made, topic)
        for topic in TOPICS.values()
        for kind, made in _types_of(topic).items()
    }


def _message(kind: str, made: type, topic: TopicDeclaration) -> Schema:
    return {
        "name": kind,
        "title": kind,
        "summary": _data_doc(made),
        "contentType": "application/cloudevents+json",
        "payload": {"$ref": f"#/components/schemas/{made.__name__}"},
        "examples": [{"payload": example} for example in examples_of(kind, IN if topic is EVENTS else OUT)],
        "bindings": {"kafka": {"key": {"type": "string", "description": topic.key}, "bindingVersion": BINDING}},
    }


def _data_doc(made: type) -> str | None:
    """The docstring of the type of a message's `data`."""
    data = next(field.type for field in msgspec.structs.fields(made) if field.name == "data")
    return data.__doc__ if isinstance(data, type) else None
