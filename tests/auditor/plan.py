"""What a row's policy, forecast and dated supply come to, said again as plainly as the row arithmetic."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, datetime
from zoneinfo import ZoneInfo

from tests.auditor.model import Key, Model
from tests.auditor.order_lines import Fact, Line, last
from tests.auditor.versions import forecast_of


class Plan(Model):
    """The model, with a view of the days to come."""

    def policy(self, key: Key) -> Fact | None:
        return last(self.events_of(key, "policy.set"))

    def order_quantity(self, key: Key) -> int:
        """What the row's policy asks for now; 0 where nothing is to be ordered."""
        policy = self.policy(key)
        return 0 if policy is None else order_quantity(policy, self.row(key).position)

    # ---- the dated projection

    def today(self, location: str) -> date:
        return self.local_day(location, self.now)

    def local_day(self, location: str, at: int) -> date:
        defined = last(f for f in self.facts if f["type"] == "location.defined" and f["location"] == location)
        zone = (defined or {}).get("time_zone") or "UTC"
        return datetime.fromtimestamp(at // 1_000_000, ZoneInfo(zone)).date()

    def projection(self, key: Key, horizon: int) -> list[int]:
        """Sellable stock at the end of today and of each of the days that follow."""
        return self.projected(key, horizon, self.demand(key))

    def available_to_promise(self, key: Key, horizon: int) -> list[int]:
        """For each day the least that is projected from that day on, the forecast left aside."""
        return forward_minimum(self.projected(key, horizon, {}))

    def projected(self, key: Key, horizon: int, demand: dict[int, int]) -> list[int]:
        today = self.today(key[1]).toordinal()
        supply: dict[int, int] = defaultdict(int)
        for day, qty in self.supply(key):
            supply[day if day >= today else today + 1] += qty
        stock, projected = self.row(key).sellable, []
        for day in range(today, today + horizon):
            stock += supply[day] - demand.get(day, 0)
            projected.append(stock)
        return projected

    def supply(self, key: Key) -> list[tuple[int, int]]:
        """Dated supply (day ordinal, qty): what is on order, what is shipped, what is being transferred."""
        dated = [entry for line in self.lines(key).values() for entry in dated_orders(line) + dated_shipments(line)]
        for name, qty in self.transfers(key).items():
            shipped = [fact for fact in self.events_of(key, "transfer.shipped") if fact["transfer"] == name]
            eta = (last(fact for fact in shipped if fact.get("eta")) or {}).get("eta")
            if qty and eta:
                dated.append((ordinal(eta), qty))
        return dated

    def forecast(self, key: Key) -> dict[tuple[int, int], int]:
        """The forecast in force: (first day, days) -> qty."""
        return forecast_of(self.events_of(key, "forecast.revised")).buckets

    def demand(self, key: Key) -> dict[int, int]:
        """Forecast demand by day ordinal, less what was issued, the bucket's earliest days first."""
        daily: dict[int, int] = defaultdict(int)
        for (start, days), qty in self.forecast(key).items():
            consumed = sum(
                fact["qty"]
                for fact in self.events_of(key, "stock.issued")
                if start <= self.local_day(key[1], fact["at"]).toordinal() < start + days
            )
            for offset in range(days):
                share = qty // days + (1 if offset < qty % days else 0)
                taken = min(share, consumed)
                consumed -= taken
                daily[start + offset] += share - taken
        return daily


def ordinal(day: str) -> int:
    return date.fromisoformat(day).toordinal()


def dated_orders(line: Line) -> list[tuple[int, int]]:
    """What is on order by day: the earliest promises are the ones already shipped or received."""
    if line.schedule is None:
        entries = [(line.due, line.ordered)]
    else:
        entries = [
            (entry.get("due") or (None if entry["status"] == "backordered" else line.due), entry["qty"])
            for entry in line.schedule
            if entry["status"] != "rejected"
        ]
    entries.sort(key=lambda entry: (entry[0] is None, entry[0] or ""))
    return left_over(entries, line.promised - line.on_order, line.on_order)


def dated_shipments(line: Line) -> list[tuple[int, int]]:
    """What is in transit by day: receipts reduce the shipment they name, the others the earliest."""
    entries, excess = [], line.received - sum(line.received_by_shipment.values())
    for name, shipment in line.shipments.items():
        rest = shipment["qty"] - line.received_by_shipment.get(name, 0)
        excess += max(0, -rest)
        entries.append((shipment["eta"], max(0, rest)))
    entries.sort(key=lambda entry: (entry[0] is None, entry[0] or ""))
    last_day = latest_promise(line)
    return left_over([(eta or last_day, rest) for eta, rest in entries], excess, line.in_transit)


def latest_promise(line: Line) -> str | None:
    """The last day on which something of a line is promised; its due date where nobody has promised another."""
    days = [
        shipment["eta"]
        for name, shipment in line.shipments.items()
        if shipment["eta"] and shipment["qty"] > line.received_by_shipment.get(name, 0)
    ]
    days += [
        entry["due"]
        for entry in line.schedule or []
        if entry.get("due") and entry["qty"] and entry["status"] != "rejected"
    ]
    return max(days, default=line.due)


def left_over(entries: list[tuple[str | None, int]], gone: int, left: int) -> list[tuple[int, int]]:
    """Skip `gone` units from the front, keep the next `left`; what has no date is no dated supply."""
    dated = []
    for day, qty in entries:
        skipped = min(qty, gone)
        kept = min(qty - skipped, left)
        gone, left = gone - skipped, left - kept
        if kept and day is not None:
            dated.append((ordinal(day), kept))
    return dated


def forward_minimum(values: list[int]) -> list[int]:
    return [min(values[index:]) for index in range(len(values))]


def order_quantity(policy: Fact, position: int) -> int:
    """Contract, section 3, for the kinds whose trigger does not depend on a forecast."""
    qty: int
    rule = policy["policy"]
    if rule["kind"] == "min_max" and position <= rule["min"]:
        qty = rule["max"] - position
    elif rule["kind"] == "reorder_point" and position <= rule["point"]:
        qty = 0
        while position + qty <= rule["point"]:
            qty += rule["qty"]
    else:
        return 0
    multiple = policy.get("multiple") or 1
    qty = max(qty, policy.get("moq") or 0)
    while qty % multiple:
        qty += 1
    cap: int | None = policy.get("max_qty")
    if cap is not None and qty > cap:
        qty = cap - cap % multiple or cap
    return qty
