"""Bad input of every kind, with the reasons for which it may be refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random
from typing import Any

from tests.auditor.model import Event, instant
from tests.auditor.teller import MINUTE, iso
from tests.auditor.workload import encoded

DAY = 24 * 60 * MINUTE
INVALID = frozenset({"invalid_event"})
NOT_JSON = frozenset({"not_json"})
FUTURE = frozenset({"time_in_future"})


def base(random: Random, at: int) -> Event:
    """A good event to be spoiled; its sku and location occur nowhere else."""
    return {
        "specversion": "1.0",
        "id": f"bad-{random.randrange(10**12)}",
        "source": "bad/feed",
        "type": "goods.received",
        "time": iso(at),
        "data": {"receipt": "R-1", "sku": "SPOILT", "location": "NOWHERE", "qty": 5},
    }


def with_data(**changes: object) -> Callable[[Event], bytes]:
    return lambda event: encoded(event | {"data": event["data"] | changes})


def with_attributes(**changes: object) -> Callable[[Event], bytes]:
    return lambda event: encoded(event | changes)


def without(name: str) -> Callable[[Event], bytes]:
    return lambda event: encoded({key: value for key, value in event.items() if key != name})


def without_data(name: str) -> Callable[[Event], bytes]:
    return lambda event: encoded(event | {"data": {k: v for k, v in event["data"].items() if k != name}})


def replaced(old: bytes, new: bytes) -> Callable[[Event], bytes]:
    return lambda event: encoded(event).replace(old, new)


def nested(event: Event) -> bytes:
    return encoded(event).replace(b'"qty":5', b'"qty":' + b"[" * 50_000 + b"]" * 50_000)


def in_the_far_future(event: Event) -> bytes:
    return encoded(event | {"time": iso(instant(event["time"]) + 4000 * DAY)})


def typed(kind: str, data: dict[str, Any]) -> Callable[[Event], bytes]:
    row = {"sku": "SPOILT", "location": "NOWHERE"}
    return lambda event: encoded(event | {"type": kind, "data": row | data})


KINDS: dict[str, tuple[Callable[[Event], bytes], frozenset[str]]] = {
    "nothing": (lambda _event: b"", NOT_JSON),
    "not json": (lambda _event: b"receipt 7781, 48 pieces", NOT_JSON),
    "half sent": (lambda event: encoded(event)[:-7], NOT_JSON),
    "trailing text": (lambda event: encoded(event) + b"}", NOT_JSON),
    "a number": (lambda _event: b"42", INVALID),
    "an array": (lambda event: json.dumps([event]).encode(), INVALID),
    "null": (lambda _event: b"null", INVALID),
    "bad utf-8": (replaced(b"SPOILT", b"SPOI\xff\xfeT"), frozenset({"not_utf8", "not_json"})),
    "half a surrogate": (replaced(b"SPOILT", rb"\ud800"), frozenset({"not_json", "not_utf8", "invalid_event"})),
    "nan": (replaced(b'"qty":5', b'"qty":NaN'), NOT_JSON),
    "infinity": (replaced(b'"qty":5', b'"qty":1e999'), INVALID | NOT_JSON),
    "text for a quantity": (with_data(qty="5"), INVALID),
    "true for a quantity": (with_data(qty=True), INVALID),
    "null for a quantity": (with_data(qty=None), INVALID),
    "a fraction": (with_data(qty=1.5), INVALID),
    "a negative quantity": (with_data(qty=-5), INVALID),
    "a negative part": (with_data(held=-1), INVALID),
    "an empty receipt": (with_data(qty=0), INVALID),
    "nothing issued": (typed("stock.issued", {"qty": 0}), INVALID),
    "a negative issue": (typed("stock.issued", {"qty": -3}), INVALID),
    "a negative count": (typed("stock.counted", {"qty": -3}), INVALID),
    "an adjustment by nothing": (typed("stock.adjusted", {"qty": 0, "reason": "x"}), INVALID),
    "an unknown status": (typed("stock.counted", {"qty": 3, "status": "lost"}), INVALID),
    "a quantity too large": (with_data(qty=10**12 + 1), frozenset({"quantity_out_of_range"})),
    "a quantity beyond 64 bits": (with_data(qty=10**30), frozenset({"quantity_out_of_range", "invalid_event"})),
    "an unknown field": (with_data(colour="red"), INVALID),
    "an unknown type": (with_attributes(type="goods.eaten"), frozenset({"unknown_type"})),
    "an output type": (with_attributes(type="position.changed"), frozenset({"unknown_type"})),
    "no type": (without("type"), INVALID | {"unknown_type"}),
    "no id": (without("id"), INVALID),
    "an empty id": (with_attributes(id=""), INVALID),
    "no source": (without("source"), INVALID),
    "no time": (without("time"), INVALID),
    "no data": (without("data"), INVALID),
    "no sku": (without_data("sku"), INVALID),
    "data in text": (with_attributes(data="sku=1"), INVALID),
    "another specification": (with_attributes(specversion="0.3"), INVALID),
    "a time without offset": (with_attributes(time="2026-03-02T09:14:05"), INVALID),
    "no such day": (with_attributes(time="2026-02-30T09:14:05Z"), INVALID),
    "a date for a time": (with_attributes(time="2026-03-02"), INVALID),
    "a number for a time": (with_attributes(time=1772442845), INVALID),
    "far in the future": (in_the_far_future, FUTURE),
    "a control character": (with_data(sku="A\u0007B"), INVALID),
    "a line feed in a location": (with_data(location="LDS\n"), INVALID),
    "a nul in a location": (with_data(location="L\u0000S"), INVALID),
    "a control character in a supplier": (
        typed("order.placed", {"order": "P", "line": 1, "qty": 1, "due": "2026-03-09", "supplier": "A\u0007"}),
        INVALID,
    ),
    "a space at the end": (with_data(sku="SPOILT "), INVALID),
    "an empty sku": (with_data(sku=""), INVALID),
    "a long sku": (with_data(sku="S" * 65), INVALID),
    "a transfer to itself": (
        lambda event: encoded(
            event
            | {"type": "transfer.shipped", "data": {"transfer": "T", "sku": "SPOILT", "from": "A", "to": "A", "qty": 1}}
        ),
        INVALID,
    ),
    "deep nesting": (nested, frozenset({"too_deep", "invalid_event", "not_json"})),
    "an absurd size": (with_data(receipt="R" * 2_000_000), frozenset({"too_large"})),
    "an unknown unit": (with_data(uom="barrel"), frozenset({"unknown_unit"})),
}


def malformed(random: Random, at: int, kind: str | None = None) -> tuple[str, bytes, frozenset[str]]:
    """One bad event: what is wrong with it, its bytes, and the reasons that fit."""
    kind = kind or random.choice(sorted(KINDS))
    spoil, reasons = KINDS[kind]
    return kind, spoil(base(random, at)), reasons
