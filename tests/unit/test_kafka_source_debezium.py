"""Change events in Debezium's JSON: rows with their decimals and times, with a schema and without."""

from __future__ import annotations

import json
from base64 import b64encode
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.kafka_source.debezium import change_document
from connectors.kafka_source.documents import Received
from connectors.kafka_source.profile import load_profile
from connectors.kafka_source.translate import Outcome, Translated, Translation
from connectors.mapping.reading import Skipped
from connectors.mapping.values import Unreadable
from engine.core.errors import UsageError
from engine.core.outcomes import Rejection

DECIMAL = {"type": "bytes", "name": "org.apache.kafka.connect.data.Decimal", "parameters": {"scale": "3"}}


def record(after: Any, fields: list[dict[str, Any]]) -> bytes:
    row = {"type": "struct", "optional": True, "fields": fields}
    envelope = [{**row, "field": "before"}, {**row, "field": "after"}, {"field": "op", "type": "string"}]
    schema = {"type": "struct", "fields": envelope, "name": "erp.public.moves.Envelope"}
    return json.dumps({"schema": schema, "payload": {"before": None, "after": after, "op": "c"}}).encode()


def digits(whole: int) -> str:
    return b64encode(whole.to_bytes(whole.bit_length() // 8 + 1, "big", signed=True)).decode()


@given(st.integers(-(10**20), 10**20))
def test_a_decimal_keeps_its_digits(whole: int) -> None:
    found = change_document(record({"qty": digits(whole)}, [{"field": "qty", **DECIMAL}]))["after"]["qty"]
    sign, rest = ("-", str(-whole)) if whole < 0 else ("", str(whole))
    rest = rest.rjust(4, "0")
    assert found == f"{sign}{rest[:-3]}.{rest[-3:]}"


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("io.debezium.time.Date", 20514, "2026-03-02"),
        ("org.apache.kafka.connect.data.Date", -1, "1969-12-31"),
        ("io.debezium.time.Timestamp", 1772442845123, "2026-03-02T09:14:05.123000"),
        ("io.debezium.time.MicroTimestamp", 1772442845123456, "2026-03-02T09:14:05.123456"),
        ("io.debezium.time.NanoTimestamp", 1772442845123456789, "2026-03-02T09:14:05.123456"),
        ("io.debezium.data.VariableScaleDecimal", {"scale": 1, "value": digits(-15)}, "-1.5"),
        ("io.debezium.time.ZonedTimestamp", "2026-03-02T09:14:05Z", "2026-03-02T09:14:05Z"),
    ],
)
def test_what_the_schema_says_of_a_number_becomes_text(name: str, value: Any, text: str) -> None:
    field = {"field": "at", "type": "int64", "name": name}
    assert change_document(record({"at": value}, [field]))["after"]["at"] == text


def test_a_record_without_its_schema_is_the_change_itself() -> None:
    found = change_document(b'{"before":null,"after":{"id":7,"qty":1.10},"op":"r","ts_ms":1}')
    assert found["after"] == {"id": "7", "qty": "1.10"}
    assert change_document(b'{"payload":{"op":"d","before":{"id":7},"after":null}}')["before"] == {"id": "7"}


@pytest.mark.parametrize(
    "value",
    [
        b"[]", b"{}", b'{"op":"x"}', b'{"op":["c"]}', b'{"payload":[]}', b'{"payload":null}', b"not json",
        record({"qty": "%%%"}, [{"field": "qty", **DECIMAL}]),
        record({"qty": 7}, [{"field": "qty", **DECIMAL}]),
        record([], [{"field": "qty", **DECIMAL}]),
        record({"at": "soon"}, [{"field": "at", "type": "int64", "name": "io.debezium.time.Date"}]),
        record({"at": 10**18}, [{"field": "at", "type": "int64", "name": "io.debezium.time.Date"}]),
    ],
)  # fmt: skip
def test_what_is_no_change_event_is_said_to_be_none(value: bytes) -> None:
    with pytest.raises(Unreadable):
        change_document(value)


WORDS = st.sampled_from(["schema", "payload", "op", "after", "fields", "type", "name", "field", "items", "x"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(["c", "struct", "array"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=5),
    max_leaves=20,
)


@given(JSON)
def test_any_json_is_read_or_refused(value: Any) -> None:
    with suppress(Unreadable):
        change_document(json.dumps(value).encode())


MOVES = """
name = "erp"
[[topics]]
topic = "moves"
format = "debezium"
id = "{after.move}-{after.state}"
time = { columns = ["after.at"] }
[[topics.rules]]
when = { op = ["c", "u", "r"], "after.state" = "done" }
type = "stock.issued"
data = { sku = { column = "after.item" }, location = "LDS", qty = { column = "after.qty", as = "integer" } }
[[topics.rules]]
skip = "not done"

[[topics]]
topic = "outbox"
format = "debezium"
event_column = "after.event"
"""
EVENT = (
    '{"specversion":"1.0","id":"7","source":"erp","type":"stock.issued","time":"2026-03-02T09:00:00Z",'
    '"data":{"sku":"A","location":"LDS","qty":3}}'
)


def translated(tmp_path: Path, topic: str, change: dict[str, Any] | None) -> Outcome:
    (tmp_path / "erp.toml").write_text(MOVES)
    value = None if change is None else json.dumps(change).encode()
    record = Received(topic, 0, 41, 1_772_442_845_000, b"{}", (), value)
    return Translation(load_profile(tmp_path / "erp.toml"))(record)


def test_a_change_of_a_table_becomes_an_event_with_the_id_of_its_row(tmp_path: Path) -> None:
    row = {"move": 7, "state": "done", "at": "2026-03-02T09:00:00Z", "item": "A", "qty": 3}
    for op in "cur":
        found = translated(tmp_path, "moves", {"op": op, "before": None, "after": row})
        assert isinstance(found, Translated)
        assert found.event.id == "7-done"
    assert translated(tmp_path, "moves", {"op": "u", "after": row | {"state": "draft"}}) == Skipped("not done")
    assert isinstance(translated(tmp_path, "moves", None), Skipped)


def test_a_row_of_an_outbox_holds_a_whole_event(tmp_path: Path) -> None:
    found = translated(tmp_path, "outbox", {"op": "c", "after": {"event": EVENT}})
    assert isinstance(found, Translated)
    assert found.value == EVENT.encode()
    assert isinstance(translated(tmp_path, "outbox", {"op": "d", "before": {"event": EVENT}, "after": None}), Skipped)
    assert isinstance(translated(tmp_path, "outbox", {"op": "c", "after": {"event": None}}), Rejection)


@pytest.mark.parametrize(
    ("removed", "sentence"),
    [('id = "{after.move}-{after.state}"\n', "a new snapshot"), ('event_column = "after.event"\n', "has rules")],
)
def test_a_profile_that_would_count_twice_is_refused(tmp_path: Path, removed: str, sentence: str) -> None:
    (tmp_path / "erp.toml").write_text(MOVES.replace(removed, ""))
    with pytest.raises(UsageError, match=sentence):
        load_profile(tmp_path / "erp.toml")
