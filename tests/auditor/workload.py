"""Admissible histories: seeded worlds whose events refer to each other as a business's documents do.

A `Story` tells one history in natural order. Any selection of its events, in any order and with any repetition, is
admissible too: the definitions of its items come apart, in `preamble`, because a unit must be declared before it is
used, and everything it tells lies within the 48 hours for which the engine keeps movements.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tests.auditor.buyer import Buyer
from tests.auditor.model import HOUR, Event
from tests.auditor.teller import SOURCES, iso

UNITS = {"case": 12, "pallet": 480}
ZONES = ("UTC", "Europe/London", "America/New_York")

WEIGHTS = {
    "issue": 14,
    "receive": 14,
    "place_order": 9,
    "reserve": 8,
    "ship": 7,
    "change_shipment": 4,
    "acknowledge": 6,
    "reverse_receipt": 5,
    "count": 6,
    "adjust": 4,
    "ship_transfer": 4,
    "receive_transfer": 5,
    "release_reservation": 4,
    "change_order": 3,
    "end_order": 2,
    "return_goods": 3,
    "return_to_supplier": 3,
    "hold": 3,
    "unhold": 3,
    "report_balance": 3,
    "revise_forecast": 3,
    "set_policy": 3,
    "declare_feed": 1,
    "define_location": 1,
    "define_supplier": 1,
}


def encoded(event: Event) -> bytes:
    return json.dumps(event, separators=(",", ":")).encode()


class Story(Buyer):
    """The steps of a story: what a business may do next in its world."""

    # ---- telling

    def preamble(self) -> list[Event]:
        """What must be known first: the items and their units, and where the locations are."""
        items = [
            self.event("item.defined", {"sku": sku, "base_unit": "each", "units": UNITS}, late=False)
            for sku in self.skus
        ]
        places = [self.define_location(location) for location in self.locations]
        return items + places

    def tell(self, count: int) -> Iterator[Event]:
        for _ in range(count):
            if self.random.random() > 0.15:  # else at the same moment as the event before it
                self.now = min(self.end, self.now + self.random.randrange(self.gap))
            yield self.next_event()

    def next_event(self) -> Event:
        names, weights = zip(*WEIGHTS.items(), strict=True)
        while True:
            (name,) = self.random.choices(names, weights)
            event: Event | None = getattr(self, name)()
            if event is not None:
                return event

    # ---- stock

    def issue(self) -> Event:
        reservation = self.some(self.reservations)
        data = {**self.row(), "qty": self.random.randint(1, 30)}
        if reservation is not None and self.random.random() < 0.5:
            data |= reservation
        return self.event("stock.issued", data)

    def adjust(self) -> Event:
        qty = self.random.choice([-1, 1]) * self.random.randint(1, 20)
        data = {**self.row(), "qty": qty, "reason": "shelf"}
        if self.random.random() < 0.5:
            data["status"] = self.random.choice(["available", "held"])
        return self.event("stock.adjusted", data)

    def count(self) -> Event:
        data = self.in_unit(self.row(), self.random.randint(0, 150))
        if self.random.random() < 0.4:
            data["status"] = self.random.choice(["available", "held"])
        return self.event("stock.counted", data)

    def return_goods(self) -> Event:
        disposition = self.random.choice(["available", "held", "scrap"])
        data = {**self.row(), "qty": self.random.randint(1, 9), "disposition": disposition}
        return self.event("stock.returned", data)

    def return_to_supplier(self) -> Event:
        data = {**self.in_unit(self.row(), self.random.randint(1, 9)), "reason": "faulty"}
        if self.random.random() < 0.5:
            data["status"] = self.random.choice(["available", "held"])
        if (line := self.some(self.lines)) is not None and self.random.random() < 0.5:
            data |= self.named(line)
        return self.event("stock.returned_to_supplier", data)

    def hold(self) -> Event:
        return self.event("stock.held", {**self.row(), "qty": self.random.randint(1, 15), "reason": "quality"})

    def unhold(self) -> Event:
        return self.event("stock.released", {**self.row(), "qty": self.random.randint(1, 15)})

    def reserve(self) -> Event:
        known = self.some(self.reservations)
        if known is None or self.random.random() < 0.75:
            known = {**self.row(), "reservation": f"RES-{self.number}"}
            self.reservations.append(known)
        data = self.in_unit(known, self.random.randint(1, 40))
        if self.random.random() < 0.5:
            data["expires"] = iso(self.now + self.random.randint(-1, 20) * HOUR + self.random.randrange(HOUR))
        return self.event("stock.reserved", data)

    def release_reservation(self) -> Event | None:
        if (known := self.some(self.reservations)) is None:
            return None
        qty = {} if self.random.random() < 0.3 else {"qty": self.random.randint(1, 20)}
        return self.event("reservation.released", known | qty)

    def ship_transfer(self) -> Event | None:
        if len(self.locations) < 2:
            return None
        origin, to = self.random.sample(self.locations, 2)
        transfer = {"transfer": f"TR-{self.number}", "sku": self.random.choice(self.skus), "from": origin, "to": to}
        self.transfers.append(transfer)
        data = self.in_unit(transfer, self.random.randint(1, 40)) | {"eta": self.day(-1, 4)}
        return self.event("transfer.shipped", data)

    def receive_transfer(self) -> Event | None:
        if (known := self.some(self.transfers)) is None:
            return None
        data = {name: known[name] for name in ("transfer", "sku", "to")} | {"qty": self.random.randint(1, 45)}
        if self.random.random() < 0.3:
            data["held"] = self.random.randint(1, 5)
        return self.event("transfer.received", data)

    def report_balance(self) -> Event:
        data = {**self.row(), "on_hand": self.random.randint(-5, 120)}
        if self.random.random() < 0.3:
            data |= {"held": self.random.randint(0, 10), "on_order": self.random.randint(0, 100)}
        return self.event("balance.reported", data)

    # ---- planning and masters

    def revise_forecast(self) -> Event:
        row = self.row()
        key = (row["sku"], row["location"])
        version, known = f"v{self.number}", self.versions.get(key)
        if known is None or self.random.random() < 0.4:
            first = self.random.randint(-3, 0)
            buckets = [
                {"start": self.day(first + 7 * week, first + 7 * week), "days": 7, "qty": self.random.randint(0, 200)}
                for week in range(self.random.randint(1, 4))
            ]
            mode: dict[str, Any] = {"mode": "replace"}
        else:
            buckets = [{**bucket, "qty": self.random.randint(0, 20)} for bucket in known["buckets"]]
            mode = {"mode": "delta", "base_version": known["version"]}
        self.versions[key] = {"version": version, "buckets": buckets}
        return self.event("forecast.revised", {**row, "version": version, **mode, "buckets": buckets}, late=False)

    def set_policy(self) -> Event:
        low = self.random.randint(0, 60)
        policy = self.random.choice(
            [
                {"kind": "min_max", "min": low, "max": low + self.random.randint(1, 90)},
                {"kind": "reorder_point", "point": low, "qty": self.random.randint(1, 50)},
                {"kind": "forecast"},
                {"kind": "none"},
            ]
        )
        data: dict[str, Any] = {
            **self.row(),
            "policy": policy,
            "supplier": "ACME",
            "lead_time_days": self.random.randint(0, 9),
        }
        for name, least, most in (
            ("moq", 0, 60),
            ("multiple", 1, 24),
            ("max_qty", 1, 150),
            ("safety_stock", 0, 30),
            ("ack_days", 0, 2),
            ("asn_days", 0, 5),
        ):
            if self.random.random() < 0.4:
                data[name] = self.random.randint(least, most)
        if self.random.random() < 0.5:
            data["auto"] = {"max_qty": self.random.randint(0, 100)}
        return self.event("policy.set", data)

    def declare_feed(self) -> Event:
        data = {"feed": self.random.choice(SOURCES), "interval_seconds": self.random.randint(600, 200_000)}
        return self.event("feed.declared", data)

    def define_location(self, location: str | None = None) -> Event:
        data = {"location": location or self.random.choice(self.locations), "time_zone": self.random.choice(ZONES)}
        return self.event("location.defined", data)

    def define_supplier(self) -> Event:
        data: dict[str, Any] = {"supplier": self.random.choice(["ACME", "ZULU"])}
        if self.random.random() < 0.7:
            data["minimum_value"] = f"{self.random.randint(0, 400)}.{self.random.randint(0, 99):02}"
            data |= {"currency": "GBP"} if self.random.random() < 0.7 else {}
        if self.random.random() < 0.7:
            data |= {
                "truck_units": self.random.randint(1, 20),
                "truck_uom": self.random.choice([*UNITS, "each", "roll"]),
            }
        return self.event("supplier.defined", data)
