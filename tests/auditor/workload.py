"""Admissible histories: seeded worlds whose events refer to each other as a business's documents do.

A `Story` tells one history in natural order. Any selection of its events, in any order and with any repetition, is
admissible too: the definitions of its items come apart, in `preamble`, because a unit must be declared before it is
used, and everything it tells lies within the 48 hours for which the engine keeps movements.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tests.auditor.model import HOUR, Event
from tests.auditor.teller import SOURCES, Teller, iso

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
}


def encoded(event: Event) -> bytes:
    return json.dumps(event, separators=(",", ":")).encode()


class Story(Teller):
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

    # ---- purchasing

    def place_order(self) -> Event:
        order = f"PO-{self.number // 3}"
        taken = [line["line"] for line in self.lines if line["order"] == order]
        line = {**self.row(), "order": order, "line": len(taken) + 1}
        self.lines.append(line | {"qty": self.random.randint(1, 120)})
        data = self.in_unit(line, self.lines[-1]["qty"])
        data |= {"supplier": "ACME", "due": self.day(-1, 12)}
        return self.event("order.placed", data)

    def named(self, line: dict[str, Any]) -> dict[str, Any]:
        return {name: line[name] for name in ("order", "line", "sku", "location")}

    def change_order(self) -> Event | None:
        if (line := self.some(self.lines)) is None:
            return None
        data = self.named(line) | {"revision": self.random.randint(0, 3)}
        if self.random.random() < 0.7:
            data["qty"] = self.random.randint(0, 150)
        if self.random.random() < 0.5:
            data["due"] = self.day(-1, 14)
        return self.event("order.changed", data)

    def end_order(self) -> Event | None:
        if (line := self.some(self.lines)) is None:
            return None
        return self.event(self.random.choice(["order.cancelled", "order.closed"]), self.named(line))

    def acknowledge(self) -> Event | None:
        if (line := self.some(self.lines)) is None:
            return None
        schedule = []
        for _ in range(self.random.randint(0, 3)):
            entry = {
                "status": self.random.choice(["accepted", "accepted", "changed", "backordered", "pending", "rejected"]),
                "qty": self.random.randint(0, line["qty"]),
            }
            if self.random.random() < 0.7:
                entry["due"] = self.day(-2, 15)
            schedule.append(entry)
        return self.event("order.acknowledged", self.named(line) | {"schedule": schedule})

    def ship(self) -> Event | None:
        if (line := self.some(self.lines)) is None:
            return None
        shipment = {**self.named(line), "shipment": f"ASN-{self.number}"}
        self.shipments.append(shipment)
        qty = self.random.randint(1, line["qty"] + 10)
        return self.event("shipment.notified", {**shipment, "qty": qty, "eta": self.day(-2, 8)})

    def change_shipment(self) -> Event | None:
        if (shipment := self.some(self.shipments)) is None:
            return None
        data = shipment | {"revision": self.random.randint(0, 2)}
        if self.random.random() < 0.3:
            return self.event("shipment.cancelled", data)
        if self.random.random() < 0.7:
            data = self.in_unit(data, self.random.randint(0, 60))
        if self.random.random() < 0.5:
            data["eta"] = self.day(-2, 8)
        return self.event("shipment.changed", data)

    def receive(self) -> Event:
        line, shipment = self.some(self.lines), self.some(self.shipments)
        data = {**self.row(), "receipt": f"GRN-{self.number}"}
        how = self.random.random()
        if line is not None and how < 0.5:
            data |= self.named(line)
            if self.random.random() < 0.08:
                data["closes_line"] = True
        elif shipment is not None and how < 0.7:
            data |= self.named(shipment) | {"shipment": shipment["shipment"]}
        elif shipment is not None and how < 0.8:
            data |= {name: shipment[name] for name in ("sku", "location", "shipment")}
        elif line is not None and how < 0.9:
            data |= {name: line[name] for name in ("sku", "location", "order")}
        most = line["qty"] + 5 if line else 60
        data = self.in_unit(data, self.random.randint(1, most))
        if self.random.random() < 0.2:
            data["held"] = self.random.randint(0, 6)
        if self.random.random() < 0.15:
            data["damaged"] = self.random.randint(1, 6)
            data["qty"] = self.random.choice([0, data["qty"]])
        return self.event("goods.received", data)

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
        for name, least, most in (("moq", 0, 60), ("multiple", 1, 24), ("max_qty", 1, 150), ("safety_stock", 0, 30)):
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
