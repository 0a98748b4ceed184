"""Tryton, an ERP, by its JSON-RPC: items, warehouses, order points, purchases, stock moves and balances.

It delivers at least once, and what it sends again has the same idempotency key, so an event is in the log once. What
has changed is found by change polling with an overlap. The position, which is kept behind what is durable, names every
move that was told, so a move that the ERP stamps again is not told again, whenever either side was killed. Balances are
reported to be compared, so what slipped through, or was changed behind the ERP's back, is found as drift.
"""

from connectors.ports import Connector, Tools
from connectors.tryton.connector import TrytonConnector
from connectors.tryton.profile import Profile

__all__ = ["Profile", "connect"]


def connect(profile: Profile, tools: Tools) -> Connector:
    """The connector to the ERP of `profile`."""
    return TrytonConnector(profile, tools)
