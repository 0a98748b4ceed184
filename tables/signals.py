"""The replenishment signal of a row, by the row's name: at most one stands at a time; and what follows from it."""

from typing import Any

from msgspec import Struct, field

from engine.core.outputs import Disposition, SignalStatus
from tables.keys import Rank
from tables.table import Table


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
    counted: bool = False
    """Whether the business figures count it among those that stand; those of the version before are not."""


class Draft(Struct, array_like=True, gc=False):
    """The latest that was said of a signal's draft in a document of another system."""

    system: str
    document: str
    line: str | None
    rank: Rank
    is_live: bool
    """Whether the draft is there; False says that it is gone."""


class FollowUp(Struct, array_like=True, gc=False):
    """What other systems have made of a signal, until when it is snoozed, and who owns it; most have none of it."""

    signal: str = ""
    """The signal that it is of; that of an earlier signal of the row counts no more."""
    drafts: list[Draft] = field(default_factory=list)
    """One for each document, the latest last."""
    pushed: Rank | None = None
    """When another system was last told, or could not be told."""
    snoozed_until: int | None = None
    snoozed_by: str | None = None
    snoozed_qty: int = 0
    """What the signal asked for when it was snoozed."""
    owner: str | None = None


SIGNAL = Table(b"g", "signals", SignalRow, weight=4_000)
FOLLOW_UP = Table(b"y", "follow-ups of signals", FollowUp, weight=2_000)
