"""Foreign records against profiles: which event each becomes, or why it becomes a dead letter."""

import base64
import json
import tomllib
from collections.abc import Sequence
from typing import Any

import pytest

from connectors.kafka_source.documents import Received
from connectors.kafka_source.outgoing import Target, outgoing
from connectors.kafka_source.profile import SourceProfile
from connectors.kafka_source.translate import Translated, Translation
from connectors.mapping.reading import Skipped
from engine.core.events import decode
from engine.core.outcomes import Rejection

PROFILE = """
name = "north"
[[topics]]
topic = "wms"
format = "json"
time_zone = "Europe/London"
units = { CS = "case", DZ = 12 }
[[topics.rules]]
when = { kind = "OUT", "move.qty" = { above = 0 } }
type = "stock.issued"
[topics.rules.data]
sku = { column = "item.code", upper = true }
location = "LDS"
qty = { column = "move.qty", as = "integer", unit_column = "move.unit" }
order = { column = "orders.0.number", optional = true }
[[topics.rules]]
when = { kind = ["ADJ", "FIX"] }
type = "stock.adjusted"
[topics.rules.data]
sku = { column = "@key" }
location = { column = "@header.site" }
qty = { column = "move.qty", as = "integer" }
reason = { column = "kind", map = { ADJ = "count" } }
[[topics.rules]]
when = { kind = "SITE" }
type = "location.defined"
[topics.rules.data]
location = { column = "site" }
[[topics.rules]]
when = { kind = { matches = "^INFO" } }
skip = "information"

[[topics]]
topic = "numbered"
format = "json"
source = "wms/leeds"
id = "{doc}-{line}"
[topics.time]
columns = ["day", "clock"]
formats = ["%d/%m/%Y %H:%M"]
[[topics.rules]]
type = "stock.counted"
[topics.rules.data]
sku = { column = "sku" }
location = "LDS"
qty = { column = "qty", as = "integer" }

[[topics]]
topic = "events"
format = "cloudevents"

[[topics]]
topic = "shop"
format = "cloudevents"
[[topics.rules]]
when = { type = "shop.sold" }
type = "stock.issued"
[topics.rules.data]
sku = { column = "data.article" }
location = "SHOP"
qty = { column = "data.pieces", as = "integer" }
[[topics.rules]]
skip = "of no concern"
"""
AT = 1_772_442_845_123
TARGET = Target(8, "north")


@pytest.fixture(scope="module")
def translate() -> Translation:
    return translation()


def translation() -> Translation:
    return Translation(SourceProfile.model_validate(tomllib.loads(PROFILE)))


def received(
    topic: str, value: object, key: bytes | None = None, headers: Sequence[tuple[str, bytes]] = (), at: int = AT
) -> Received:
    raw = value if isinstance(value, bytes | None) else json.dumps(value).encode()
    return Received(topic, 3, 7, at, key, list(headers), raw)


def out(qty: object = 6, kind: object = "OUT", **more: object) -> dict[str, Any]:
    return {"kind": kind, "item": {"code": "85123a"}, "move": {"qty": qty}, **more}


def issued(**changes: object) -> dict[str, Any]:
    event = {"specversion": "1.0", "id": "1", "source": "shop", "type": "stock.issued", "time": "2026-03-02T09:14:05Z"}
    return event | {"data": {"sku": "A", "location": "LDS", "qty": 6}} | changes


def binary(**attributes: str) -> list[tuple[str, bytes]]:
    given = {"specversion": "1.0", "id": "1", "source": "shop", "type": "stock.issued", "time": "2026-03-02T09:14:05Z"}
    return [(f"ce_{name}", text.encode()) for name, text in (given | attributes).items()]


def event_of(translate: Translation, record: Received) -> dict[str, Any]:
    outcome = translate(record)
    assert isinstance(outcome, Translated), outcome
    assert decode(outcome.value) == outcome.event
    event: dict[str, Any] = json.loads(outcome.value)
    return event


def test_a_json_record_is_named_by_its_place_and_timed_by_its_timestamp(translate: Translation) -> None:
    assert event_of(translate, received("wms", out())) == {
        "specversion": "1.0",
        "id": "3-7",
        "source": "kafka/north/wms",
        "type": "stock.issued",
        "time": "2026-03-02T09:14:05.123000+00:00",
        "data": {"sku": "85123A", "location": "LDS", "qty": 6},
    }


def test_a_document_may_have_a_number_and_a_time_of_its_own(translate: Translation) -> None:
    document = {"doc": "D1", "line": 2, "day": "02/07/2026", "clock": "09:14", "sku": "A", "qty": 4}
    event = event_of(translate, received("numbered", document))
    assert (event["id"], event["source"], event["time"]) == ("D1-2", "wms/leeds", "2026-07-02T09:14:00+00:00")


@pytest.mark.parametrize(
    ("document", "data"),
    [
        (out("6"), {"qty": 6}),
        (out(6.0), {"qty": 6}),
        (out(2, move={"qty": 2, "unit": "DZ"}), {"qty": 24}),
        (out(2, move={"qty": 2, "unit": "CS"}), {"qty": 2, "uom": "case"}),
        (out(6, orders=[{"number": 17}]), {"qty": 6, "order": "17"}),
        (out(6, orders=[]), {"qty": 6}),
        (out(6, orders=None), {"qty": 6}),
        (out(6, item={"code": 85123}), {"sku": "85123", "qty": 6}),
    ],
)
def test_columns_are_paths_into_the_document(
    translate: Translation, document: dict[str, Any], data: dict[str, Any]
) -> None:
    event = event_of(translate, received("wms", document))
    assert event["data"] == {"sku": "85123A", "location": "LDS"} | data


def test_columns_may_be_of_the_record_itself(translate: Translation) -> None:
    record = received("wms", out(-3, "ADJ"), key=b"K1", headers=[("site", b"YRK")])
    event = event_of(translate, record)
    assert event["data"] == {"sku": "K1", "location": "YRK", "qty": -3, "reason": "count"}


def test_a_rule_may_skip_records_by_a_reason(translate: Translation) -> None:
    record = received("wms", out(kind="INFO9"))
    assert translate(record) == Skipped("information")
    assert outgoing(record, translate(record), TARGET) == []


@pytest.mark.parametrize("content_type", ["application/cloudevents+json; charset=utf-8", "application/json", None])
def test_a_structured_cloud_event_stays_as_it_is(translate: Translation, content_type: str) -> None:
    raw = json.dumps(issued(unknown="kept"), indent=1).encode()
    headers = [("Content-Type", content_type.encode())] if content_type else []
    outcome = translate(received("events", raw, headers=headers))
    event = decode(raw)
    assert not isinstance(event, Rejection)
    assert outcome == Translated(event, raw)


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "application/vnd.shop+json", None])
def test_a_binary_cloud_event_becomes_a_structured_one(translate: Translation, content_type: str) -> None:
    headers = binary(traceparent="00-ab-cd-01", data="none of this")
    headers += [("content-type", content_type.encode())] if content_type else []
    event = event_of(translate, received("events", issued()["data"], headers=headers))
    assert event == issued(traceparent="00-ab-cd-01")


@pytest.mark.parametrize("mode", ["structured", "binary"])
def test_a_foreign_cloud_event_keeps_its_name_and_time(translate: Translation, mode: str) -> None:
    data = {"article": "A", "pieces": 2}
    event = issued(type="shop.sold", data=data)
    structured, in_headers = received("shop", event), received("shop", data, headers=binary(type="shop.sold"))
    translated = event_of(translate, structured if mode == "structured" else in_headers)
    assert translated["data"] == {"sku": "A", "location": "SHOP", "qty": 2}
    assert (translated["id"], translated["source"]) == ("1", "shop")
    assert translated["time"] == "2026-03-02T09:14:05+00:00"
    assert translate(received("shop", issued(type="shop.opened"))) == Skipped("of no concern")


REFUSED = [
    (received("wms", None), "untranslatable", "no value"),
    (received("wms", b""), "untranslatable", "not JSON"),
    (received("wms", b"\xff\xfe"), "untranslatable", "not UTF-8"),
    (received("wms", b'{"kind": NaN}'), "untranslatable", "NaN is not JSON"),
    (received("wms", b"[" * 100_000), "untranslatable", "nested too deeply"),
    (received("wms", [out()]), "untranslatable", "not an object"),
    (received("wms", out(kind="ELSE")), "untranslatable", "no rule fits"),
    (received("wms", out(kind={"a": 1})), "untranslatable", "not one value but an object"),
    (received("wms", out(item={"code": ["A"]})), "untranslatable", "not one value but a list"),
    (received("wms", out(item={})), "untranslatable", "item.code is empty"),
    (received("wms", out("many")), "untranslatable", "not a number"),
    (received("wms", out(1.5)), "untranslatable", "not a whole number"),
    (received("wms", b'{"kind": "OUT", "move": {"qty": 1e9999999}, "item": {"code": "A"}}'), "untranslatable", "whole"),
    (received("wms", out(6, item={"code": "\ud800"})), "untranslatable", "cannot be applied"),
    (received("wms", out(6), at=-1), "untranslatable", "no timestamp"),
    (received("wms", out(6), at=2**62), "untranslatable", "no timestamp"),
    (received("wms", out(3, "FIX"), key=b"A", headers=[("site", b"X")]), "untranslatable", "not mapped"),
    (received("wms", out(3, "ADJ"), key=b"\xff", headers=[("site", b"X")]), "untranslatable", "the key is not UTF-8"),
    (received("wms", out(3, "ADJ"), key=b"A", headers=[("site", b"X")] * 2), "untranslatable", "there 2 times"),
    (received("numbered", {"doc": "", "line": 1, "day": "02/07/2026", "clock": "09:14", "sku": "A", "qty": 4}),
     "untranslatable", "id: the column doc is empty"),
    (received("wms", out(10**13)), "quantity_out_of_range", "10000"),
    (received("wms", out(6, item={"code": "A" * 65})), "invalid_event", "length"),
    (received("events", b"{"), "not_json", "truncated"),
    (received("events", None), "untranslatable", "no value"),
    (received("events", issued(type="shop.sold")), "unknown_type", "shop.sold"),
    (received("events", issued(data={"sku": "A", "location": "L", "qty": 0})), "invalid_event", ">= 1"),
    (received("events", issued(type="clock.ticked", data={})), "reserved_type", "the engine itself"),
    (received("events", b"[]", headers=[("content-type", b"application/cloudevents-batch+json")]),
     "untranslatable", "batch"),
    (received("events", b"x", headers=[("content-type", b"application/cloudevents+avro")]), "untranslatable", "avro"),
    (received("events", b"<a/>", headers=[*binary(), ("content-type", b"text/xml")]), "untranslatable", "text/xml"),
    (received("events", b'1,"id":"other"', headers=binary()), "untranslatable", "data: not JSON"),
    (received("events", None, headers=binary()), "invalid_event", "data"),
    (received("events", issued()["data"], headers=[*binary(), ("ce_id", b"2")]), "untranslatable", "ce_id is there 2"),
    (received("events", issued()["data"], headers=binary()[1:]), "invalid_event", "specversion"),
    (received("shop", b'{"type":'), "untranslatable", "not JSON"),
    (received("shop", {"type": "shop.sold", "data": {"article": "A", "pieces": 2}}), "untranslatable", "not a time"),
]  # fmt: skip


@pytest.mark.parametrize(("record", "reason", "detail"), REFUSED, ids=range(len(REFUSED)))
def test_what_cannot_be_translated_becomes_one_dead_letter_with_its_bytes(
    translate: Translation, record: Received, reason: str, detail: str
) -> None:
    outcome = translate(record)
    assert isinstance(outcome, Rejection), outcome
    assert outcome.reason == reason
    assert detail in outcome.detail
    (letter,) = outgoing(record, outcome, TARGET)
    assert (letter.topic, letter.partition, letter.key) == (
        "stockline.dead-letters", 3, f"kafka/north/{record.topic}".encode()
    )  # fmt: skip
    data = json.loads(letter.value)["data"]
    exact = data["raw"].encode() if "raw" in data else base64.b64decode(data["raw_base64"])
    assert exact == (record.value or b"")
    assert (data["id"], data["place"]) == (f"{record.topic}-3-7", f"{record.topic}/3/7")
    assert ("stockline-origin", f"{record.topic}/3/7".encode()) in letter.headers
    assert set(record.headers) <= set(letter.headers)


@pytest.mark.parametrize(
    ("record", "name"),
    [
        (received("events", issued(data={})), ("shop", "1")),
        (received("events", json.dumps(issued()).encode()[:-3]), ("shop", "1")),
        (received("events", issued(type="clock.ticked", data={})), ("shop", "1")),
        (received("events", None, headers=binary()), ("shop", "1")),
        (received("events", b"<a/>", headers=[*binary(), ("content-type", b"text/xml")]), ("shop", "1")),
        (received("events", b"x", headers=[*binary(), ("ce_id", b"2")]), ("shop", None)),
        (received("wms", out(10**13)), ("kafka/north/wms", "3-7")),
        (received("wms", b'{"id": "not of an event"'), (None, None)),
    ],
)
def test_a_dead_letter_names_the_event_where_there_is_one(
    translate: Translation, record: Received, name: tuple[str, str | None]
) -> None:
    (letter,) = outgoing(record, translate(record), TARGET)
    data = json.loads(letter.value)["data"]
    assert (data.get("event_source"), data.get("event_id")) == name
