"""The state types. A row is immutable by convention: agents change a copy, so a rejection leaves no trace.

Rows are stored as MessagePack arrays: a field may only be added at the end, with a default, so that old bytes decode
for ever. Instants are microseconds, days are ordinals, quantities are base units.
"""

from typing import Any

from msgspec import Struct, field

from engine.core.outputs import AlertStatus, Disposition, Severity, SignalStatus
from engine.core.payloads import PolicySetData

Rank = tuple[int, int, bytes]
"""(revision, instant, identity): the greater one wins; the identity breaks ties, so arrival order never does."""

NEVER = -1


class Count(Struct, array_like=True, frozen=True, gc=False):
    """A count of one status: the balance was `qty` as of `covers`. It ranks by its own time, then by its identity."""

    covers: int
    """The moment up to which it holds all movements: its own, or the oldest of the window where it came later."""
    at: int
    identity: bytes
    qty: int

    @property
    def rank(self) -> tuple[int, bytes]:
        """The later of two counts has the greater rank."""
        return self.at, self.identity


class Balances(Struct, array_like=True, gc=False):
    """Available and held stock as of some moment: the latest count of each, plus the movements later than it."""

    available: int = 0
    held: int = 0
    available_count: Count | None = None
    held_count: Count | None = None

    def move(self, at: int, available: int, held: int) -> None:
        """Take a movement at the instant `at`, unless a count holds it already."""
        if available and (self.available_count is None or at > self.available_count.covers):
            self.available += available
        if held and (self.held_count is None or at > self.held_count.covers):
            self.held += held

    def reset(self, count: Count, is_held: bool, later: int) -> None:
        """Take a count; `later` is the sum of the movements after the moment that it covers."""
        if is_held:
            self.held, self.held_count = count.qty + later, count
        else:
            self.available, self.available_count = count.qty + later, count

    def outranks(self, count: Count, is_held: bool) -> bool:
        """Whether a count of the same status that is known already ranks at or above `count`."""
        known = self.held_count if is_held else self.available_count
        return known is not None and known.rank >= count.rank


class Floor(Balances, array_like=True, gc=False):
    """The balances as of the newest movement that is no longer kept by itself."""


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


class Entry(Struct, array_like=True, gc=False):
    """One movement or count of a row, kept for the movement window. A count has `count` 1 (available) or 2 (held)."""

    available: int
    held: int
    kind: str
    ref: str
    count: int = 0
    document: str = ""
    counted_at: int = NEVER
    """The time of a count; it may lie before the moment that it covers."""


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


class Revision(Struct, array_like=True, gc=False):
    """One forecast revision; buckets are (start day, days, quantity)."""

    version: str
    base_version: str | None
    rank: Rank
    buckets: list[tuple[int, int, int]]


class Version(Struct, array_like=True, gc=False):
    """What is known of the forecast revisions of a row that bear one version name."""

    settled: bool = False
    """Whether a delta that names this version waits for nothing."""
    supports: int = 0
    """How many revisions that are in force bear the name; above 0 the deltas that name it are in force too."""


class Bucket(Struct, array_like=True, gc=False):
    """What the revisions in force say of one span of days, added up."""

    qty: int = 0
    revisions: int = 0
    """How many statements are added up here; without any the row is gone."""


class Issued(Struct, array_like=True, gc=False):
    """What was issued of a row on one local day."""

    qty: int = 0


class Plan(Struct, array_like=True, gc=False):
    """Policy, forecast and what was observed of demand and lead time at a row."""

    policy: PolicySetData | None = None
    policy_rank: Rank | None = None
    base: Revision | None = None
    superseded: Rank | None = None
    """The rank of the latest `replace` under another version name than the base's: older deltas never count again."""
    deltas: int = 0
    """How many deltas are kept, in force or not."""
    spans: int = 0
    """How many deltas and buckets of deltas are kept: what one event may have to put in force or take back."""
    gaps: int = 0
    """How many of them wait for a version that is not known."""
    buckets: int = 0
    """How many buckets of the forecast in force have not ended."""
    closes_at: int = 0
    """No bucket ends before this day."""
    swept: int = 0
    """Buckets that ended on this day or before are no longer kept."""
    closed_until: int = 0
    errors: list[tuple[int, int, int]] = field(default_factory=list)
    """Of the last closed buckets: (forecast, issued, days)."""
    completed: list[tuple[int, str, int]] = field(default_factory=list)
    """The last completed order lines by their last receipt: (its instant, the line's name, days from order to it)."""

    @property
    def lead_times(self) -> list[int]:
        """Days from order to receipt of the last completed lines."""
        return [days for _, _, days in self.completed]

    @property
    def complete(self) -> bool:
        """Whether no delta waits for a version that is not known."""
        return not self.gaps


class Definition(Struct, array_like=True, gc=False):
    """The units of an item as one `item.defined` states them, from its time on."""

    base_unit: str
    units: dict[str, int]


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
    status: SignalStatus
    revision: int
    qty: int
    due: int
    disposition: Disposition
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
    status: AlertStatus
    severity: Severity
    opened: int
    updated: int
    revision: int
    evidence: dict[str, Any]
    by: str | None = None
    note: str | None = None
    until: int | None = None
    """When an alert that states a fact resolves by age."""


class Reported(Balances, array_like=True, kw_only=True, gc=False):
    """The latest balance report of the ERP at a row, beside the balances that are kept as of its moment."""

    at: int
    identity: bytes
    ref: str
    on_hand: int
    on_hold: int | None = None
    on_order: int | None = None
    difference: int = 0
    causes: list[dict[str, Any]] = field(default_factory=list)
    """The causes that an open alert names; empty where there is none."""


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
