"""The latest balance report of the ERP at a row, beside the engine's balances as of the same moment."""

from typing import Any

from msgspec import field

from tables.ledger import Balances
from tables.table import Table


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


REPORTED = Table(b"b", "reports", Reported)
