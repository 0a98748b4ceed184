"""docs/contract.md is complete: events, fields, reasons, alerts, topics, headers, calls, problems and commands."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest

from engine.bus.memory.bus import MemoryBus
from engine.contract import schemas as schema
from engine.contract.examples import FOLDER
from engine.core.events import EVENT_TYPES, Event, Reserved
from engine.core.outcomes import Reason
from engine.core.outputs import SEVERITY, Alert, AlertKind, DeadLetter, OutputEvent, Position, Signal
from engine.core.rules import Rules
from engine.core.topics import TOPICS
from engine.runtime.single.engine import Engine
from tests.auditor.adapter import Rig, differences
from tests.auditor.model import Model, instant
from tests.unit.documents import ROOT, rows, section, text_of

CONTRACT = text_of("contract.md")
IN_FORCE = CONTRACT.split("## 8. ")[0]
REVIEW = re.compile(r'return \["([a-z_]+)"\]|reasons\.append\("([a-z_]+)"\)|f"([a-z_]+:)\{name\}"')
OUTPUTS = [json.loads(line) for line in (ROOT / "tests" / "golden" / "outputs.ndjson").read_text().splitlines()]


def sources(*folders: str) -> list[tuple[Path, str]]:
    return [(path, path.read_text()) for folder in folders for path in (ROOT / folder).rglob("*.py")]


def spans_of(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


# events in ------------------------------------------------------------------------------------------------------------


def told_types() -> dict[str, str]:
    """Event type -> the cell that tells its data."""
    return {name: data for names, data, _ in rows(section(CONTRACT, "Event types")) for name in spans_of(names)}


def told_fields(cell: str) -> tuple[set[str], set[str]]:
    """The required and the optional fields of a cell; what is in braces or brackets is within a field."""
    plain = re.sub(r"\([^)]*\)|\{[^}]*\}|\[[^\]]*\]|`[^`]*`(?: or `[^`]*`)*|, status one of.*| A/B/C", "", cell)
    optional = [field for part in re.findall(r"\*([^*]+)\*", plain) for field in re.findall(r"[a-z_0-9]+", part)]
    required = re.findall(r"(?:^|,)\s*([a-z_0-9]+)", re.sub(r"\*[^*]+\*", "", plain))
    return set(required), set(optional)


def data_schema(kind: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The JSON Schema of the data of a type that comes in, and the definitions that it refers to."""
    document = schema.of_type(kind)
    body = document["oneOf"][0] if "oneOf" in document else document
    parts = document["$defs"]
    event = parts[body["$ref"].rpartition("/")[2]] if "$ref" in body else body
    data = event["properties"]["data"]
    return parts[data["$ref"].rpartition("/")[2]], parts


def test_every_event_type_is_in_the_contract_and_no_other() -> None:
    differing = set(told_types()) ^ set(EVENT_TYPES)
    assert not differing, f"docs/contract.md tells other event types than the engine takes: {differing}"
    assert list(told_types()) == list(EVENT_TYPES)


@pytest.mark.parametrize("kind", EVENT_TYPES)
def test_every_field_of_an_event_is_told_and_whether_it_must_be_there(kind: str) -> None:
    data, _ = data_schema(kind)
    required, optional = told_fields(told_types()[kind])
    assert required == set(data.get("required", []))
    assert optional == data["properties"].keys() - required - {"uom"}


def test_the_types_that_take_a_unit_are_told() -> None:
    names = list(EVENT_TYPES)
    told = names[names.index("forecast.revised") : names.index("balance.reported") + 1]
    assert [kind for kind in names if "uom" in data_schema(kind)[0]["properties"]] == told


def within(part: dict[str, Any], parts: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The fields of a struct and of all that it holds."""
    yield from part.get("properties", {}).items()
    for name in re.findall(r'"#/\$defs/(\w+)"', json.dumps(part)):
        yield from within(parts[name], parts)


def all_fields() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every field of every payload, also within a payload, with its JSON Schema."""
    for kind in EVENT_TYPES:
        yield from within(*data_schema(kind))


POWERS = {10**power: f"10^{power}" for power in (8, 9, 11, 12)}


def limits(part: Any) -> Iterator[str]:
    """The limits in a schema, as the contract writes them."""
    if isinstance(part, dict):
        for name in ("maximum", "maxLength", "maxItems", "minLength"):
            if isinstance(part.get(name), int | float):
                yield POWERS.get(part[name], f"{part[name]:,}")
        if part.get("minimum", 0) < 0:
            yield f"-{POWERS[-part['minimum']]}"
        yield from map(str, part.get("enum", ()))
        yield from {"date": ["date"], "date-time": ["date-time"]}.get(part.get("format", ""), [])
        for name in ("anyOf", "items", "additionalProperties", "propertyNames"):
            inner = part.get(name)
            for each in inner if isinstance(inner, list) else [inner]:
                yield from limits(each)


def test_every_field_has_its_value_and_limits() -> None:
    told = {field: value for fields, value in rows(section(CONTRACT, "Fields")) for field in spans_of(fields)}
    found = dict.fromkeys(field for field, _ in all_fields())
    assert told.keys() == found.keys()
    missing = {(field, each) for field, part in all_fields() for each in limits(part) if each not in told[field]}
    assert missing == set()


def test_every_attribute_of_the_envelope_is_told() -> None:
    own = {field.encode_name for field in msgspec.structs.fields(Event)} - {"data"}
    assert {name for name in own if f"`{name}`" not in section(CONTRACT, "1. Events in")} == set()


def examples(name: str) -> list[bytes]:
    return (FOLDER / name).read_bytes().splitlines()


def test_the_examples_are_a_day_without_a_dead_letter() -> None:
    engine = Engine(MemoryBus(1), Rules(clock="log"), 1 << 20)
    receipt = engine.submit(examples("events.ndjson"), 1_772_452_845_000_000)
    assert [rejected.detail for rejected in receipt.refused] == []
    assert receipt.accepted == len(examples("events.ndjson"))
    seen = {json.loads(line)["type"] for line in examples("events.ndjson")}
    missing = {kind for kind, made in EVENT_TYPES.items() if made not in get_args(Reserved)} - seen
    assert not missing, f"engine/contract/events.ndjson lacks an example of {missing}"
    own = engine.submit(examples("engine-events.ndjson"), 1_804_000_000_000_000)
    assert (own.refused, own.accepted) == ([], len(get_args(Reserved)))


def test_the_auditor_reads_the_contract_as_the_engine_does() -> None:
    rig, told = Rig(1, Rules(clock="log")), examples("events.ndjson")
    rig.send(told, instant("2026-03-03T00:00:00+00:00"))
    found = differences(Model(map(json.loads, told), rig.now).rows(), rig.rows())
    assert not found, f"tests/auditor/model.py: its rows are not those of the engine: {found}"


# what goes out --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("heading", "kind"),
    [("2. Positions out", Position), ("3. Replenishment signals out", Signal), ("4. Alerts out", Alert)],
)
def test_every_field_of_an_output_is_told(heading: str, kind: type[msgspec.Struct]) -> None:
    told = {field for first, *_ in rows(section(CONTRACT, heading)) for field in spans_of(first)}
    assert {field.encode_name for field in msgspec.structs.fields(kind)} - told - {
        "sku",
        "location",
        "on_hand",
    } == set()


@pytest.mark.parametrize("kind", [DeadLetter, OutputEvent])
def test_every_field_of_a_dead_letter_and_of_the_envelope_is_told(kind: type[msgspec.Struct]) -> None:
    topics = section(CONTRACT, "5. Topics")
    assert {field.name for field in msgspec.structs.fields(kind) if f"`{field.name}`" not in topics} == set()


def alerts_told() -> dict[str, list[str]]:
    return {row[0].strip("`"): row[1:] for row in rows(section(CONTRACT, "4. Alerts out")) if len(row) == 5}


def test_every_alert_kind_is_told_with_its_severity() -> None:
    told = {kind: row[0] for kind, row in alerts_told().items()}
    differing = set(told.items()) ^ set(SEVERITY.items())
    assert not differing, f"docs/contract.md tells other alert kinds or severities than there are: {differing}"


def test_every_alert_kind_is_raised_by_an_agent() -> None:
    agents = "\n".join(source for _, source in sources("agents"))
    raised = re.findall(r'raise_(?:alert|fact)\([^"]*"([a-z_]+)"', agents)
    missing = set(get_args(AlertKind)) - set(raised)
    assert not missing, f"no agent raises {missing}"


def test_the_evidence_that_was_recorded_is_told() -> None:
    for output in OUTPUTS:
        if output["type"].startswith("alert."):
            kind, evidence = output["data"]["kind"], output["data"]["evidence"]
            assert evidence.keys() <= set(spans_of(alerts_told()[kind][3])), kind


def test_every_part_of_an_explanation_is_told() -> None:
    told = section(CONTRACT, "3. Replenishment signals out")
    signals = [output["data"]["explanation"] for output in OUTPUTS if output["type"].startswith("signal.")]
    names = {name for explanation in signals for name in [*explanation, *explanation["terms"][0]]}
    assert "sentence" in names
    assert {name for name in names if f"`{name}`" not in told} == set()


def test_every_reason_of_a_review_is_told() -> None:
    pairs = REVIEW.findall((ROOT / "agents" / "proposal.py").read_text())
    found = {first or second or third for first, second, third in pairs}
    assert {"no_auto_limits", "stock_unknown", "stale_feed:"} <= found
    told = {each for row in rows(section(CONTRACT, "3. Replenishment signals out")) for each in spans_of(row[0])}
    assert not found - told, f"docs/contract.md lacks the reasons of a review {found - told}"


def test_every_topic_and_type_is_told() -> None:
    topics = section(CONTRACT, "5. Topics")
    assert {row[0].strip("`") for row in rows(topics) if len(row) == 4} == {
        topic.kafka_name for topic in TOPICS.values()
    }
    assert {kind for kind in schema.OUTPUT_TYPES if f"`{kind}`" not in topics} == set()


def test_every_header_is_told() -> None:
    found = {name for _, source in sources("engine/kafka") for name in re.findall(r'"(stockline-[a-z-]+)"', source)}
    told = {each for row in rows(section(CONTRACT, "5. Topics")) if len(row) == 3 for each in spans_of(row[0])}
    assert found == told
    assert "stockline-until" in found


def test_every_reason_of_a_dead_letter_is_told() -> None:
    told = {each for row in rows(section(CONTRACT, "5. Topics")) if len(row) == 2 for each in spans_of(row[0])}
    assert set(get_args(Reason)) - told == set()


@pytest.mark.parametrize("reason", get_args(Reason))
def test_something_is_rejected_for_every_reason(reason: str) -> None:
    found = [path for path, source in sources("engine", "agents", "connectors") if f'"{reason}"' in source]
    assert [path for path in found if path.name != "outcomes.py"], f"engine/core/outcomes.py need not have {reason!r}"


def test_what_is_announced_is_not_in_force() -> None:
    announced = set(re.findall(r"^\| `([a-z_]+\.[a-z_]+)`", CONTRACT.split("## 8. ")[1], re.MULTILINE))
    assert announced & set(EVENT_TYPES) == set()
