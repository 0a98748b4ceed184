"""The stock row of (sku, location), and its reservations and transfers."""

from msgspec import Struct

from tables.keys import NEVER, Rank
from tables.ledger import Balances
from tables.table import Table


class Stock(Balances, array_like=True, gc=False):
    """The stock row of (sku, location): its balances, and marks that let most events pass without looking further.

    The balances of `Balances` are those of now. In brackets: the modules of `agents` that write the field.
    """

    reserved: int = 0
    """What open reservations take of available. [stock]"""
    on_order: int = 0
    """What order lines still bring that no shipment carries. [purchasing]"""
    in_transit: int = 0
    """What shipments and transfers carry. [purchasing, stock]"""
    version: int = 0
    """How many events have changed the row; each published position has its own. [pipeline, calm]"""
    updated: int = 0
    """The time of the event that changed the row last. [pipeline, calm]"""
    latest: int = 0
    """The greatest event time of the row. [ledger, calm]"""
    floor_at: int = NEVER
    """Movements and counts at or before this moment are folded into the row's `Floor`; later ones are kept. [ledger]"""
    fold_at: int | None = None
    """When `latest` reaches this instant, the oldest kept movements are folded into the floor. [ledger, calm]"""
    issue_day: int = 0
    """The local day of `issue_qty`. [stock, calm]"""
    issue_qty: int = 0
    """What was issued on `issue_day` and is not yet in a row of its own. [stock, demand, calm]"""
    reorder_at: int | None = None
    """Above this position no policy asks for goods, now or soon; None without one. [replenishment, drift_lead_time]"""
    recheck_below: int | None = None
    """The dated projection must be computed again once less than this is sellable. [stockout]"""
    signal_open: bool = False
    """Whether a signal of the row stands. [replenishment, signal_answers]"""
    alerts: int = 0
    """How many alerts of the row are not resolved. [turn]"""
    reported_at: int = NEVER
    """The moment of the latest balance report of the ERP. [drift, calm]"""
    checked_at: int | None = None
    """When the row first needed goods although nothing had stated its stock. [replenishment]"""
    wake_at: int | None = None
    """When the clock must look at the row next; agents ask by `Site.wake`. [turn, clock]"""
    item_known: bool = False
    """Whether the item master of the sku is known. [directory]"""
    supply_at: int = NEVER
    """The greatest event time of what changed `on_order`. [purchasing, shipments]"""
    negative_since: int | None = None
    """Since when available is below 0. [stock]"""
    negative_lowest: int = 0
    """The lowest that available has been since then. [stock]"""
    forecast: bool = False
    """Whether the row has a forecast to look ahead with. [stockout]"""
    moved_at: int = NEVER
    """The greatest moment of a kept movement or count: from it on the balance is the present one. [ledger, calm]"""
    placed_from: int = 0
    """No open order line was placed before this instant, so a search for the oldest begins here. [drift_lead_time]"""

    @property
    def stock_known(self) -> bool:
        """Whether any movement or count has stated the stock. Until then a balance of 0 means that nothing is known."""
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
    """A transfer as its destination knows it. Either side's event may come first."""

    origin: str | None = None
    shipped: int = 0
    received: int = 0
    """What has arrived, good or on hold."""
    eta: int | None = None
    """The day on which it is expected."""
    eta_rank: Rank | None = None
    shipped_at: int = NEVER
    due_at: int | None = None
    """When it counts as lost, if something of it is still in transit then."""

    @property
    def in_transit(self) -> int:
        """What was shipped and has not arrived."""
        return max(0, self.shipped - self.received)


class Reservation(Struct, array_like=True, gc=False):
    """A soft reservation: goods that are promised, and still count as available."""

    qty: int = 0
    rank: Rank | None = None
    """The rank of the `stock.reserved` that states quantity and expiry."""
    expires: int | None = None
    released: int = 0
    issued: int = 0
    over: bool = False
    """Whether all of it was released for good."""
    counted: int = 0
    """How much of it the row's `reserved` includes at present."""
    due_at: int | None = None
    """When the clock must look at it: it expires then, if something of it is open."""

    def open(self, now: int) -> int:
        """What is still reserved at `now`."""
        if self.over or (self.expires is not None and self.expires <= now):
            return 0
        return max(0, self.qty - self.released - self.issued)


STOCK = Table(b"s", "stock", Stock, weight=1_000)
TRANSFER = Table(b"x", "transfers", Transfer)
RESERVATION = Table(b"r", "reservations", Reservation)
