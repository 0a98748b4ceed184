"""The documents of the contract: true to the decoder, complete, and well formed."""

import json
import re
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

from engine.contract import asyncapi
from engine.contract import schemas as schema
from engine.core import events
from engine.core.errors import UsageError
from engine.core.outcomes import Rejection
from engine.web import openapi
from engine.web.routes import ROUTES
from tests.unit.documents import events_in_blocks, example_events
from tests.unit.fake_service import FakeService

ROW = {"sku": "85123A", "location": "LDS"}
EXAMPLES: dict[str, dict[str, Any]] = {said["type"]: said["data"] for said in map(json.loads, example_events())}
"""The data of an event of every type, as the documents show it."""


def event(kind: str, data: dict[str, Any]) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": "1",
        "source": "wms/leeds",
        "type": kind,
        "time": "2026-03-02T09:14:05+00:00",
        "data": data,
    }


def validator(kind: str) -> jsonschema.Draft202012Validator:
    document = schema.of_type(kind)
    jsonschema.Draft202012Validator.check_schema(document)
    return jsonschema.Draft202012Validator(document, format_checker=jsonschema.FormatChecker())


def test_there_is_an_example_of_every_type_that_goes_in() -> None:
    assert EXAMPLES.keys() == events.EVENT_TYPES.keys()


@pytest.mark.parametrize("kind", schema.NAMES)
def test_the_schema_of_every_type_has_examples_that_obey_it(kind: str) -> None:
    found = schema.of_type(kind)["examples"]
    assert found, f"engine/contract: no example of {kind}"
    assert {each["type"] for each in found} == {kind}
    assert [error for each in found for error in validator(kind).iter_errors(each)] == []


@pytest.mark.parametrize("kind", EXAMPLES)
def test_the_schema_and_the_decoder_take_the_same_event(kind: str) -> None:
    example = event(kind, EXAMPLES[kind])
    assert not isinstance(events.decode(json.dumps(example).encode()), Rejection)
    assert list(validator(kind).iter_errors(example)) == []


@pytest.mark.parametrize("text", [*example_events(), *events_in_blocks()])
def test_every_event_that_is_shown_is_taken_as_it_is(text: str) -> None:
    example = json.loads(text)
    assert not isinstance(events.decode(text.encode()), Rejection)
    assert list(validator(example["type"]).iter_errors(example)) == []


@pytest.mark.parametrize("kind", EXAMPLES)
def test_the_schema_and_the_decoder_refuse_an_unknown_field_and_a_missing_one(kind: str) -> None:
    check = validator(kind)
    for data in ({**EXAMPLES[kind], "surprise": 1}, dict(list(EXAMPLES[kind].items())[1:])):
        if kind == "clock.ticked" and not data:
            continue
        bad = event(kind, data)
        assert isinstance(events.decode(json.dumps(bad).encode()), Rejection)
        assert list(check.iter_errors(bad))


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("stock.issued", {**ROW, "qty": 0}),
        ("stock.issued", {**ROW, "qty": 1.5}),
        ("stock.issued", {**ROW, "qty": 10**12 + 1}),
        ("stock.issued", {**ROW, "qty": "1"}),
        ("stock.counted", {**ROW, "qty": -1}),
        ("stock.counted", {**ROW, "qty": 1, "sku": ""}),
        ("stock.counted", {**ROW, "qty": 1, "sku": " A"}),
        ("stock.counted", {**ROW, "qty": 1, "sku": "A" * 65}),
        ("policy.set", {**ROW, "policy": {"kind": "guess"}}),
        ("stock.returned", {**ROW, "qty": 1, "disposition": "eaten"}),
    ],
)
def test_the_schema_and_the_decoder_refuse_the_same_values(kind: str, data: dict[str, Any]) -> None:
    bad = event(kind, data)
    assert isinstance(events.decode(json.dumps(bad).encode()), Rejection)
    assert list(validator(kind).iter_errors(bad))


def test_an_amount_may_be_a_number_or_a_string() -> None:
    for cost in (2.55, 3, "2.55", 0.1 + 0.2, "0." + "3" * 40, "1E+12"):
        example = event("policy.set", {**EXAMPLES["policy.set"], "unit_cost": cost})
        assert not isinstance(events.decode(json.dumps(example).encode()), Rejection)
        assert list(validator("policy.set").iter_errors(example)) == []


@pytest.mark.parametrize("amount", ["1e-999999999", "0E-999999", "0." + "3" * 41, "sNaN", "-0.01", "1E+13"])
@pytest.mark.parametrize("field", ["unit_cost", "unit_margin", "auto"])
def test_an_amount_that_nobody_could_write_out_is_refused_at_the_door(field: str, amount: str) -> None:
    """An amount is written out in what the engine publishes, so a short number may cost a gigabyte of memory."""
    data = {**EXAMPLES["policy.set"], field: {"max_value": amount} if field == "auto" else amount}
    refused = events.decode(json.dumps(event("policy.set", data)).encode())
    assert isinstance(refused, Rejection)
    assert (refused.reason, "amount of money" in refused.detail) == ("invalid_event", True)


def test_what_goes_out_obeys_its_schema() -> None:
    service = FakeService()
    service.receive("A", "L", 4)
    service.open_signal("sig-1")
    service.open_alert("al-1")
    tables = service.bus.published.tables
    for topic, kind in (("positions", "position.changed"), ("signals", "signal.opened"), ("alerts", "alert.opened")):
        [value] = tables[topic].values()  # type: ignore[index]
        assert list(validator(kind).iter_errors(json.loads(value))) == []


def test_the_type_that_goes_both_ways_has_both_shapes() -> None:
    service = FakeService()
    service.open_alert("al-1")
    out = json.loads(service.bus.published.tables["alerts"]["al-1"]) | {"type": "alert.resolved"}
    check = validator("alert.resolved")
    assert list(check.iter_errors(out)) == []
    assert list(check.iter_errors(event("alert.resolved", EXAMPLES["alert.resolved"]))) == []


def test_the_whole_contract_is_one_schema_that_tells_types_apart() -> None:
    document = schema.contract()
    jsonschema.Draft202012Validator.check_schema(document)
    check = jsonschema.Draft202012Validator(document)
    for kind, data in EXAMPLES.items():
        assert list(check.iter_errors(event(kind, data))) == []
    assert list(check.iter_errors(event("stock.eaten", ROW)))
    assert list(check.iter_errors(event("stock.issued", EXAMPLES["stock.counted"])))


def test_an_unknown_type_is_wrong_usage() -> None:
    with pytest.raises(UsageError, match=r"goods\.received"):
        schema.of_type("goods.eaten")


def references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        for each in part.values():
            yield from references(each)
    elif isinstance(part, list):
        for each in part:
            yield from references(each)


def resolve(document: Any, reference: str) -> Any:
    assert reference.startswith("#/")
    for name in reference[2:].split("/"):
        document = document[name]
    return document


@pytest.mark.parametrize("document", [asyncapi.document(), openapi.document()], ids=["asyncapi", "openapi"])
def test_every_reference_of_a_document_leads_somewhere(document: Any) -> None:
    found = set(references(document))
    assert len(found) > 50
    for reference in found:
        assert resolve(document, reference)
    json.dumps(document)


def test_asyncapi_has_the_topics_of_the_contract() -> None:
    document = asyncapi.document()
    assert document["asyncapi"] == "3.0.0"
    assert {"title", "version"} <= document["info"].keys()
    addresses = {channel["address"] for channel in document["channels"].values()}
    topics = ("events", "state", "positions", "signals", "alerts", "dead-letters", "dead-letter-answers")
    assert addresses == {f"stockline.{topic}" for topic in topics}
    for channel in document["channels"].values():
        assert channel["bindings"]["kafka"]["topic"] == channel["address"]
        assert set(channel["bindings"]["kafka"]["topicConfiguration"]["cleanup.policy"]) <= {"delete", "compact"}
    assert document["channels"]["events"]["messages"].keys() == events.EVENT_TYPES.keys()


def test_asyncapi_names_the_property_of_a_discriminator() -> None:
    policy = asyncapi.document()["components"]["schemas"]["PolicySetData"]["properties"]["policy"]
    assert policy["discriminator"] == "kind"
    for option in policy["anyOf"]:
        assert "kind" in resolve(asyncapi.document(), option["$ref"])["required"]


def test_asyncapi_messages_have_a_key_and_a_payload_of_their_type() -> None:
    document = asyncapi.document()
    for channel in document["channels"].values():
        for kind, reference in channel["messages"].items():
            message = resolve(document, reference["$ref"])
            assert message["name"] == kind
            assert message["bindings"]["kafka"]["key"]["type"] == "string"
            payload = resolve(document, message["payload"]["$ref"])
            assert payload["properties"]["type"]["enum"] == [kind]
            assert message["summary"]


def test_asyncapi_operations_are_the_engines() -> None:
    document = asyncapi.document()
    actions = {name: operation["action"] for name, operation in document["operations"].items()}
    assert actions == {
        "events": "receive", "positions": "send", "signals": "send", "alerts": "send", "dead-letters": "send",
        "dead-letter-answers": "send",
    }  # fmt: skip
    for operation in document["operations"].values():
        assert resolve(document, operation["channel"]["$ref"])


def test_openapi_has_every_call_of_the_contract() -> None:
    document = openapi.document()
    assert document["openapi"].startswith("3.1")
    calls = {f"{method.upper()} {path}" for path, item in document["paths"].items() for method in item}
    assert len(calls) == len(ROUTES)
    for call in (
        "POST /v1/events", "GET /v1/positions", "GET /v1/positions/{sku}/{location}", "GET /v1/kpis",
        "GET /v1/positions/{sku}/{location}/events", "GET /v1/signals", "GET /v1/signals/{id}", "GET /v1/alerts",
        "POST /v1/signals/{id}/{verb}", "POST /v1/alerts/{id}/{verb}", "GET /v1/dead-letters", "GET /v1/stream",
        "POST /v1/dead-letters/{id}/replay", "GET /v1/sync", "GET /healthz", "GET /readyz", "GET /metrics",
        "GET /openapi.json", "GET /asyncapi.json", "GET /",
    ):  # fmt: skip
        assert call in calls


def test_openapi_operations_are_whole() -> None:
    names = []
    for path, item in openapi.document()["paths"].items():
        for operation in item.values():
            names.append(operation["operationId"])
            declared = {each["name"] for each in operation["parameters"] if each["in"] == "path"}
            assert declared == set(re.findall(r"\{(\w+)\}", path))
            assert any(status < "400" for status in operation["responses"])
            for parameter in operation["parameters"]:
                jsonschema.Draft202012Validator.check_schema(parameter["schema"])
    assert len(set(names)) == len(names)


def test_openapi_schemas_are_json_schemas() -> None:
    for part in openapi.document()["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(part)
