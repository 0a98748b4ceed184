"""The rows of a case: whole where they are given, and only the fields that matter where they are expected."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from engine.core.outputs import SEVERITY, AlertKind
from engine.core.payloads import PolicySetData
from tables import keys
from tables.alerts import ALERT, ALERT_NAME, AlertRow
from tables.directory import Definition as ItemDefinition
from tables.directory import (
    Feed,
    Item,
    Location,
    Pulse,
    Supplier,
    definitions_of,
    feed_key,
    item_key,
    location_key,
    pulse_key,
    supplier_key,
)
from tables.drift import REPORTED, Reported
from tables.forecast import Revision
from tables.keys import NEVER
from tables.ledger import FLOOR, Floor
from tables.planning import PLAN, Plan
from tables.purchasing import LINE, PIECE, SHIPMENT, Line, Piece, Shipment, line_name
from tables.signals import FOLLOW_UP, SIGNAL, Draft, FollowUp, SignalRow
from tables.stock import RESERVATION, STOCK, TRANSFER, Reservation, Stock, Transfer
from tables.wakes import wake_key
from tests.unit.rules.world import AT, TODAY, days, hours

FIRST_RANK = (0, AT - days(30), b"\0" * 16)
"""The rank of what a case is given."""
COUNTED_AT = AT - days(3)
"""When the stock that a case is given was stated."""


class Row(NamedTuple):
    """A row under its key: the fields that the case names, and the others where it is given."""

    key: bytes
    kind: type[msgspec.Struct]
    named: dict[str, Any]
    others: dict[str, Any]
    beside: Sequence[tuple[bytes, object]] = ()
    """Rows that must stand beside it where it is given."""

    @property
    def whole(self) -> msgspec.Struct:
        return self.kind(**{**self.others, **self.named})


def stock(*, sku: str = "S", location: str = "L", **named: Any) -> Row:
    """A stock row; where it is given its balances were stated three days ago, and its item is known."""
    row = keys.row(sku, location)
    others = {
        "version": 1, "item_known": True, "latest": COUNTED_AT, "floor_at": COUNTED_AT, "moved_at": COUNTED_AT,
    }  # fmt: skip
    floor = Floor(named.get("available", 0), named.get("held", 0))
    beside: list[tuple[bytes, object]] = [(FLOOR + row, floor)]
    if named.get("wake_at") is not None:
        beside.append((wake_key(0, named["wake_at"], row), b""))
    return Row(STOCK + row, Stock, named, others, beside)


def unknown_stock(**named: Any) -> Row:
    """A stock row that no movement and no count has stated yet."""
    return stock(moved_at=NEVER, floor_at=NEVER, latest=0, **named)


def plan(**named: Any) -> Row:
    return Row(PLAN + keys.row("S", "L"), Plan, named, {})


def policy(kind: str, levels: dict[str, Any] | None = None, /, **data: Any) -> Row:
    """The plan of a row under a policy; the engine may order by itself unless the case says otherwise."""
    said = {"sku": "S", "location": "L", "policy": {"kind": kind, **(levels or {})}, "auto": {"max_qty": 10**6}, **data}
    named = {"policy": msgspec.convert(said, PolicySetData), "policy_rank": FIRST_RANK}
    return plan(**named)


def min_max(low: int, high: int, **data: Any) -> Row:
    return policy("min_max", {"min": low, "max": high}, **data)


def revision(version: str, buckets: list[tuple[int, int, int]]) -> Revision:
    """The base of a forecast; buckets are (first day, days, quantity) from day 0 on."""
    return Revision(version, None, FIRST_RANK, [(TODAY + start, length, qty) for start, length, qty in buckets])


def line(order: str = "PO", number: str = "1", **named: Any) -> Row:
    return Row(keys.part(LINE, keys.row("S", "L"), line_name(order, number)), Line, named, {})


def piece(shipment: str, order: str = "PO", number: str = "1", **named: Any) -> Row:
    name = line_name(order, number)
    return Row(keys.part(PIECE, keys.row("S", "L"), name, shipment), Piece, named, {})


def shipment(name: str, **named: Any) -> Row:
    return Row(keys.part(SHIPMENT, keys.row("S", "L"), name), Shipment, named, {})


def reservation(name: str = "R", **named: Any) -> Row:
    return Row(keys.part(RESERVATION, keys.row("S", "L"), name), Reservation, named, {})


def transfer(name: str = "T", location: str = "L", **named: Any) -> Row:
    return Row(keys.part(TRANSFER, keys.row("S", location), name), Transfer, named, {})


def report(**named: Any) -> Row:
    return Row(REPORTED + keys.row("S", "L"), Reported, named, {})


def item(base_unit: str = "each", sku: str = "S", **named: Any) -> Row:
    others = {"base_unit": base_unit, "units": {}, "rank": FIRST_RANK}
    first = ItemDefinition(base_unit, named.get("units", {}))
    beside = [(keys.ranked(definitions_of(sku), FIRST_RANK[1], FIRST_RANK[2]), first)]
    return Row(item_key(sku), Item, named, others, beside)


def location(place: str = "L", zone: str = "UTC", **named: Any) -> Row:
    named = {"time_zone": zone, **named}
    return Row(location_key(0, place), Location, named, {"rank": FIRST_RANK})


def supplier(name: str = "S", **named: Any) -> Row:
    return Row(supplier_key(0, name), Supplier, named, {"rank": FIRST_RANK})


def feed(
    name: str = "wms", interval: int = 3600, locations: list[str] | None = None, last: int = 0, stale: bool = False
) -> Row:
    named = {"interval": interval, "locations": locations}
    return Row(feed_key(0, name), Feed, named, {"rank": FIRST_RANK}, [(pulse_key(0, name), Pulse(AT + last, stale))])


def pulse(name: str = "wms", **named: Any) -> Row:
    return Row(pulse_key(0, name), Pulse, named, {})


def signal_row(status: str = "open", **named: Any) -> Row:
    """The signal of the row, `sig-1`."""
    others = {
        "id": "sig-1", "revision": 1, "qty": 80, "due": TODAY + 7, "disposition": "auto", "reasons": [],
        "supplier": None, "opened": AT - days(1), "updated": AT - days(1), "until": None, "explanation": {},
        "events": ["test/before"],
    }  # fmt: skip
    return Row(SIGNAL + keys.row("S", "L"), SignalRow, {"status": status, **named}, others)


def drafts(*said: tuple[str, float, bool], pushed: float | None = None) -> Row:
    """The follow-up of `sig-1`: documents of the ERP, each as of so many hours after moment 0, there or gone."""
    kept = [Draft("erp", document, "1", _rank(after), is_live) for document, after, is_live in said]
    last = max([after for _, after, _ in said], default=0) if pushed is None else pushed
    return Row(FOLLOW_UP + keys.row("S", "L"), FollowUp, {"signal": "sig-1", "drafts": kept, "pushed": _rank(last)}, {})


def _rank(after: float) -> tuple[int, int, bytes]:
    return 0, AT + hours(after), b"\0" * 16


def alert_row(kind: AlertKind, status: str = "open", about: str = "", **named: Any) -> Row:
    """An alert of the row, `alert-1`."""
    row = keys.row("S", "L")
    others = {
        "id": "alert-1", "severity": SEVERITY[kind], "opened": AT - days(1), "updated": AT - days(1), "revision": 1,
        "evidence": {"said": "before"},
    }  # fmt: skip
    key = keys.part(ALERT, row, kind, about)
    name = named.get("id", "alert-1")
    return Row(
        key,
        AlertRow,
        {"status": status, **named},
        others,
        [(keys.part(ALERT_NAME, row, name), keys.parts_of(key, row))],
    )
