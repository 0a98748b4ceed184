"""A signal as far as pushing it asks for it, read from `/v1/signals`."""

from dataclasses import dataclass
from datetime import date

from connectors.base import JsonObject
from connectors.orders.system import Key, WantedLine

STANDING = ("open", "accepted")
"""In these statuses a signal asks for goods."""


@dataclass(frozen=True)
class Draft:
    """What the engine knows of the line that a signal became."""

    system: str
    document: str
    line: str


@dataclass(frozen=True)
class PushedSignal:
    """A signal that has a line, or is to get one. `supplier` is None where the policy names none."""

    id: str
    sku: str
    location: str
    supplier: str | None
    qty: int
    due: date | None
    status: str
    disposition: str
    revision: int
    updated: str
    by: str | None = None
    order: str | None = None
    draft: Draft | None = None

    @property
    def stands(self) -> bool:
        """Whether it still asks for goods. A line of one that has come under review stays as it is."""
        return self.status in STANDING

    @property
    def is_wanted(self) -> bool:
        """Whether a planner or the policy's limits allow to order it."""
        return self.status == "accepted" or (self.status == "open" and self.disposition == "auto")

    @property
    def key(self) -> Key:
        """The key of its line."""
        return Key(self.id, self.qty, self.due)

    @property
    def line(self) -> WantedLine:
        """The line that it is to become; only for one that names a supplier."""
        assert self.supplier is not None
        return WantedLine(self.key, self.sku, self.location, self.supplier)


def pushed_signal(published: JsonObject) -> PushedSignal:
    """The signal of an item of `/v1/signals`."""
    draft = published.get("draft")
    return PushedSignal(
        id=published["id"],
        sku=published["sku"],
        location=published["location"],
        supplier=published.get("supplier"),
        qty=published["qty"],
        due=date.fromisoformat(published["due"]) if published.get("due") else None,
        status=published["status"],
        disposition=published["disposition"],
        revision=published["revision"],
        updated=published["updated"],
        by=published.get("by"),
        order=published.get("order"),
        draft=Draft(draft["system"], draft["document"], str(draft.get("line") or "")) if draft else None,
    )
