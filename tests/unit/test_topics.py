"""A topic is declared once, in engine/core/topics.py, and whatever else knows of topics knows every one."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from typing import get_args

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from engine.bus.disk import layout
from engine.bus.kafka import codec
from engine.bus.kafka.topics import wanted_config
from engine.bus.kafka.web.follower import FOLLOWED
from engine.contract import asyncapi, schemas
from engine.core.topics import HISTORIES, OUTPUT_TOPICS, STATE, TOPIC_OF, TOPICS, Topic
from engine.kafka import topic_names
from engine.web.openapi import document
from tests.golden.record import HERE
from tests.unit.test_glossary import modules
from tests.unit.test_layers import ROOT

HOME = "engine/core/topics.py"
PATHS = document()["paths"]
TABLES = next(each for each in PATHS["/v1/stream"]["get"]["parameters"] if each["name"] == "tables")


def test_every_topic_of_outputs_is_declared_and_no_other() -> None:
    assert list(OUTPUT_TOPICS) == list(get_args(Topic)), f"{HOME}: `Topic` and `OUTPUT_TOPICS` name other topics"


def test_no_two_topics_share_what_tells_them_apart() -> None:
    declared = OUTPUT_TOPICS.values()
    assert len({each.tag for each in declared}) == len(declared)
    assert {len(each.tag) for each in declared} == {1}
    assert len({each.data for each in declared}) == len(TOPIC_OF) == len(declared)
    kinds = [kind for each in declared for kind in each.kinds]
    assert len(kinds) == len(set(kinds))


@pytest.mark.parametrize("topic", get_args(Topic))
def test_a_topic_of_outputs_is_in_every_place(topic: Topic) -> None:
    declared = OUTPUT_TOPICS[topic]
    assert layout.TOPIC_TAGS[topic] == declared.tag, "engine/bus/disk/layout.py"
    assert codec.TOPIC_OF[declared.kafka_name] == topic, "engine/bus/kafka/codec.py"
    assert declared.kafka_name in FOLLOWED, "engine/bus/kafka/web/follower.py"
    assert set(declared.kinds) <= schemas.OUTPUT_TYPES.keys(), "engine/contract/schemas.py"
    assert set(declared.searched) <= set(declared.data.__struct_fields__), HOME
    assert (declared.order or declared.data.__struct_fields__[0]).removeprefix("-") in declared.data.__struct_fields__
    assert "get" in PATHS[f"/v1/{topic}"], "engine/web/routes.py: no list of it"
    assert topic in TABLES["description"], "engine/web/routes.py: the stream does not offer it"
    assert (topic in TABLES["schema"]["default"].split(",")) == declared.streamed


@pytest.mark.parametrize("name", TOPICS)
def test_a_topic_is_made_on_kafka_and_told_in_asyncapi(name: str) -> None:
    declared = TOPICS[name]
    channel = asyncapi.document()["channels"][name]
    assert channel["address"] == declared.kafka_name
    assert bool(channel["messages"]) == (declared is not STATE)
    assert declared.kafka_name in topic_names.TOPICS
    config, told = wanted_config(declared.kafka_name), channel["bindings"]["kafka"]["topicConfiguration"]
    assert [config["cleanup.policy"]] == told["cleanup.policy"]
    assert config.get("retention.ms") == (str(told["retention.ms"]) if "retention.ms" in told else None)


def test_each_message_of_asyncapi_has_examples_that_are_as_it_says() -> None:
    document = asyncapi.document()
    parts = {"components": document["components"]}
    for name, message in document["components"]["messages"].items():
        payload = Draft202012Validator({**parts, **message["payload"]}, format_checker=FormatChecker())
        assert message["examples"], f"engine/contract has no example of {name}"
        for example in message["examples"]:
            assert example["payload"]["type"] == message["name"]
            payload.validate(example["payload"])


def test_what_the_golden_log_publishes_is_declared_and_no_other() -> None:
    logs = ("outputs", "answers-outputs", "drafts-outputs")
    lines = [line for name in logs for line in (HERE / f"{name}.ndjson").read_bytes().splitlines()]
    published = {json.loads(line)["type"] for line in lines}
    declared = {kind for topic in OUTPUT_TOPICS.values() for kind in topic.kinds}
    assert published == declared, f"{HOME}: other kinds are declared than the engine publishes"


def test_the_last_kinds_of_a_topic_are_some_of_its_kinds() -> None:
    for topic in OUTPUT_TOPICS.values():
        assert set(topic.last_kinds) <= set(topic.kinds)
        assert bool(topic.last_kinds) == (topic.name in HISTORIES), f"{topic.name}: retention could never delete it"


def test_only_positions_have_no_history() -> None:
    assert set(OUTPUT_TOPICS) - set(HISTORIES) == {"positions"}


def second_declarations(source: str) -> Iterator[str]:
    """Where a source lists topics by hand, or writes the name of one on Kafka."""
    on_kafka = {declared.kafka_name for declared in TOPICS.values()}
    for node in ast.walk(ast.parse(source)):
        items: list[ast.expr | None] = []
        if isinstance(node, ast.Dict):
            items = node.keys
        elif isinstance(node, ast.List | ast.Tuple | ast.Set):
            items = [*node.elts]
        elif isinstance(node, ast.Constant) and node.value in on_kafka:
            yield f"{node.lineno}: writes {node.value}"
        texts = [item.value for item in items if isinstance(item, ast.Constant)]
        if len(texts) == len(items) > 1 and all(text in OUTPUT_TOPICS for text in texts):
            yield f"{items[0].lineno if items[0] else '?'}: lists {texts}"


def test_topics_are_listed_nowhere_else() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{each}"
        for path in modules()
        if path != ROOT / HOME
        for each in second_declarations(path.read_text())
    ]
    assert found == []


@pytest.mark.parametrize(
    "source",
    [
        'X = ("signals", "alerts")',
        'X = {"positions": b"p", "signals": b"s"}',
        'X = "stockline.state"',
        'f(["alerts", "signals"])',
    ],
)
def test_a_second_declaration_is_found(source: str) -> None:
    assert list(second_declarations(source))


@pytest.mark.parametrize("source", ['f("alerts")', 'X = {"signals": 1, "rows": 2}', 'X = "of stockline.state"'])
def test_a_single_name_is_none(source: str) -> None:
    assert not list(second_declarations(source))
