"""What reversals take of receipts, recomputed receipt by receipt from the facts about a row."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

Fact = dict[str, Any]
STATUSES = ("qty", "held", "damaged")


def note_reversals(facts: list[Fact]) -> None:
    """Note at each receipt of a row what is taken back of it and when its line was opened again, and at each reversal
    what it takes.
    """
    by_number: dict[str, list[Fact]] = defaultdict(list)
    for fact in facts:
        if fact["type"] in ("goods.received", "receipt.reversed"):
            by_number[fact["receipt"]].append(fact)
    for about in by_number.values():
        receipts = [fact for fact in about if fact["type"] == "goods.received"]
        left = {id(fact): {status: fact.get(status) or 0 for status in STATUSES} for fact in receipts}
        for receipt in receipts:
            receipt["reversed"], receipt["damaged_reversed"], receipt["reopened"] = 0, 0, []
        for reversal in sorted((f for f in about if f["type"] == "receipt.reversed"), key=lambda f: f["rank"]):
            _take(reversal, receipts, left)


def _take(reversal: Fact, receipts: list[Fact], left: dict[int, dict[str, int]]) -> None:
    reversal["taken"] = dict.fromkeys(STATUSES, 0)
    whole = all(reversal.get(status) is None for status in STATUSES)
    meant = [fact for fact in receipts if all(one in (None, two) or two is None for one, two in _pairs(reversal, fact))]
    meant.sort(key=lambda fact: (-sum(one == two != None for one, two in _pairs(reversal, fact)), _named(fact)))  # noqa: E711
    for receipt in meant:
        for status in STATUSES:
            rest = left[id(receipt)]
            wanted = rest[status] if whole else (reversal.get(status) or 0) - reversal["taken"][status]
            qty = min(rest[status], wanted)
            rest[status] -= qty
            reversal["taken"][status] += qty
            receipt["reversed"] += qty
            receipt["damaged_reversed"] += qty if status == "damaged" else 0
        if reversal.get("reopens_line"):
            receipt["reopened"].append(reversal["at"])


def _names(fact: Fact) -> tuple[str | None, str | None, str | None]:
    order = fact.get("order")
    line = None if order is None or fact.get("line") is None else str(fact["line"])
    return order, line, fact.get("shipment")


def _pairs(one: Fact, other: Fact) -> list[tuple[str | None, str | None]]:
    return list(zip(_names(one), _names(other), strict=True))


def _named(fact: Fact) -> tuple[Any, ...]:
    order, line, shipment = _names(fact)
    return order or "", len(line or ""), line or "", shipment or ""
