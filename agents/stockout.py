"""The days ahead: whether the projection of a row falls below 0 before an order could help.

It leaves in `Stock` what spares most events this look: `forecast`, and `recheck_below`, the sellable stock under which
the row must be looked at again. It also asks for the row's next look by the clock.
"""

from agents import alerts
from agents.need import LOOK_AHEAD_DAYS, need_of
from agents.projection import days_ahead, protection_days
from agents.turn import Site
from engine.core.values import MINUTE, day_of

SPREAD_MINUTES = 180
"""Rows wake over so many minutes after midnight, so that they do not all wake at once."""


def look_ahead(site: Site) -> None:
    """Raise `projected_stockout` where the projection falls below 0 within lead time and review period."""
    stock = site.stock
    stock.forecast = site.plan.buckets > 0
    if not stock.forecast:
        stock.recheck_below = None
        alerts.clear_alert(site, "projected_stockout")
        return
    projection, protection = days_ahead(site), protection_days(site)
    lowest = min(projection.projected)
    stock.recheck_below = stock.sellable - lowest if lowest >= 0 else None
    below = projection.first_below_zero(protection)
    if below is not None:
        evidence = {
            "date": day_of(below).isoformat(), "projected": projection.projected[below - projection.today],
            "lowest": min(projection.projected[:protection]), "sellable": stock.sellable, "days_ahead": protection,
        }  # fmt: skip
        alerts.raise_alert(site, "projected_stockout", evidence)
    else:
        alerts.clear_alert(site, "projected_stockout")
    need = need_of(site)
    _wake_on(site, _next_look(site, lowest >= 0 and (need is None or stock.position > need.ceiling)))


def _next_look(site: Site, calm: bool) -> int:
    """The day of the next look: tomorrow if a trigger is near, else when a bucket ends, at most a week ahead."""
    tomorrow = site.today + 1
    return max(tomorrow, min(site.plan.closes_at, site.today + LOOK_AHEAD_DAYS)) if calm else tomorrow


def _wake_on(site: Site, day: int) -> None:
    """Ask to be woken early on a local day."""
    minutes = sum(site.row) * 37 % SPREAD_MINUTES
    site.wake(site.day_begins(day) + minutes * MINUTE)
