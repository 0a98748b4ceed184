"""What a story tells of purchasing: orders, what suppliers say of them, and what is received and taken back."""

from __future__ import annotations

from typing import Any

from tests.auditor.model import Event
from tests.auditor.teller import Teller


class Buyer(Teller):
    """The steps of purchasing; a step answers None where there is nothing that it could be about."""

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
        self.receipts.append(data)
        return self.event("goods.received", data)

    def reverse_receipt(self) -> Event:
        known = self.some(self.receipts) or {**self.row(), "receipt": f"GRN-{self.number}"}
        data = {name: known[name] for name in ("receipt", "sku", "location")}
        if self.random.random() < 0.5:
            data |= {name: known[name] for name in ("order", "line", "shipment") if name in known}
        if self.random.random() < 0.6:
            data = self.in_unit(data, self.random.randint(1, 60))
            data["held"] = self.random.randint(0, 6)
        if self.random.random() < 0.5:
            data["reopens_line"] = self.random.random() < 0.7
        return self.event("receipt.reversed", data)
