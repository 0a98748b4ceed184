"""A type of event or a table that is added and forgotten somewhere fails here, and the place is named."""

from __future__ import annotations

import json
from collections import Counter
from functools import cache
from random import Random

import pytest
from msgspec.structs import fields

from engine.contract import asyncapi, schemas
from engine.core.events import EVENT_TYPES, OTHER_KEYS, Broadcast, ClockTicked, Reserved, decode
from engine.core.outcomes import Rejection
from engine.runtime.marker import read_marker
from tables.catalogue import TABLES
from tests.auditor.answers import answer_to_alert, answer_to_letter, answer_to_signal, refused_record
from tests.auditor.workload import Story
from tests.golden.record import HERE, replay
from tests.unit.test_schema import EXAMPLES, event

OURS = {name for name, kind in EVENT_TYPES.items() if issubclass(kind, Reserved)}
"""The types that the engine writes itself: no workload tells them, the clock of a simulation does."""


GOLDEN_LOGS = ("log", "answers", "drafts", "purchases")


@cache
def told_by_the_workload() -> set[str]:
    random = Random(3)
    story = Story(random, length=600)
    asked = {"id": "1", "sku": "A", "location": "L", "status": "open"}
    accepted = asked | {"status": "accepted"}
    events = [*story.preamble(), *story.tell(600)]
    events += [answer(random, story, asked) for _ in range(30) for answer in (answer_to_signal, answer_to_alert)]
    events += [answer_to_signal(random, story, accepted) for _ in range(60)]
    events += [answer_to_alert(random, story, asked | {"status": "acknowledged"}) for _ in range(30)]
    events += [refused_record(random, story)]
    events += [answer_to_letter(random, story, {"id": "0-1"}) for _ in range(10)]
    return {one["type"] for one in events}


@cache
def applied_in_the_golden_log() -> Counter[str]:
    lines = [line for name in GOLDEN_LOGS for line in (HERE / f"{name}.ndjson").read_bytes().splitlines()]
    bus = replay(lines)
    counted: Counter[str] = Counter()
    for partition in range(bus.partitions):
        counted.update(read_marker(bus.marker(partition)).counters)
    counted["events:clock.ticked"] = sum(isinstance(decode(line), ClockTicked) for line in lines)
    return counted


@cache
def told_by_asyncapi() -> frozenset[str]:
    return frozenset(asyncapi.document()["channels"]["events"]["messages"])


@pytest.mark.parametrize("name", EVENT_TYPES)
def test_a_type_of_event_is_in_every_place(name: str) -> None:
    assert name in EXAMPLES, "tests/unit/test_schema.py: EXAMPLES has no event of this type"
    assert not isinstance(decode(json.dumps(event(name, EXAMPLES[name])).encode()), Rejection)
    assert schemas.of_type(name)["title"] == name
    assert name in told_by_asyncapi(), "engine/contract/asyncapi.py: no message of it"
    assert name in OURS | told_by_the_workload(), "tests/auditor/workload.py: no step of a Story tells it"
    assert name in json.loads((HERE / "names.json").read_text()), (
        "tests/golden: record it, `python -m tests.golden.record`"
    )
    assert applied_in_the_golden_log()[f"events:{name}"], "no event of this type in the golden log is applied"


@pytest.mark.parametrize("name", EVENT_TYPES)
def test_an_event_without_a_sku_goes_to_every_partition_unless_it_has_another_key(name: str) -> None:
    kind = EVENT_TYPES[name]
    (data,) = [field.type for field in fields(kind) if field.name == "data"]
    has_sku = "sku" in data.__struct_fields__
    assert (issubclass(kind, Broadcast) or kind in OTHER_KEYS) != has_sku, (
        "engine/core/events.py: `Broadcast` and `OTHER_KEYS` list the events that have no sku"
    )


@pytest.mark.parametrize("table", [table for table in TABLES if table.row_type is not bytes], ids=lambda it: it.name)
def test_a_table_of_rows_has_a_golden_row(table: bytes) -> None:
    tags = {bytes.fromhex(key)[:1] for key in json.loads((HERE / "rows.json").read_text())}
    assert table in tags, "tests/golden: no row of this table is recorded, so nothing holds that its old bytes decode"
