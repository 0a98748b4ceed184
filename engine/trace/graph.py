"""Nodes and edges of a trace, and which of them can be reached from where one begins."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Literal

from msgspec import Struct, field

NodeKind = Literal[
    "forecast", "policy", "event", "signal", "decision", "draft", "order", "acknowledgement", "shipment", "receipt",
    "reversal",
]  # fmt: skip
Figure = int | str | bool | None


class Node(Struct, kw_only=True):
    """A thing of a chain.

    `key` names the node within the answer; `id` is the name that the trade gives it: a version, an order line, a
    shipment, a receipt, a signal; of an event `source/id`. `time` is when it happened, null where no kept event says
    so. `events` are the events behind it, as `source/id`.
    """

    key: str
    kind: NodeKind
    id: str
    sku: str
    location: str
    time: datetime | None
    sentence: str
    status: str | None = None
    figures: dict[str, Figure] = field(default_factory=dict)
    events: list[str] = field(default_factory=list)


class Edge(Struct, frozen=True, order=True):
    """Something led to something else: `source` and `target` are keys of nodes, `why` says how."""

    source: str = field(name="from")
    target: str = field(name="to")
    why: str


class Graph:
    """All nodes and edges that are known of some rows.

    Attributes:
        nodes: by key.
        edges: as a dictionary, so that an edge that is found twice stands once, where it was found first.
    """

    def __init__(self) -> None:
        self.nodes: dict[str, Node] = {}
        self.edges: dict[Edge, None] = {}

    def add(self, node: Node) -> Node:
        """The node of this key, which is this one unless there is one already."""
        return self.nodes.setdefault(node.key, node)

    def link(self, source: Node | None, target: Node | None, why: str) -> None:
        """Say that one thing led to another; where one of them is not known nothing is said."""
        if source is not None and target is not None and source is not target:
            self.edges[Edge(source.key, target.key, why)] = None


class Reached(Struct):
    """What can be reached from some nodes: keys of nodes, edges, and where there was more than could be shown."""

    nodes: list[str]
    edges: list[Edge]
    forward_cut: bool
    backward_cut: bool


def reach(graph: Graph, start: Iterable[str], limit: int) -> Reached:
    """What some nodes led to and what led to them, nearest first.

    Args:
        graph: the nodes and edges.
        start: the keys of the nodes from which to look.
        limit: how many nodes are taken in each direction, those of the start included.
    """
    begin = list(start)
    forward, forward_cut = _walk(_neighbours((edge.source, edge.target) for edge in graph.edges), begin, limit)
    backward, backward_cut = _walk(_neighbours((edge.target, edge.source) for edge in graph.edges), begin, limit)
    ahead, behind = set(forward), set(backward)
    edges = [
        edge
        for edge in graph.edges
        if (edge.source in ahead and edge.target in ahead) or (edge.source in behind and edge.target in behind)
    ]
    return Reached(list(dict.fromkeys([*backward, *forward])), edges, forward_cut, backward_cut)


def effects(graph: Graph, key: str, limit: int) -> list[Node]:
    """What a node led to, nearest first, at most `limit`."""
    found, _ = _walk(_neighbours((edge.source, edge.target) for edge in graph.edges), [key], limit + 1)
    return [graph.nodes[each] for each in found[1:]]


def causes(graph: Graph, key: str, limit: int) -> list[Node]:
    """What led to a node, nearest first, at most `limit`."""
    found, _ = _walk(_neighbours((edge.target, edge.source) for edge in graph.edges), [key], limit + 1)
    return [graph.nodes[each] for each in found[1:]]


def _neighbours(pairs: Iterable[tuple[str, str]]) -> Mapping[str, list[str]]:
    found: dict[str, list[str]] = {}
    for source, target in pairs:
        found.setdefault(source, []).append(target)
    return found


def _walk(neighbours: Mapping[str, list[str]], start: list[str], limit: int) -> tuple[list[str], bool]:
    """The keys that are reached, nearest first, and whether there are more than `limit`."""
    seen = dict.fromkeys(start)
    for key in (queue := list(start)):
        for following in neighbours.get(key, ()):
            if following in seen:
                continue
            if len(seen) >= limit:
                return list(seen), True
            seen[following] = None
            queue.append(following)
    return list(seen), False
