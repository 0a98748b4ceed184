"""The two ways of buying: by the engine's signals as they open, or by a batch every night."""

from datetime import date
from math import ceil

from connectors.base import JsonObject
from engine.demo.world.calendar import DAY, MINUTE, at_local, at_next_job
from engine.demo.world.planning import Forecaster
from engine.demo.world.shop import Shop
from engine.demo.world.stock import Row
from engine.demo.world.suppliers import judgement_of

REJECTED_FOR_DAYS = 7


class SignalBuyer:
    """Answers the engine's signals: those of disposition auto at once, those for review after the planner's time.

    The planner is away at the end of the period.
    """

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self._open: dict[str, JsonObject] = {}
        self._seen: set[str] = set()

    def see(self, signals: list[JsonObject]) -> None:
        """Take the signals that are open now; a signal that is no longer among them was withdrawn or answered."""
        self._open = {signal["id"]: signal for signal in signals}
        agenda = self._shop.agenda
        for signal in signals:
            if signal["id"] in self._seen:
                continue
            self._seen.add(signal["id"])
            if signal["disposition"] == "auto":
                agenda.put(agenda.now + MINUTE, self._order, signal["id"], "auto-buyer")
            else:
                row = self._row(signal)
                row.reviews += 1
                judgement = judgement_of(self._shop.plan.seed, row.plan.key, row.reviews)
                agenda.put(at_next_job(agenda.now + judgement.after), self._review, signal["id"], judgement.rejects)

    def _row(self, signal: JsonObject) -> Row:
        return self._shop.rows[signal["sku"], signal["location"]]

    def _review(self, ident: str, rejects: bool) -> None:
        signal = self._open.get(ident)
        if signal is None:
            self._shop.counters.reviewed["withdrawn before review"] += 1
            return
        if self._shop.agenda.now >= self._shop.plan.planner_leaves:
            self._shop.counters.reviewed["left to you"] += 1
            return
        if rejects:
            self._answer(signal, "signal.rejected", {"by": "planner", "reason": "range under review"})
            self._shop.counters.reviewed["rejected"] += 1
            return
        self._answer(signal, "signal.accepted", {"by": "planner", "qty": signal["qty"]})
        self._shop.counters.reviewed["accepted"] += 1
        self._order(ident, "planner")

    def _order(self, ident: str, by: str) -> None:
        signal = self._open.pop(ident, None)
        if signal is None:
            return
        due = date.fromisoformat(signal["due"]).toordinal() if signal.get("due") else None
        line = self._shop.purchasing.place(self._row(signal), signal["qty"], due, ident)
        self._answer(signal, "signal.ordered", {"by": by, "qty": line.qty, "order": line.number, "line": 1})

    def _answer(self, signal: JsonObject, kind: str, data: dict[str, object]) -> None:
        about = {"signal": signal["id"], "sku": signal["sku"], "location": signal["location"]}
        ident = f"{signal['id']}-{kind.removeprefix('signal.')}"
        self._shop.emit("erp", ident, kind, self._shop.agenda.now, {**about, **data})


class NightlyBuyer:
    """Orders by the same policies, from book stock, once a day at 23 h."""

    def __init__(self, shop: Shop, forecaster: Forecaster) -> None:
        self._shop = shop
        self._forecaster = forecaster
        self._waiting: dict[tuple[str, str], int] = {}

    def open(self) -> None:
        """Put every night on the agenda."""
        for day in range(self._shop.plan.first, self._shop.plan.last + 1):
            self._shop.agenda.put(at_local(day, 23), self._night, day)

    def _night(self, day: int) -> None:
        agenda = self._shop.agenda
        for row in self._shop.rows.values():
            qty = self.proposal(row, day)
            if not qty or self._waiting.get(row.key, 0) > agenda.now:
                continue
            if qty * row.plan.unit_cost <= row.plan.auto_value:
                self._shop.purchasing.place(row, qty)
                continue
            row.reviews += 1
            judgement = judgement_of(self._shop.plan.seed, row.plan.key, row.reviews)
            self._waiting[row.key] = agenda.now + (REJECTED_FOR_DAYS * DAY if judgement.rejects else judgement.after)
            if not judgement.rejects and agenda.now + judgement.after < self._shop.plan.planner_leaves:
                agenda.put(agenda.now + judgement.after, self._place, row, qty)

    def _place(self, row: Row, qty: int) -> None:
        self._shop.purchasing.place(row, qty)

    def proposal(self, row: Row, day: int) -> int:
        """The quantity that the row's policy asks for on `day`, in base units; 0 if it asks for nothing."""
        plan, position = row.plan, row.position
        if plan.kind == "none":
            return 0
        s, target = plan.s, plan.S
        if plan.kind == "forecast":
            rate = self._forecaster.rate(row.key, day)
            s = ceil(rate * plan.supplier.lead_days) + plan.safety_stock
            target = ceil(rate * (plan.supplier.lead_days + plan.review_days)) + plan.safety_stock
        if position > s:
            return 0
        if plan.kind == "reorder_point":
            return _up(s + 1 - position, plan.lot)
        return _up(max(target - position, 0), plan.multiple)


def _up(qty: int, multiple: int) -> int:
    return -(-qty // multiple) * multiple
