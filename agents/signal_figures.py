"""What becomes of signals, as sums of the business figures: docs/kpis.md defines each of them."""

from agents.explain import proposed_qty
from agents.figures import add
from agents.need import FORMULAS
from agents.turn import Site
from engine.core import payloads as p
from engine.core.events import ForecastRevised
from engine.core.values import SECOND
from tables.signals import SignalRow

ANSWERED = ("accepted", "rejected")
BY_FORECAST = FORMULAS[p.ForecastPolicy]


def follow(site: Site, old: SignalRow | None, new: SignalRow) -> None:
    """Count what becomes of a signal: its status, and what a forecast has moved.

    Args:
        site: the row.
        old: the signal as it was; None where it has just opened.
        new: the signal as it is published.
    """
    turn, place = site.turn, (site.location, new.supplier or "")
    now, took = turn.now, (turn.now - new.opened) // SECOND
    if type(turn.event) is ForecastRevised and new.status == "open":
        add(turn, place, now, forecast_signals=1, forecast_seconds=max(0, now - turn.at) // SECOND)
    if old is None:
        add(turn, place, now, signals_opened=1)
    elif old.status != new.status:
        name = "reopened" if new.status == "open" else new.status
        add(turn, place, now, **{f"signals_{name}": 1})
        if new.status in ANSWERED:
            add(turn, place, now, answered_seconds=took)
        if new.status == "ordered":
            automated = int(old.status == "open" and old.disposition == "auto")
            add(turn, place, now, ordered_seconds=took, signals_automated=automated)


def follow_open(site: Site, old: SignalRow | None, new: SignalRow | None) -> None:
    """Count a signal that stands now, as `new` says, no longer as `old` said; None where it does or did not stand."""
    for signal, sign in ((old, -1), (new, 1)):
        if signal is not None and (sign == 1 or signal.counted):
            name = f"signals_open:{signal.disposition}"
            add(site.turn, (site.location, signal.supplier or ""), signal.opened, **{name: sign})
    if new is not None:
        new.counted = True


def align(site: Site, signal: SignalRow, qty: int) -> None:
    """Compare what was ordered for a signal with what the engine proposed."""
    proposed = proposed_qty(signal.explanation) or signal.qty
    amounts = {"proposed_orders": 1, "proposed_units": proposed, "deviating_units": abs(qty - proposed)}
    if signal.explanation.get("formula") == BY_FORECAST:
        amounts |= {f"forecast_{name}": amount for name, amount in list(amounts.items())}
    add(site.turn, (site.location, signal.supplier or ""), site.turn.now, **amounts)
