"""Purchase orders and how suppliers treat them, from the placing to the last receipt."""

from engine.demo.world.agenda import Agenda
from engine.demo.world.calendar import (
    DAY,
    HOUR,
    MINUTE,
    at_next_job,
    in_working_hours,
    iso_day,
    local_day,
    next_working_day,
)
from engine.demo.world.outlet import Emit
from engine.demo.world.plan import Plan
from engine.demo.world.stock import Counters, Movement, Row
from engine.demo.world.suppliers import Delivery, Fate, fate_of


class OrderLine:
    """A purchase order of one line: the quantities that were ordered, promised and received.

    `dates` are the instant at which it was placed and the day on which it is due.
    """

    def __init__(self, number: str, row: Row, qty: int, dates: tuple[int, int], fate: Fate) -> None:
        self.number = number
        self.row = row
        self.qty = qty
        self.placed, self.due = dates
        self.fate = fate
        self.promised = qty
        self.received = 0
        self.receipts = 0
        self.open = 0
        self.set_open(qty)

    def set_open(self, qty: int) -> None:
        """Set the quantity that is still to come, also in the total of the row."""
        self.row.on_order += qty - self.open
        self.open = qty

    @property
    def document(self) -> dict[str, object]:
        """The fields that every document of the line carries."""
        sku, location = self.row.key
        return {"order": self.number, "line": 1, "sku": sku, "location": location}


class Purchasing:
    """Places orders and simulates the suppliers; everything random about an order is in its `Fate`."""

    def __init__(self, plan: Plan, agenda: Agenda, emit: Emit, counters: Counters) -> None:
        self._plan = plan
        self._agenda = agenda
        self._emit = emit
        self._counters = counters
        self._suppliers = plan.suppliers

    def place(self, row: Row, qty: int, due: int | None = None, signal: str | None = None) -> OrderLine:
        """Place an order now for `qty` base units, due on a day (default: after the lead time)."""
        now, plan = self._agenda.now, row.plan
        self._counters.orders += 1
        row.orders += 1
        supplier = self._suppliers[plan.supplier.name]
        fate = fate_of(self._plan.seed, plan.key, row.orders, supplier, local_day(now))
        due = next_working_day(max(due or 0, local_day(now) + plan.supplier.lead_days))
        line = OrderLine(f"PO-{self._counters.orders:06d}", row, qty, (now, due), fate)
        data = {**line.document, "supplier": supplier.name, **self._in_unit(row, qty), "due": iso_day(due)}
        if signal is not None:
            data["signal"] = signal
        self._emit("erp", line.number, "order.placed", now, data)
        self._agenda.put(at_next_job(now + fate.acknowledged_after), self._acknowledge, line)
        return line

    def _acknowledge(self, line: OrderLine) -> None:
        now, parts, left = self._agenda.now, line.fate.promises, line.qty
        schedule, promised = [], 0
        for number, promise in enumerate(parts):
            qty = left if number == len(parts) - 1 else round(line.qty * promise.share)
            left -= qty
            if qty:
                day = next_working_day(line.due + promise.later_days)
                part: dict[str, object] = {"status": promise.status, "qty": qty}
                schedule.append(part if promise.status == "rejected" else {**part, "due": iso_day(day)})
                promised += 0 if promise.status == "rejected" else qty
                self._counters.acknowledged[promise.status] += 1
        line.promised = promised
        line.set_open(line.promised)
        source = f"supplier/{line.row.plan.supplier.name}"
        self._emit(source, f"{line.number}-ack", "order.acknowledged", now, {**line.document, "schedule": schedule})
        if not line.promised:
            self._agenda.put(now + HOUR, self._close, line)
            return
        arrival = at_next_job(line.placed + line.fate.arrives_after)
        if line.fate.ships_after is not None:
            self._agenda.put(at_next_job(line.placed + line.fate.ships_after), self._ship, line, arrival)
        self._schedule_deliveries(line, arrival)

    def _schedule_deliveries(self, line: OrderLine, arrival: int) -> None:
        parts, left = line.fate.deliveries, line.promised
        for number, delivery in enumerate(parts):
            final = number == len(parts) - 1
            qty = left if final and not line.fate.closes_short else max(1, round(line.promised * delivery.share))
            qty = min(qty, left)
            left -= qty
            if qty:
                at = in_working_hours(arrival + delivery.after_days * DAY)
                self._agenda.put(at, self._receive, line, qty, delivery, final)

    def _ship(self, line: OrderLine, arrival: int) -> None:
        day = local_day(in_working_hours(arrival))
        data = {**line.document, "shipment": f"{line.number}-S1", "qty": line.promised, "eta": iso_day(day)}
        source = f"supplier/{line.row.plan.supplier.name}"
        self._emit(source, f"{line.number}-asn", "shipment.notified", self._agenda.now, data)

    def _receive(self, line: OrderLine, qty: int, delivery: Delivery, final: bool) -> None:
        now, row = self._agenda.now, line.row
        qty += round(qty * line.fate.surplus) if final else 0
        held, damaged = round(qty * delivery.held), round(qty * delivery.damaged)
        good = qty - held - damaged
        line.receipts += 1
        line.received += qty
        number = f"{line.number}-R{line.receipts}"
        data = {"receipt": number, **line.document, **self._in_unit(row, good)}
        if held or damaged:
            data = {"receipt": number, **line.document, "qty": good, "held": held, "damaged": damaged}
        if line.fate.ships_after is not None:
            data["shipment"] = f"{line.number}-S1"
        closes = final and line.fate.closes_short
        if closes:
            data["closes_line"] = True
        event = self._emit(f"wms/{row.plan.location}", number, "goods.received", now, data)
        self._book(row, good, held, Movement(event, "goods.received", now, good + held, self._factor(data, row)))
        line.set_open(0 if closes else max(0, line.promised - line.received))
        if held:
            self._agenda.put(in_working_hours(now + DAY + 7 * MINUTE), self.release, row, held, number)

    def _book(self, row: Row, good: int, held: int, movement: Movement) -> None:
        row.measure(movement.at)
        row.available += good
        row.held += held
        row.book += good
        row.book_held += held
        row.recent.append(movement)

    def release(self, row: Row, held: int, number: str) -> None:
        """Inspect held goods: most are released, the rest is written off."""
        now = self._agenda.now
        good = held - held // 10
        sku, location = row.key
        row.measure(now)
        row.held -= held
        row.available += good
        row.book_held -= held
        row.book += good
        source, place = f"wms/{location}", {"sku": sku, "location": location}
        self._emit(source, f"{number}-Q1", "stock.released", now, {**place, "qty": good, "reason": "inspected"})
        if held > good:
            data = {**place, "qty": good - held, "status": "held", "reason": "scrapped"}
            event = self._emit(source, f"{number}-Q2", "stock.adjusted", now, data)
            row.recent.append(Movement(event, "stock.adjusted", now, good - held))

    def _close(self, line: OrderLine) -> None:
        line.set_open(0)
        self._emit("erp", f"{line.number}-close", "order.closed", self._agenda.now, line.document)

    def _in_unit(self, row: Row, qty: int) -> dict[str, object]:
        """A quantity in cases where it is whole cases."""
        case = row.plan.case
        return {"qty": qty // case, "uom": "case"} if case > 1 and qty and qty % case == 0 else {"qty": qty}

    def _factor(self, data: dict[str, object], row: Row) -> int:
        return row.plan.case if "uom" in data else 1
