"""Which roles may make which call: every operation of the HTTP API has a rule, and a call without one is nobody's."""

from collections.abc import Mapping

from engine.access.principal import Role

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
    "listTypes": EVERYBODY,
    "getSchema": EVERYBODY,
    "acceptClock": OPERATORS,
    "listConnectors": READERS,
    "getConnector": READERS,
    "reportConnector": SENDERS,
    "isAlive": ANYONE,
    "isReady": ANYONE,
    "getMetrics": OPERATORS,
    "getOpenapi": EVERYBODY,
    "getAsyncapi": EVERYBODY,
    "getFrontPage": EVERYBODY,
    "getPage": EVERYBODY,
    "getRowPage": EVERYBODY,
    "getPart": EVERYBODY,
}
"""The operation's id -> the roles that may call it; `ANYONE` asks for no login."""
