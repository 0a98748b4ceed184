"""What a trace tells of the thing that was asked for, in a sentence."""

from collections.abc import Sequence

from engine.trace.graph import Graph, Node, causes, effects

MOST_NAMED = 3
"""A sentence names at most so many things."""
MOST_LOOKED_AT = 200
"""A sentence rests on so many things in each direction."""

_UPSTREAM = ("forecast", "policy", "event")
_OF_A_SIGNAL = ("decision", "draft")


def summary_of(graph: Graph, node: Node) -> str:
    """What became of a thing, and why it is there."""
    name = f"{node.kind.capitalize()} {node.id}"
    after, before = effects(graph, node.key, MOST_LOOKED_AT), causes(graph, node.key, MOST_LOOKED_AT)
    if node.kind in _UPSTREAM:
        signals = _of_kind(after, "signal")
        moved = f"moved {_named('signal', signals)}" if signals else "moved no signal that is known"
        return f"{name} {moved}, and {_orders(after)}."
    if node.kind == "signal":
        return f"{name} is {node.status}{_because(before)}, and {_orders(after)}."
    signals = _of_kind(before, "signal")
    asked = f"was asked for by {_named('signal', signals)}" if signals else "names no signal"
    asked += _because(before)
    if node.kind == "order":
        return f"{name} is {node.status}, and {asked}."
    if node.kind in _OF_A_SIGNAL:
        return f"{name} is about {_named('signal', signals)}{_because(before)}, and {_orders(after)}."
    orders = _of_kind(before, "order")
    line = f"belongs to {_named('order', orders)}" if orders else "names no order that is known"
    return f"{name} {line}, which {asked}." if orders else f"{name} {line}."


def _orders(after: Sequence[Node]) -> str:
    """Which orders something is in; open ones are named before those that are over."""
    orders = _of_kind(after, "order")
    for status in ("open", "announced"):
        if found := [order for order in orders if order.status == status]:
            return f"is in the {status} {_named('order', found)}"
    return f"was ordered as {_named('order', orders)}, of which nothing is open" if orders else "is in no order yet"


def _because(before: Sequence[Node]) -> str:
    """The forecasts that moved something, else the other events that did."""
    forecasts = _of_kind(before, "forecast")
    if forecasts:
        return f", moved by {_named('forecast', forecasts)}"
    events = [node for node in before if node.kind in _UPSTREAM]
    return f", moved by {_named('event', events)}" if events else ""


def _of_kind(nodes: Sequence[Node], kind: str) -> list[Node]:
    return [node for node in nodes if node.kind == kind]


def _named(kind: str, nodes: Sequence[Node]) -> str:
    names = list(dict.fromkeys(node.id for node in nodes))
    more = len(names) - MOST_NAMED
    told = ", ".join(names[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
    return f"{kind if len(names) == 1 else f'{kind}s'} {told}"
