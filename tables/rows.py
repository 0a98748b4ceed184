"""The state types. A row is immutable by convention: agents change a copy, so a rejection leaves no trace.

Rows are stored as MessagePack arrays: a field may only be added at the end, with a default, so that old bytes decode
for ever. Instants are microseconds, days are ordinals, quantities are base units.
"""

from typing import Any

from msgspec import Struct, field

from engine.core.payloads import PolicySetData

Rank = tuple[int, int, bytes]
"""(revision, instant, identity): the greater one wins; the identity breaks ties, so arrival order never does."""

NEVER = -1


class Stock(Struct, array_like=True, gc=False):
    """The hot row of (sku, location): balances, and what lets an event pass without looking further."""

    available: int = 0
    held: int = 0
    reserved: int = 0
    on_order: int = 0
    in_transit: int = 0
    version: int = 0
    updated: int = 0
    latest: int = 0
    """The greatest event time seen."""
    available_count_at: int = NEVER
    available_count_tie: bytes = b""
    held_count_at: int = NEVER
    held_count_tie: bytes = b""
    floor_at: int = NEVER
    """Movements at or before this moment are folded into the floor balances and no longer kept one by one."""
    floor_available: int = 0
    floor_held: int = 0
    floor_available_count_at: int = NEVER
    floor_held_count_at: int = NEVER
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

    @property
    def sellable(self) -> int:
        """Available less reserved."""
        return self.available - self.reserved

    @property
    def position(self) -> int:
        """The inventory position: sellable + on order + in transit."""
        return self.available - self.reserved + self.on_order + self.in_transit


class Entry(Struct, array_like=True, gc=False):
    """One movement or count of a row, kept for the movement window. A count has `count` 1 (available) or 2 (held)."""

    available: int
    held: int
    kind: str
    ref: str
    count: int = 0
    document: str = ""


class Shipped(Struct, array_like=True, gc=False):
    """What one shipment brings to a line; `eta` is a day."""

    qty: int = 0
    received: int = 0
    eta: int | None = None
    eta_at: int = NEVER


class Line(Struct, array_like=True, gc=False):
    """A line of a purchase order."""

    number: str
    supplier: str | None = None
    ordered: int | None = None
    ordered_rank: Rank | None = None
    due: int | None = None
    due_rank: Rank | None = None
    placed_at: int | None = None
    promised_rank: Rank | None = None
    promises: list[tuple[str, int, int | None]] = field(default_factory=list)
    received: int = 0
    shipments: dict[str, Shipped] = field(default_factory=dict)
    ended: bool = False
    last_received_at: int = NEVER
    sampled: bool = False


class Order(Struct, array_like=True, gc=False):
    """A purchase order as far as it concerns one row; `unlined` was received without naming a line."""

    lines: dict[str, Line] = field(default_factory=dict)
    unlined: int = 0
    counted_on_order: int = 0
    counted_in_transit: int = 0
    """What of it the row's `on_order` and `in_transit` hold."""


class Shipment(Struct, array_like=True, gc=False):
    """Where a shipment belongs, for receipts that name only it; `orphans` came before its notice."""

    order: str | None = None
    line: str | None = None
    orphans: list[tuple[int, int]] = field(default_factory=list)


class Transfer(Struct, array_like=True, gc=False):
    """A transfer as its destination sees it."""

    origin: str | None = None
    shipped: int = 0
    received: int = 0
    eta: int | None = None
    shipped_at: int = NEVER


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

    def open(self, now: int) -> int:
        """What is still reserved at `now`."""
        if self.over or (self.expires is not None and self.expires <= now):
            return 0
        return max(0, self.qty - self.released - self.issued)


class Documents(Struct, array_like=True, gc=False):
    """The documents of a row that still matter: what the projection and the clock must look at."""

    orders: tuple[str, ...] = ()
    transfers: tuple[str, ...] = ()
    reservations: tuple[str, ...] = ()
    facts: tuple[tuple[str, str, int], ...] = ()
    """Alerts that state a fact and age out: (kind, discriminator, until)."""


class Revision(Struct, array_like=True, gc=False):
    """One forecast revision; buckets are (start day, days, quantity)."""

    version: str
    base_version: str | None
    rank: Rank
    buckets: list[tuple[int, int, int]]


class Plan(Struct, array_like=True, gc=False):
    """Policy, forecast and what was observed of demand and lead time at a row."""

    policy: PolicySetData | None = None
    policy_rank: Rank | None = None
    base: Revision | None = None
    deltas: list[Revision] = field(default_factory=list)
    known_versions: list[str] = field(default_factory=list)
    buckets: list[tuple[int, int, int]] = field(default_factory=list)
    """The forecast in force: the base with the deltas that reach it."""
    complete: bool = True
    issued: dict[int, int] = field(default_factory=dict)
    """Issued quantity by local day."""
    closed_until: int = 0
    errors: list[tuple[int, int, int]] = field(default_factory=list)
    """Of the last closed buckets: (forecast, issued, days)."""
    lead_times: list[int] = field(default_factory=list)
    """Days from order to receipt of the last completed lines."""


class Item(Struct, array_like=True, gc=False):
    """The item master of a sku."""

    base_unit: str
    units: dict[str, int]
    rank: Rank
    description: str | None = None
    abc: str | None = None
    substitutes: list[str] = field(default_factory=list)


class SignalRow(Struct, array_like=True, gc=False):
    """The current or last signal of a row. `status` is that of the contract."""

    id: str
    status: str
    revision: int
    qty: int
    due: int
    disposition: str
    reasons: list[str]
    supplier: str | None
    opened: int
    updated: int
    until: int | None
    """When an accepted signal expires, or how long a closed one holds back the next."""
    explanation: dict[str, Any]
    events: list[str] = field(default_factory=list)
    by: str | None = None
    order: str | None = None
    line: str | None = None
    note: str | None = None


class AlertRow(Struct, array_like=True, gc=False):
    """The current or last alert of a kind (and discriminator) at a row."""

    id: str
    status: str
    severity: str
    opened: int
    updated: int
    revision: int
    evidence: dict[str, Any]
    by: str | None = None
    note: str | None = None


class Reported(Struct, array_like=True, gc=False):
    """The latest balance report of the ERP at a row, and how far it differed."""

    at: int
    on_hand: int
    ref: str
    difference: int = 0
    held: int | None = None
    causes: list[dict[str, Any]] = field(default_factory=list)
    """The causes that an open alert names; empty where there is none."""
    rank_tie: bytes = b""
    on_order: int | None = None


class Location(Struct, array_like=True, gc=False):
    """A location; days are local days of `time_zone`."""

    time_zone: str
    rank: Rank
    name: str | None = None
    working_days: list[int] | None = None


class Feed(Struct, array_like=True, gc=False):
    """A declared feed: nothing may be silent for longer than `interval` seconds."""

    interval: int
    locations: list[str] | None
    rank: Rank


class Pulse(Struct, array_like=True, gc=False):
    """The last arrival of a feed, by the engine's clock; a row of its own because it changes with every commit."""

    last: int
    stale: bool = False
