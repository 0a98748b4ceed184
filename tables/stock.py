"""The stock row of (sku, location), and its reservations and transfers."""

from msgspec import Struct

from tables.keys import NEVER, Rank
from tables.ledger import Balances
from tables.table import Table


class Stock(Balances, array_like=True, gc=False):
    """The hot row of (sku, location): balances, and what lets an event pass without looking further."""

    reserved: int = 0
    on_order: int = 0
    in_transit: int = 0
    version: int = 0
    updated: int = 0
    latest: int = 0
    """The greatest event time seen."""
    floor_at: int = NEVER
    """Movements and counts at or before this moment are folded into the row's `Floor`; all later ones are kept."""
    fold_at: int | None = None
    """When `latest` reaches this instant, the oldest kept movements are folded into the floor."""
    issue_day: int = 0
    issue_qty: int = 0
    """Issues of the local day `issue_day`, not yet in the plan."""
    reorder_at: int | None = None
    """The trigger s of the policy; None without one."""
    recheck_below: int | None = None
    """Sellable stock under which the dated projection must be looked at again."""
    signal_open: bool = False
    alerts: int = 0
    """How many alerts of the row are not resolved."""
    reported_at: int = NEVER
    """The moment of the latest balance report of the ERP."""
    checked_at: int | None = None
    """When the row first needed goods while nothing had stated its stock."""
    wake_at: int | None = None
    item_known: bool = False
    supply_at: int = NEVER
    """The greatest event time of what changed on_order."""
    negative_since: int | None = None
    negative_lowest: int = 0
    forecast: bool = False
    """Whether the row has a forecast to look ahead with."""
    moved_at: int = NEVER
    """The greatest moment of a kept movement or count: from it on the balance is the present one."""
    placed_from: int = 0
    """No order line that is open was placed before this; a search for the oldest need not pass those that are gone."""

    @property
    def stock_known(self) -> bool:
        """Whether a count, a receipt or another movement has stated the stock; until then 0 is no statement."""
        return self.moved_at != NEVER

    @property
    def sellable(self) -> int:
        """Available less reserved."""
        return self.available - self.reserved

    @property
    def position(self) -> int:
        """The inventory position: sellable + on order + in transit."""
        return self.available - self.reserved + self.on_order + self.in_transit


class Transfer(Struct, array_like=True, gc=False):
    """A transfer as its destination sees it."""

    origin: str | None = None
    shipped: int = 0
    received: int = 0
    eta: int | None = None
    eta_rank: Rank | None = None
    shipped_at: int = NEVER
    due_at: int | None = None
    """When it counts as lost, if something of it is still in transit."""

    @property
    def in_transit(self) -> int:
        """What is still on its way."""
        return max(0, self.shipped - self.received)


class Reservation(Struct, array_like=True, gc=False):
    """A soft reservation."""

    qty: int = 0
    rank: Rank | None = None
    expires: int | None = None
    released: int = 0
    issued: int = 0
    over: bool = False
    counted: int = 0
    """What of it the row's `reserved` holds."""
    due_at: int | None = None
    """When it expires, if something of it is open."""

    def open(self, now: int) -> int:
        """What is still reserved at `now`."""
        if self.over or (self.expires is not None and self.expires <= now):
            return 0
        return max(0, self.qty - self.released - self.issued)


STOCK = Table(b"s", "stock", Stock, weight=1_000)
TRANSFER = Table(b"x", "transfers", Transfer)
RESERVATION = Table(b"r", "reservations", Reservation)
