"""Record the golden files anew: `python -m tests.golden.record`. Do it only where the contract has grown on purpose."""

import json
from pathlib import Path
from random import Random
from typing import Any

import msgspec

from engine.bus.memory.bus import MemoryBus
from engine.core.events import EVENT_TYPES, content, decode, identity
from engine.core.outcomes import Rejection
from engine.core.rules import Rules
from engine.core.topics import HISTORIES
from engine.core.values import instant
from engine.runtime.clock import CLOCK_SOURCE
from engine.runtime.single.engine import Engine
from tables.catalogue import BY_TAG
from tests.auditor.arrival import late_arrivals, with_duplicates
from tests.auditor.model import HOUR
from tests.auditor.workload import Story, encoded

HERE = Path(__file__).parent
ARRIVED = 1_900_000_000_000_000


def log() -> list[bytes]:
    """A seeded story of every kind of event, late and with duplicates."""
    random = Random(2026)
    story = Story(random, skus=3, locations=2, length=240)
    told = [*story.preamble(), *with_duplicates(random, late_arrivals(random, list(story.tell(240)), 6 * HOUR))]
    return [encoded(event) for event in told]


def replay(lines: list[bytes]) -> MemoryBus:
    """A log told to an engine, ten events at a time."""
    bus = MemoryBus(2)
    engine = Engine(bus, Rules(clock="log"))
    for start in range(0, len(lines), 10):
        engine.submit(lines[start : start + 10], arrived_at=ARRIVED)
    return bus


def outputs(bus: MemoryBus) -> list[str]:
    """What a log has published: signals, alerts and dead letters in order, then the positions."""
    said = [
        value.decode() for topic in HISTORIES for p in range(2)
        for value in bus.published.history(topic, p)
    ]  # fmt: skip
    return [*said, *(value.decode() for _, value in bus.published.things("positions"))]


def rows(bus: MemoryBus) -> dict[str, str]:
    """The bytes of one row of each table, in hexadecimal, by the key's."""
    found: dict[int, tuple[bytes, bytes]] = {}
    for key, value in bus.state.scan(b"\0", b"\xff"):
        kept = found.get(key[0])
        if BY_TAG[key[0]].row_type is not bytes and (kept is None or len(value) > len(kept[1])):
            found[key[0]] = key, value
    return {key.hex(): value.hex() for key, value in found.values()}


def names(lines: list[bytes]) -> dict[str, list[str]]:
    """Of the first event of each type: its bytes, and the digests by which a repeat is known."""
    first: dict[str, list[str]] = {}
    for line in lines:
        event = decode(line)
        assert not isinstance(event, Rejection)
        kind = next(name for name, of in EVENT_TYPES.items() if type(event) is of)
        if kind not in first:
            first[kind] = [line.decode(), identity(event).hex(), content(event, instant(event.time)).hex()]
    return first


def answers(bus: MemoryBus) -> list[bytes]:
    """What follows the story: answers to two signals and an alert, a month that passes, and a movement after it."""
    signals, alerts = (
        [json.loads(value)["data"] for _, value in bus.published.things(topic)] for topic in ("signals", "alerts")
    )
    first, second = (signal for signal in signals if signal["status"] == "open")
    alert = next(alert for alert in alerts if alert["status"] == "open")

    def told(kind: str, row: dict[str, Any], **data: Any) -> dict[str, Any]:
        return {"type": kind, "data": {"sku": row["sku"], "location": row["location"], "by": "planner", **data}}

    said = [
        told("signal.accepted", first, signal=first["id"], qty=first["qty"] + 1),
        told("signal.rejected", second, signal=second["id"], reason="discontinued"),
        told("signal.ordered", first, signal=first["id"], order="PO-golden", line=1),
        told("alert.acknowledged", alert, alert=alert["id"], note="seen"),
        told("alert.resolved", alert, alert=alert["id"]),
        {"type": "clock.accepted", "data": {"at": "2026-03-06T12:00:05Z", "jumped_seconds": 7200, "by": "planner"}},
        {"type": "clock.ticked", "time": "2026-03-06T12:00:06Z", "data": {}},
        {"type": "clock.ticked", "time": "2026-04-06T12:00:00Z", "data": {"feeds": {"shop": "2026-03-06T12:00:00Z"}}},
        {
            "type": "stock.adjusted", "time": "2026-04-06T12:00:01Z",
            "data": {"sku": first["sku"], "location": first["location"], "qty": 1, "reason": "found"},
        },
    ]  # fmt: skip
    envelope = {"specversion": "1.0", "source": CLOCK_SOURCE}
    times = {"time": "2026-03-06T12:00:00Z"}
    return [json.dumps({**envelope, "id": f"answer-{n}", **times, **event}).encode() for n, event in enumerate(said)]


DRAFTED = {"sku": "SKU-8", "location": "LOC-0"}
SIGNAL = {**DRAFTED, "signal": "sig-8fb7de2c83da4af4bd1e"}
ALERT = {**DRAFTED, "alert": "alert-1e69be51b92886978ab9"}
DRAFT = {**SIGNAL, "system": "erp", "document": "PO-8", "line": 1}
UNTIL = {"until": "2026-04-09T00:00:00Z", "by": "ann"}
OWNED = {"sku": "SKU-8", "location": "LOC-1"}
DRAFTS: list[tuple[str, dict[str, Any]]] = [
    ("policy.set", DRAFTED | {"policy": {"kind": "min_max", "min": 20, "max": 60}, "auto": {"max_qty": 100}}),
    ("stock.counted", DRAFTED | {"qty": 10}),
    ("signal.push_failed", SIGNAL | {"system": "erp", "attempts": 6, "detail": "403"}),
    ("signal.snoozed", SIGNAL | UNTIL),
    ("signal.accepted", SIGNAL | {"by": "ann", "qty": 48}),
    ("signal.reopened", SIGNAL | {"by": "ann"}),
    ("alert.snoozed", ALERT | UNTIL | {"note": "403 again"}),
    ("alert.assigned", ALERT | {"to": "bob", "by": "ann"}),
    ("signal.drafted", DRAFT),
    ("signal.draft_gone", DRAFT | {"line": "1"}),
    ("signal.drafted", DRAFT | {"document": "PO-9"}),
    ("stock.issued", DRAFTED | {"qty": 8}),
    ("signal.ordered", SIGNAL | {"by": "erp", "order": "PO-9", "line": 1}),
    (
        "record.refused",
        {"connector": "edi", "reason": "unmapped_identifier", "detail": "4711", "place": "a.edi", "record": "LIN"},
    ),
    ("dead_letter.discarded", {"dead_letter": "0-13", "by": "ann", "note": "no such item"}),
    ("dead_letter.replayed", {"dead_letter": "0-13", "by": "bob", "event": "erp/draft-13"}),
    ("policy.set", OWNED | {"policy": {"kind": "min_max", "min": 20, "max": 60}}),
    ("stock.counted", OWNED | {"qty": 10}),
    ("signal.assigned", OWNED | {"signal": "sig-3c0965e5620b53d542ab", "to": "bob", "by": "ann"}),
    ("alert.acknowledged", OWNED | {"alert": "alert-a56ed2ba54c85729a3d8", "by": "bob"}),
    ("alert.reopened", OWNED | {"alert": "alert-a56ed2ba54c85729a3d8", "by": "bob", "note": "too early"}),
    (
        "supplier.defined",
        {"supplier": "ACME", "minimum_value": "2500.00", "currency": "GBP", "truck_units": 33, "truck_uom": "pallet"},
    ),
]
"""What people and other systems say of a signal, at a row of its own, so that what was recorded before stays."""


def drafts() -> list[bytes]:
    """The events of DRAFTS, an hour apart."""
    envelope = {"specversion": "1.0", "source": "erp"}
    said = [
        {**envelope, "id": f"draft-{number}", "type": kind, "time": f"2026-04-07T{number:02}:00:00Z", "data": data}
        for number, (kind, data) in enumerate(DRAFTS)
    ]
    return [json.dumps(event).encode() for event in said]


def purchases() -> list[bytes]:
    """Corrections of purchases, at a row of their own, so that the files that were recorded before stay as they are."""
    row = {"sku": "SKU-9", "location": "LOC-0"}

    def told(number: int, kind: str, **data: Any) -> dict[str, Any]:
        return {"specversion": "1.0", "source": "erp", "id": f"purchase-{number}", "type": kind,
                "time": f"2026-04-07T{number:02}:00:00Z", "data": row | data}  # fmt: skip

    said: list[tuple[str, dict[str, Any]]]
    line, other = {"order": "PO-9", "line": 1}, {"sku": "SKU-7"}
    said = [
        ("order.placed", {**line, "supplier": "ACME", "qty": 40, "due": "2026-04-20"}),
        ("shipment.notified", {**line, "shipment": "ASN-9", "qty": 20, "eta": "2026-04-15"}),
        ("shipment.changed", {**line, "shipment": "ASN-9", "qty": 12, "eta": "2026-04-16", "revision": 1}),
        ("shipment.notified", {**line, "shipment": "ASN-10", "qty": 20, "eta": "2026-04-18"}),
        ("shipment.cancelled", {**line, "shipment": "ASN-10", "revision": 1}),
        ("goods.received", {**line, "receipt": "GRN-9", "qty": 20, "held": 4}),
        ("stock.returned_to_supplier", {**line, "qty": 2, "status": "held", "reason": "wet"}),
        ("order.placed", {**line, **other, "supplier": "ACME", "qty": 40, "due": "2026-04-20"}),
        ("goods.received", {**line, **other, "receipt": "GRN-10", "qty": 6, "closes_line": True}),
        ("receipt.reversed", {**other, "receipt": "GRN-10", "qty": 5, "reopens_line": True}),
        ("receipt.reversed", {**other, "receipt": "GRN-11"}),
        ("goods.received", {**line, **other, "receipt": "GRN-11", "qty": 7}),
    ]
    return [json.dumps(told(number, kind, **data)).encode() for number, (kind, data) in enumerate(said)]


def recorded(name: str) -> list[bytes]:
    """The events of a golden log, as they were recorded."""
    return (HERE / f"{name}.ndjson").read_bytes().splitlines()


def record() -> None:
    """Write all golden files. A log, a row and a digest that are recorded stay: they show what old bytes are."""
    lines = recorded("log") if (HERE / "log.ndjson").exists() else log()
    bus = replay(lines)
    said = answers(bus)
    drafted = drafts()
    pushed = replay(drafted)
    bought = purchases()
    beside = replay(bought)
    after = replay([*lines, *said])
    (HERE / "answers.ndjson").write_bytes(b"\n".join(said) + b"\n")
    (HERE / "answers-outputs.ndjson").write_text("\n".join(outputs(after)) + "\n")
    (HERE / "log.ndjson").write_bytes(b"\n".join(lines) + b"\n")
    (HERE / "outputs.ndjson").write_text("\n".join(outputs(bus)) + "\n")
    (HERE / "drafts.ndjson").write_bytes(b"\n".join(drafted) + b"\n")
    (HERE / "drafts-outputs.ndjson").write_text("\n".join(outputs(pushed)) + "\n")
    (HERE / "purchases.ndjson").write_bytes(b"\n".join(bought) + b"\n")
    (HERE / "purchases-outputs.ndjson").write_text("\n".join(outputs(beside)) + "\n")
    kept = json.loads((HERE / "rows.json").read_text()) if (HERE / "rows.json").exists() else {}
    for found in (bus, after, pushed, beside):
        kept |= {key: row for key, row in rows(found).items() if key[:2] not in {known[:2] for known in kept}}
    (HERE / "rows.json").write_text(json.dumps(kept, indent=1))
    named = json.loads((HERE / "names.json").read_text()) if (HERE / "names.json").exists() else {}
    (HERE / "names.json").write_text(json.dumps(named | names([*lines, *drafted, *said, *bought]) | named, indent=1))


def fields(key: bytes, value: bytes) -> object:
    """A stored row, decoded by today's types."""
    return msgspec.msgpack.decode(value, type=BY_TAG[key[0]].row_type)


if __name__ == "__main__":
    record()
