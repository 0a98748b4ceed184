"""The replenishment signal of a row, by the row's name: at most one stands at a time."""

from typing import Any

from msgspec import Struct, field

from engine.core.outputs import Disposition, SignalStatus
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


SIGNAL = Table(b"g", "signals", SignalRow, weight=4_000)
