"""The standard's own EPCIS examples: they obey its schema, and each becomes the events that a person read out of it."""

import json
from io import BytesIO
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from connectors.epcis.reader import EpcisReader
from connectors.epcis.reading import EpcisReading
from connectors.files.lines import Mark
from engine.core.events import Event, decode

DATA = Path(__file__).parents[1] / "data" / "epcis"
DOCUMENTS = sorted(path.name for path in DATA.glob("*.jsonld"))
EXPECTED = json.loads((DATA / "expected.json").read_text(encoding="utf-8"))
SCHEMA = json.loads((DATA / "EPCIS-JSON-Schema.json").read_text(encoding="utf-8"))
READING = EpcisReading(source="epcis/acme", own=("0614141", "0012345", "0037000", "401234500001"), units={"KGM": 1000})


def told(document: bytes, reading: EpcisReading = READING) -> list[dict[str, Any]]:
    """What each event of a document becomes, as `expected.json` writes it."""
    found: list[dict[str, Any]] = []
    for item in EpcisReader(reading).read(BytesIO(document), Mark()):
        events = [json.loads(event) for event in item.events]
        told = {"line": item.line, "events": events, "skipped": item.skipped, "problem": item.problem}
        found.append({name: value for name, value in told.items() if value})
    return found


@pytest.mark.parametrize("name", DOCUMENTS)
def test_each_example_becomes_what_a_person_read_out_of_it(name: str) -> None:
    assert told((DATA / name).read_bytes()) == EXPECTED[name]


def test_every_example_is_expected_and_every_expectation_has_its_example() -> None:
    assert sorted(EXPECTED) == DOCUMENTS
    assert len(DOCUMENTS) == 26


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_examples_obey_the_schema_that_they_are_read_by(name: str) -> None:
    jsonschema.validate(json.loads((DATA / name).read_text(encoding="utf-8")), SCHEMA)


def test_what_they_become_the_engine_takes() -> None:
    events = [event for items in EXPECTED.values() for item in items for event in item.get("events", ())]
    assert {event["type"] for event in events} == {
        "goods.received",
        "receipt.reversed",
        "stock.adjusted",
        "stock.issued",
    }
    announced = {"receipt.reversed", "shipment.cancelled"}
    for event in events:
        if event["type"] not in announced:
            assert isinstance(decode(json.dumps(event).encode()), Event), event
