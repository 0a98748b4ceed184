"""The wholesaler's shop: its sales, returns, corrections, losses, counts, transfers and purchases."""

from collections import defaultdict
from random import Random

from connectors.retail.invoices import InvoiceLine
from engine.demo.world.agenda import Agenda
from engine.demo.world.calendar import (
    DAY,
    HOUR,
    MINUTE,
    at_local,
    in_working_hours,
    is_working_day,
    iso,
    iso_day,
    local_day,
)
from engine.demo.world.history import WAREHOUSE, WEB, Key, location_of
from engine.demo.world.master import publish_items, publish_policies
from engine.demo.world.outlet import Emit
from engine.demo.world.plan import Plan
from engine.demo.world.purchasing import Purchasing
from engine.demo.world.stock import Counters, Movement, Row, Service

COUNTED_A_DAY = 14
SHRUNK_A_DAY = 6
TRANSFERS_A_WEEK = 10


class Shop:
    """All rows, and everything that happens to them, which plan, seed and the placed orders determine."""

    def __init__(self, plan: Plan, agenda: Agenda, emit: Emit) -> None:
        self.plan = plan
        self.agenda = agenda
        self.emit = emit
        self.counters = Counters()
        self.service = Service()
        self.start = at_local(plan.first, 5)
        self.end = at_local(plan.last + 1)
        self.rows = {key: Row(row, row.opening, since=self.start) for key, row in plan.rows.items()}
        self.purchasing = Purchasing(plan, agenda, emit, self.counters)
        self.excused: set[Key] = set()
        """The rows that are not counted now, since an error is planted in their balance."""
        self._bought: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
        self._reservations: dict[tuple[str, int], str] = {}

    def open(self) -> None:
        """Count everything, and put the demand and the daily habits on the agenda."""
        for row in self.rows.values():
            self._stock(row)
        for line in self.plan.lines:
            # The lines of an invoice follow each other within its second.
            at = line.at + line.row % 999 * 1000 + 1
            self.agenda.put(at, _ACTIONS[line.kind], self, line)
            if line.kind == "sale" and Random(f"{self.plan.seed}/{line.invoice}/{line.row}").random() < 0.008:
                self.agenda.put(at - 2 * HOUR, self._reserve, line)
        for day in self.plan.listings:
            self.agenda.put(at_local(day, 2), self._list, day)
        for day in self.plan.revisions:
            self.agenda.put(at_local(day, 4, 30), self._revise_policies, day)
        for day in range(self.plan.first, self.plan.last + 1):
            self.agenda.put(at_local(day, 3), self._shrink, day)
            if is_working_day(day):
                self.agenda.put(at_local(day, 5, 40), self._count_some, day)
            if day % 7 == 1:
                self.agenda.put(at_local(day, 7, 10), self._transfer_some, day)

    def _stock(self, row: Row) -> None:
        """Count a row's opening stock."""
        sku, location = row.key
        row.book, row.counted_at = row.available, row.since
        data = {"sku": sku, "location": location, "qty": row.available}
        self.emit(f"wms/{location}", f"opening-{sku}", "stock.counted", row.since, data)

    def _list(self, day: int) -> None:
        """Take new goods into the range."""
        listing, now = self.plan.listings[day], self.agenda.now
        publish_items(listing.items, listing.rows, self.emit, now)
        for key, plan in listing.rows.items():
            self.rows[key] = Row(plan, plan.opening, since=now)
            self._stock(self.rows[key])
        publish_policies(listing.rows, self.emit, now)

    def sell(self, line: InvoiceLine) -> None:
        """Serve a line from what is there; the rest is lost."""
        row, now = self.rows[line.sku, location_of(line)], self.agenda.now
        served = min(line.qty, max(0, row.available))
        self.service.add(line.qty, served, line.price)
        bought = self._bought[line.customer, line.sku]
        bought[0] += line.qty
        bought[1] += served
        reservation = self._reservations.pop((line.invoice, line.row), None)
        place = {"sku": line.sku, "location": row.plan.location}
        if served:
            data = {**place, "qty": served, "order": line.invoice}
            if reservation is not None:
                data["reservation"] = reservation
            self._move(row, -served, "stock.issued", f"{line.invoice}-{line.row}", data)
        if reservation is not None and served < line.qty:
            data = {**place, "reservation": reservation}
            self.emit("shop", f"{reservation}-end", "reservation.released", now + 1, data)

    def take_back(self, line: InvoiceLine) -> None:
        """Take back a return; of goods that were sold in this run, at most what was served."""
        row, qty = self.rows[line.sku, location_of(line)], -line.qty
        bought = self._bought.get((line.customer, line.sku))
        if bought is not None:
            qty = min(qty, bought[1])
            bought[1] -= qty
        if qty <= 0:
            return
        chance = Random(f"{self.plan.seed}/{line.invoice}/{line.row}/return").random()
        disposition = "available" if chance < 0.85 else "held" if chance < 0.95 else "scrap"
        ident = f"{line.invoice}-{line.row}"
        data = {"sku": line.sku, "location": row.plan.location, "qty": qty, "disposition": disposition}
        self._move(row, 0 if disposition == "scrap" else qty, "stock.returned", ident, data)
        if disposition == "held":
            row.available -= qty
            row.held += qty
            row.book -= qty
            row.book_held += qty
            at = in_working_hours(self.agenda.now + DAY)
            self.agenda.put(at, self.purchasing.release, row, qty, ident)

    def adjust(self, line: InvoiceLine) -> None:
        """Book a correction of the invoices; it writes off at most what is there."""
        row = self.rows[line.sku, location_of(line)]
        qty = max(line.qty, -max(0, row.available))
        if qty:
            data = {"sku": line.sku, "location": row.plan.location, "qty": qty, "reason": line.reason or "correction"}
            self._move(row, qty, "stock.adjusted", f"{line.invoice}-{line.row}", data)

    def _move(self, row: Row, change: int, kind: str, ident: str, data: dict[str, object]) -> None:
        now = self.agenda.now
        event = self.emit(f"wms/{row.plan.location}", ident, kind, now, data)
        row.measure(now)
        row.available += change
        row.book += change
        if change:
            row.recent.append(Movement(event, kind, now, change))

    def _reserve(self, line: InvoiceLine) -> None:
        number, now = f"RSV-{line.invoice}-{line.row}", self.agenda.now
        self._reservations[line.invoice, line.row] = number
        data = {"reservation": number, "sku": line.sku, "location": location_of(line), "qty": line.qty,
                "expires": iso(now + DAY)}  # fmt: skip
        self.emit("shop", number, "stock.reserved", now, data)

    def _revise_policies(self, day: int) -> None:
        for row in self.plan.revisions[day]:
            self.rows[row.sku, row.location].plan = row
            ident = f"policy-{row.location}-{row.sku}-{day}"
            self.emit("master-data", ident, "policy.set", self.agenda.now, row.policy_data())

    def _shrink(self, day: int) -> None:
        """Let goods go missing, or turn up, without an event; a later count finds out."""
        draw = Random(f"{self.plan.seed}/shrink/{day}")
        for key in draw.sample(sorted(self.rows), SHRUNK_A_DAY):
            row, share = self.rows[key], draw.uniform(0.03, 0.15)
            units = round(row.available * share) * (-1 if draw.random() < 0.85 else 1)
            row.measure(self.agenda.now)
            row.available += units
            self.counters.shrunk_units += abs(units)
            if units:
                self.agenda.put(at_local(day + draw.randint(2, 12), 5, 45), self._count, key)

    def _count_some(self, day: int) -> None:
        draw = Random(f"{self.plan.seed}/count/{day}")
        for key in draw.sample(sorted(self.rows), COUNTED_A_DAY):
            self._count(key)

    def _count(self, key: Key) -> None:
        row, now = self.rows[key], self.agenda.now
        if key in self.excused or now >= self.end:
            return
        self.counters.counts += 1
        self.counters.counts_off += row.book != row.available
        row.book, row.counted_at = row.available, now
        data = {"sku": key[0], "location": key[1], "qty": row.available}
        self.emit(f"wms/{key[1]}", f"CC-{self.counters.counts:05d}", "stock.counted", now, data)

    def _transfer_some(self, day: int) -> None:
        """Fill the web shop's shelves from the warehouse where it is short and the warehouse is not."""
        draw = Random(f"{self.plan.seed}/transfer/{day}")
        short = []
        for key in sorted(key for key in self.rows if key[1] == WEB):
            row, other = self.rows[key], self.rows.get((key[0], WAREHOUSE))
            if other is not None and row.book < row.plan.s // 2 and other.book > other.plan.s:
                short.append((row, other))
        for row, other in draw.sample(short, min(len(short), TRANSFERS_A_WEEK)):
            qty = min(row.plan.S - row.book, other.available // 3)
            if qty >= 4:
                self._ship_transfer(other, row, qty, draw)

    def _ship_transfer(self, origin: Row, to: Row, qty: int, draw: Random) -> None:
        self.counters.transfers += 1
        number, now = f"TR-{self.counters.transfers:04d}", self.agenda.now
        arrival = in_working_hours(now + int(draw.uniform(0.8, 2.2) * DAY))
        eta = iso_day(local_day(arrival))
        data = {"transfer": number, "sku": to.plan.sku, "from": origin.plan.location, "to": to.plan.location,
                "qty": qty, "eta": eta}  # fmt: skip
        event = self.emit(f"wms/{origin.plan.location}", number, "transfer.shipped", now, data)
        origin.measure(now)
        origin.available -= qty
        origin.book -= qty
        origin.recent.append(Movement(event, "transfer.shipped", now, -qty))
        to.in_transfer += qty
        lost = max(1, qty // 10) if draw.random() < 0.05 else 0
        self.counters.lost_in_transfer += bool(lost)
        self.agenda.put(arrival + 3 * MINUTE, self._receive_transfer, number, to, qty - lost, lost)

    def _receive_transfer(self, number: str, to: Row, qty: int, lost: int) -> None:
        data = {"transfer": number, "sku": to.plan.sku, "to": to.plan.location, "qty": qty}
        to.in_transfer -= qty + lost
        self._move(to, qty, "transfer.received", f"{number}-in", data)


_ACTIONS = {
    "sale": lambda shop, line: shop.sell(line),
    "return": lambda shop, line: shop.take_back(line),
    "adjustment": lambda shop, line: shop.adjust(line),
}
