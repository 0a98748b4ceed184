"""`record.refused`: it always fits an event, says the same for the same record, and gives the record back."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.host.refused import MAX_DETAIL, MAX_PLACE, event_of, read_back
from connectors.ports import UntranslatedRecord
from engine.core.events import MAX_EVENT_BYTES

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=3000)


def refused(record: bytes, record_id: str = "r1", detail: str = "no sku", place: str = "line 3") -> bytes:
    return event_of(UntranslatedRecord(record_id, "untranslatable", detail, record, place), "erp", "wms/leeds", "moves")


@given(TEXT, TEXT, TEXT, st.binary(max_size=300))
def test_any_record_comes_back(record_id: str, detail: str, place: str, record: bytes) -> None:
    raw = refused(record, record_id, detail, place)
    event, found = json.loads(raw), read_back(raw, "erp")
    assert found is not None
    assert (found.part, found.record, found.reason) == ("moves", record, "untranslatable")
    assert 0 < len(event["id"]) <= 256
    assert event["id"].isprintable()
    assert (len(event["data"]["detail"]) <= MAX_DETAIL, len(event["data"]["place"]) <= MAX_PLACE) == (True, True)
    assert raw == refused(record, record_id, detail, place)


@pytest.mark.parametrize(
    "record", [b"x" * 300_000, b'"' * 200_000, b"\xff" * 250_000, "\N{SNOWMAN}".encode() * 100_000]
)
def test_a_long_record_is_named_by_its_size_and_digest(record: bytes) -> None:
    raw = refused(record)
    data, found = json.loads(raw)["data"], read_back(raw, "erp")
    assert len(raw) < MAX_EVENT_BYTES
    assert (data["record_bytes"], len(data["record_sha256"])) == (len(record), 64)
    assert found is not None
    assert found.record is None


def test_the_same_record_with_another_detail_is_another_dead_letter() -> None:
    ids = {json.loads(refused(b"x", detail=detail))["id"] for detail in ("no sku", "no qty", "no sku")}
    assert len(ids) == 2


@pytest.mark.parametrize(
    "raw", [b"", b"{}", b"[]", b'{"type": "record.refused"}', b'{"type": "x", "data": {}}', b"\xff"]
)
def test_what_is_no_refused_record_is_none(raw: bytes) -> None:
    assert read_back(raw) is None


def test_a_refused_record_of_another_connector_is_none() -> None:
    assert read_back(refused(b"x"), "other") is None
    assert read_back(refused(b"x")) is not None
