"""Who may do what: every call of the HTTP API has a rule, and every table, and what has none is nobody's."""

from collections.abc import Mapping

from engine.access.denial import Forbidden, NotLoggedIn
from engine.access.principal import NOBODY, Principal, Role

READERS: frozenset[Role] = frozenset({"viewer", "planner", "operator"})
PLANNERS: frozenset[Role] = frozenset({"planner"})
OPERATORS: frozenset[Role] = frozenset({"operator"})
SENDERS: frozenset[Role] = frozenset({"operator", "adapter"})
SUPPLIERS: frozenset[Role] = frozenset({"supplier", "planner", "operator"})
"""A planner and an operator do it for a supplier, whom they name."""
EVERYBODY: frozenset[Role] = frozenset({"viewer", "planner", "operator", "adapter", "supplier"})
ANYONE = None
"""Also who is not logged in."""

RULES: Mapping[str, frozenset[Role] | None] = {
    "postEvents": SENDERS,
    "listPositions": READERS,
    "getPosition": READERS,
    "listRowEvents": READERS,
    "setPolicy": PLANNERS,
    "previewPolicy": PLANNERS,
    "listSignals": READERS,
    "getSignal": READERS,
    "answerSignal": PLANNERS,
    "reopenSignal": PLANNERS,
    "snoozeSignal": PLANNERS,
    "assignSignal": PLANNERS,
    "listAlerts": READERS,
    "getAlert": READERS,
    "answerAlert": PLANNERS,
    "snoozeAlert": PLANNERS,
    "assignAlert": PLANNERS,
    "listDecisions": READERS,
    "listDeadLetters": OPERATORS,
    "getDeadLetter": OPERATORS,
    "replayDeadLetter": OPERATORS,
    "discardDeadLetter": OPERATORS,
    "replayDeadLetters": OPERATORS,
    "listDeadLetterAnswers": OPERATORS,
    "listOrderLines": READERS,
    "aggregate": READERS,
    "getWork": READERS,
    "trace": READERS,
    "listSupplierLines": SUPPLIERS,
    "getSupplierForecast": SUPPLIERS,
    "acknowledgeLines": SUPPLIERS,
    "announceShipment": SUPPLIERS,
    "uploadLines": SUPPLIERS,
    "getKpis": READERS,
    "followChanges": READERS,
    "followWindows": READERS,
    "sync": READERS | SENDERS,
    "getFlow": OPERATORS,
    "listSources": OPERATORS,
    "getSettings": OPERATORS,
    "listTypes": EVERYBODY,
    "getSchema": EVERYBODY,
    "acceptClock": OPERATORS,
    "listConnectors": READERS,
    "getConnector": READERS | SENDERS,
    "reportConnector": SENDERS,
    "whoAmI": EVERYBODY,
    "isAlive": ANYONE,
    "isReady": ANYONE,
    "getMetrics": OPERATORS,
    "getOpenapi": EVERYBODY,
    "getAsyncapi": EVERYBODY,
    "getFrontPage": EVERYBODY,
    "getPage": EVERYBODY,
    "getRowPage": EVERYBODY,
    # Scripts and styles hold no data, and the page on which people log in needs them.
    "getPart": ANYONE,
    "showLogin": ANYONE,
    "logIn": ANYONE,
    "beginLogin": ANYONE,
    "finishLogin": ANYONE,
    "logOut": ANYONE,
}
"""The operation's id -> the roles that may call it; `ANYONE` asks for no login."""

TABLES: Mapping[str, frozenset[Role]] = {
    "positions": READERS,
    "signals": READERS,
    "alerts": READERS,
    "dead-letters": OPERATORS,
    "dead-letter-answers": OPERATORS,
    "order-lines": READERS,
}
"""A topic of outputs or a list -> the roles that may read it, by whichever call. A supplier reads none of them: what it
sees is made for it, from the lines of its own name."""


def require_operation(principal: Principal, operation: str) -> None:
    """Let a call pass; raises NotLoggedIn or Forbidden, also where the operation has no rule."""
    allowed = RULES.get(operation, frozenset())
    if allowed is not ANYONE:
        require(principal, allowed, "this call")


def require_table(principal: Principal, table: str) -> None:
    """Let a read of a table pass; raises NotLoggedIn or Forbidden."""
    require(principal, TABLES.get(table, frozenset()), f"the table {table}")


def require(principal: Principal, allowed: frozenset[Role], what: str) -> None:
    """Let a caller pass who has one of the roles; raises NotLoggedIn or Forbidden, with a sentence about `what`."""
    if principal.roles & allowed:
        return
    if principal == NOBODY:
        raise NotLoggedIn(f"{what} needs a login: send `Authorization: Bearer TOKEN`, or log in", "login_required")
    roles = " or ".join(sorted(allowed)) or "nobody"
    raise Forbidden(f"{what} is for the role {roles}; {principal.name} has {', '.join(sorted(principal.roles))}")
