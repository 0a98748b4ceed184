"""What the lines of purchase orders, counts and damage add to the business figures, told from the facts of a row.

A row is looked at anew after each of its facts: what is said of a moment (when a line completed, whether a notice was
in time) is judged by what had arrived until then.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from tests.auditor.model import Key, Model
from tests.auditor.order_lines import Fact, Line, last, lines_of_shipments, order_lines
from tests.auditor.reversals import note_reversals

SECOND = 1_000_000
Name = tuple[str, int]
Entry = tuple[str, str, int, str, str, int]
"""Location, supplier (empty where none is known), instant, group, field, amount."""


@dataclass
class Seen:
    """What was judged of a line on the way."""

    noticed_at: int | None = None
    in_time: bool | None = None
    first_received: int | None = None
    completed_at: int | None = None


def line_entries(key: Key, facts: list[Fact], zones: list[str]) -> Iterator[Entry]:
    """What a row adds; `zones` has the time zone of the location as it was known at each fact."""
    seen: dict[Name, Seen] = {}
    damaged: dict[int, int] = {}
    before: dict[Name, Line] = {}
    known: list[Fact] = []
    for index, (fact, zone) in enumerate(zip(facts, zones, strict=True)):
        if not fact["type"].startswith(("order.", "shipment.", "goods.", "receipt.")):
            continue
        known = deepcopy(facts[: index + 1])
        note_reversals(known)
        lines = order_lines(known)
        if fact["type"] == "shipment.notified":
            name = (fact["order"], fact["line"])
            _judge_notice(seen.setdefault(name, Seen()), fact, (known, before.get(name)), zone)
        for name, line in lines.items():
            _look(seen.setdefault(name, Seen()), line, known, fact["at"])
        yield from _damage(key[1], known, damaged, fact["at"])
        before = lines
    for name, line in before.items():
        for at, group, field, amount in _of_line(line, seen[name], known):
            yield key[1], _supplier(known, name), at, group, field, amount


def _judge_notice(seen: Seen, fact: Fact, known: tuple[list[Fact], Line | None], zone: str) -> None:
    if seen.noticed_at is not None and seen.noticed_at <= fact["at"]:
        return
    facts, line = known
    seen.noticed_at, seen.in_time = fact["at"], None
    policy = last(each for each in facts if each["type"] == "policy.set")
    promised = None if line is None else _promised(line)
    if policy is not None and policy.get("asn_days") is not None and promised is not None:
        local = _local_date(fact["at"], zone)
        seen.in_time = local.toordinal() <= promised.toordinal() - policy["asn_days"]


def _local_date(at: int, zone: str) -> date:
    return _moment(at).astimezone(ZoneInfo(zone)).date()


def _moment(at: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at)


def _promised(line: Line) -> date | None:
    """The latest of what shipments and the acknowledgement promise, else the day of the order."""
    days = [
        shipment["eta"]
        for name, shipment in line.shipments.items()
        if shipment["eta"] and shipment["qty"] > line.received_by_shipment.get(name, 0)
    ]
    days += [one["due"] for one in line.schedule or () if one.get("due") and one["qty"] and one["status"] != "rejected"]
    latest = max(days, default=line.due)
    return None if latest is None else date.fromisoformat(latest)


def _receipts(line: Name, facts: list[Fact]) -> list[Fact]:
    """The receipts that name a line, or only a shipment of it."""
    shipments = {name for name, of in lines_of_shipments(facts).items() if of == line}
    return [
        fact
        for fact in facts
        if fact["type"] == "goods.received"
        and (
            (fact.get("order"), fact.get("line")) == line
            or (fact.get("order") is None and fact.get("shipment") in shipments)
        )
    ]


def _look(seen: Seen, line: Line, facts: list[Fact], at: int) -> None:
    times = [fact["at"] for fact in _receipts(line.name, facts)]
    seen.first_received = min([*times, *([] if seen.first_received is None else [seen.first_received])], default=None)
    about = [fact for fact in facts if (fact.get("order"), fact.get("line")) == line.name]
    placed = any(fact["type"] == "order.placed" for fact in about)
    cancelled = line.closed and any(fact["type"] == "order.cancelled" for fact in about)
    if not placed or not line.ordered or line.owed or cancelled:
        seen.completed_at = None
    elif seen.completed_at is None:
        seen.completed_at = at


def _supplier(facts: list[Fact], line: Name | None) -> str:
    orders = [f for f in facts if f["type"] == "order.placed" and (f["order"], f["line"]) == line]
    best = max(orders, key=lambda fact: (fact.get("revision", 0), fact["rank"]), default=None)
    return "" if best is None else str(best["supplier"])


def _of_line(line: Line, seen: Seen, facts: list[Fact]) -> Iterator[tuple[int, str, str, int]]:
    about = [fact for fact in facts if (fact.get("order"), fact.get("line")) == line.name]
    times = {kind: [f["at"] for f in about if f["type"] == kind] for kind in ("order.placed", "order.acknowledged")}
    if not times["order.placed"]:
        return
    placed = min(times["order.placed"])
    yield placed, "acknowledgement", "placed", 1
    if times["order.acknowledged"]:
        at = min(times["order.acknowledged"])
        yield at, "acknowledgement", "lines", 1
        yield at, "acknowledgement", "seconds", max(0, at - placed) // SECOND
    if seen.noticed_at is not None and seen.in_time is not None:
        yield seen.noticed_at, "notices_by_policy", "judged", 1
        yield seen.noticed_at, "notices_by_policy", "in_time", int(seen.in_time)
    if seen.first_received is not None:
        yield seen.first_received, "notices", "lines", 1
        if seen.noticed_at is not None and seen.noticed_at <= seen.first_received:
            yield seen.first_received, "notices", "before_receipt", 1
            yield seen.first_received, "notices", "lead_seconds", (seen.first_received - seen.noticed_at) // SECOND
    if seen.completed_at is not None:
        yield from _of_completed(line, placed, seen.completed_at, _receipts(line.name, facts))


def _of_completed(line: Line, placed: int, at: int, receipts: list[Fact]) -> Iterator[tuple[int, str, str, int]]:
    short, over = max(0, line.ordered - line.received), max(0, line.received - line.ordered)
    for field in ("short", "over"):
        units = short if field == "short" else over
        yield at, "receipts", f"{field}_units", units
        yield at, "receipts", f"{field}_lines", int(units > 0)
    yield at, "receipts", "completed", 1
    yield at, "supplier_fill", "lines", 1
    yield at, "supplier_fill", "ordered_units", line.ordered
    yield at, "supplier_fill", "filled_units", min(line.ordered, line.received)
    kept = sum(sum(fact.get(part) or 0 for part in ("qty", "held", "damaged")) - fact["reversed"] for fact in receipts)
    if kept:
        yield at, "receipts", "lines", 1
        yield at, "receipts", "seconds", max(0, max(fact["at"] for fact in receipts) - placed) // SECOND


def _damage(location: str, facts: list[Fact], known: dict[int, int], at: int) -> Iterator[Entry]:
    """Damaged units that receipts reported, less what was taken back since the fact before."""
    for index, fact in enumerate(facts):
        if fact["type"] != "goods.received" or not fact.get("damaged"):
            continue
        supplier, left = _supplier(facts, _line_meant(fact, facts)), fact["damaged"] - fact["damaged_reversed"]
        if index not in known:
            yield location, supplier, at, "receipts", "damaged_receipts", 1
        if left != known.get(index, 0):
            yield location, supplier, at, "receipts", "damaged_units", left - known.get(index, 0)
        known[index] = left


def _line_meant(fact: Fact, facts: list[Fact]) -> Name | None:
    order, line = fact.get("order"), fact.get("line")
    if order is None:
        return lines_of_shipments(facts).get(fact.get("shipment") or "")
    if line is not None:
        return order, line
    return min((name for name in order_lines(facts) if name[0] == order), default=None)


def count_entries(key: Key, model: Model) -> Iterator[Entry]:
    """What the counts of a row add: each beside the balance that was kept as of its moment when it arrived."""
    facts = model.by_row[key]
    for index, fact in enumerate(facts):
        if fact["type"] != "stock.counted":
            continue
        known = model.by_row[key] = deepcopy(facts[:index])
        note_reversals(known)
        status = fact.get("status", "available")
        counts = model.counts(key, status)
        if model.stock_known(key) and all(fact["rank"] > rank for _, rank, _ in counts):
            since, _, base = max(counts, key=lambda count: count[1], default=(None, (), 0))
            moved = model.moved(key, status)
            later = sum(qty for at, qty in moved if at <= fact["as_of"] and (since is None or at > since))
            difference = abs(fact["qty"] - base - later)
            for field, amount in (
                ("counts", 1), ("exact", int(not difference)), ("counted_units", fact["qty"]),
                ("difference_units", difference),
            ):  # fmt: skip
                yield key[1], "", fact["at"], "inventory_accuracy", field, amount
    model.by_row[key] = facts
