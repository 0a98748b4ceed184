"""What follows from an event of a row, by what it has changed; cheap tests come first."""

from agents import drift_lead_time, replenishment, stockout
from agents.turn import Site


def after_change(site: Site) -> None:
    """Goods came, went or were promised."""
    _replenish(site)
    if site.stock.forecast:
        stockout.look_ahead(site)


def after_drain(site: Site) -> None:
    """Goods only went, which cannot mend a projection: it is looked at only if more went than was to spare."""
    _replenish(site)
    recheck_below = site.stock.recheck_below
    if recheck_below is not None and site.stock.sellable < recheck_below:
        stockout.look_ahead(site)


def after_forecast(site: Site) -> None:
    """What the row will need is different now."""
    replenishment.evaluate(site)
    stockout.look_ahead(site)


def after_policy(site: Site) -> None:
    """What is expected of the row is different now."""
    drift_lead_time.watch(site)
    replenishment.evaluate(site)
    stockout.look_ahead(site)


def _replenish(site: Site) -> None:
    """Look at the signal where one is open or the position is near the trigger."""
    row = site.stock
    if row.signal_open or (row.reorder_at is not None and row.position <= row.reorder_at):
        replenishment.evaluate(site)
