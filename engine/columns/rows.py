"""What the rows of state say: item masters, suppliers, policies and order lines, written into the columns."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from operator import attrgetter
from typing import Protocol, TypeVar, cast

import msgspec
import numpy as np
from msgspec import Raw, Struct
from msgspec.msgpack import Decoder

from agents.lines import Owed, acknowledged, latest_promise, on_order_supply, owed
from engine.columns.column import Slots
from engine.columns.feed import FOLLOWED
from engine.columns.kinds import Numbers, Value
from engine.columns.planning import Figures, Planning
from engine.columns.tables import PRICED, Tables
from engine.core import payloads as p
from engine.core.topics import REVISED
from engine.core.values import NUL, day_of
from tables.catalogue import DECODERS
from tables.directory import ITEM, SUPPLIER, Item, supplier_key
from tables.planning import PLAN, Plan
from tables.purchasing import LINE, Line

T = TypeVar("T")

MOST_WAITING = 20_000
"""So many order lines wait at most, of each the latest bytes; what is asked for seldom must not cost every event."""

POLICY_NAMES: Mapping[type, str] = {p.MinMax: "min_max", p.ReorderPoint: "reorder_point", p.ForecastPolicy: "forecast"}


class _Policy(Struct, gc=False):
    """What is shown of a policy; that it is sound was checked when it was set, and would take most of the time."""

    policy: p.Policy | None = None
    supplier: str | None = None
    unit_cost: Decimal | None = None
    currency: str | None = None
    lead_time_days: float | None = None


class _Plan(Protocol):
    """What is read of a plan: its policy, and how many buckets of a forecast it has."""

    policy: _Policy | None
    buckets: int


def _plan_decoder() -> Callable[[bytes], _Plan]:
    """A decoder of the beginning of a plan, in a fifth of the time."""
    read: Mapping[str, object] = {"policy": _Policy | None, "buckets": int}
    names = [field.name for field in msgspec.structs.fields(Plan)]
    fields = [(name, read.get(name, Raw), None) for name in names[: names.index("buckets") + 1]]
    plan = msgspec.defstruct("Plan", fields, array_like=True, gc=False)
    return cast("Callable[[bytes], _Plan]", Decoder(plan).decode)


_plan = _plan_decoder()
_item: Callable[[bytes], Item] = DECODERS[ITEM[0]]
_line: Callable[[bytes], Line] = DECODERS[LINE[0]]

NO_POLICY = _Policy()
SHOWN_OF_POLICY: Mapping[str, Callable[[_Policy], object]] = {
    "policy": lambda data: POLICY_NAMES.get(type(data.policy)),
    "supplier": attrgetter("supplier"),
    "unit_cost": attrgetter("unit_cost"),
    "currency": attrgetter("currency"),
    "lead_time_days": attrgetter("lead_time_days"),
}
"""Column of a position -> what it shows of its policy."""


class RowWriter:
    """Writes the latest rows of state."""

    def __init__(self, tables: Tables, planning: Planning) -> None:
        """Write into `tables`; `planning` is told of rows whose figures must be computed anew."""
        self._tables = tables
        self._planning = planning
        self._waiting: dict[bytes, bytes | None] = {}
        self._lines = tables.by_name["order-lines"]

    def write(self, changes: Mapping[bytes, bytes | None]) -> None:
        """Write rows by their key, but for order lines, which wait until they are asked for.

        A row without a value was deleted.
        """
        by_tag: dict[int, dict[bytes, bytes | None]] = {tag: {} for tag in FOLLOWED}
        by_tag[LINE[0]] = self._waiting
        for key, value in changes.items():
            by_tag[key[0]][key] = value
        self._write_items(_decoded(by_tag[ITEM[0]], _item))
        self._write_suppliers(by_tag[SUPPLIER[0]])
        self._write_plans(_decoded(by_tag[PLAN[0]], _plan))
        if len(self._waiting) > MOST_WAITING:
            self.write_lines()

    def _write_items(self, items: Mapping[str, Item | None]) -> None:
        if not items:
            return
        codes = [self._tables.skus.number(sku) for sku in items]
        for name, column in self._tables.items.items():
            column.make_room(max(codes) + 1)
            column.write(codes, [getattr(item, name, None) for item in items.values()])
        for table in self._tables.by_name.values():
            table.version += 1

    def _write_suppliers(self, changes: Mapping[bytes, bytes | None]) -> None:
        """Write what is stated of suppliers, from the first partition, as every partition has its own copy."""
        prefix = supplier_key(0, "")
        stated = {key[len(prefix) :].decode(): value for key, value in changes.items() if key.startswith(prefix)}
        if not stated:
            return
        codes = [self._tables.suppliers_named.number(name) for name in stated]
        decode = DECODERS[SUPPLIER[0]]
        rows = [None if value is None else decode(value) for value in stated.values()]
        for name, column in self._tables.suppliers.items():
            column.make_room(max(codes) + 1)
            column.write(codes, [getattr(row, name, None) for row in rows])
        self._tables.by_name["signals"].version += 1

    def _write_plans(self, plans: Mapping[str, _Plan | None]) -> None:
        if not plans:
            return
        positions = self._tables.positions
        slots = np.array(positions.slots(list(plans)), np.int32)
        policies = [(plan and plan.policy) or NO_POLICY for plan in plans.values()]
        prices = self._prices(slots)
        for name, shown in SHOWN_OF_POLICY.items():
            positions.stored[name].write(slots, list(map(shown, policies)))
        if not np.array_equal(self._prices(slots), prices):
            for topic in REVISED:
                self._tables.by_name[topic].version += 1
        walked = [name for name, plan in plans.items() if plan is not None and _takes_a_walk(plan)]
        self._planning.add(walked)
        stated = dict(zip(plans, policies, strict=True))
        for name in walked:
            del stated[name]
        self.write_figures({name: _stated(policy) for name, policy in stated.items()})
        positions.version += 1

    def _prices(self, slots: Slots) -> list[Numbers]:
        """What signals and alerts show of the policies of rows."""
        return [self._tables.positions.stored[name].read(slots) for name in PRICED]

    def write_figures(self, figures: Mapping[str, Figures]) -> None:
        """Write what was computed of rows."""
        positions = self._tables.positions
        slots = np.array(positions.slots(list(figures)), np.int32)
        for name, values in zip(
            ("s", "S", "forecast_28_days"), zip(*figures.values(), strict=True), strict=bool(figures)
        ):
            positions.stored[name].write(slots, values)
        positions.version += bool(figures)

    def plan_again(self) -> None:
        """Let the figures of all rows with a forecast be computed anew."""
        positions = self._tables.positions
        forecast = positions.stored["forecast_28_days"]
        slots = np.flatnonzero(forecast.read(slice(None)) > 0).astype(np.int32)
        self._planning.add(positions.names(slots))

    def write_lines(self) -> None:
        """Write the order lines that wait."""
        lines, self._waiting = _decoded(self._waiting, _line), {}
        if not lines:
            return
        self._lines.unlist([name for name, line in lines.items() if line is None])
        shown = {name: _shown_of_line(name, line) for name, line in lines.items() if line is not None}
        slots = np.array(self._lines.slots(list(shown)), np.int32)
        for name, column in self._lines.stored.items():
            column.write(slots, [each[name] for each in shown.values()])
        self._lines.enlist(slots)
        self._lines.version += 1


def _decoded(changes: Mapping[bytes, bytes | None], decode: Callable[[bytes], T]) -> dict[str, T | None]:
    """The rows of one table by the rest of their key."""
    return {key[1:].decode(): None if value is None else decode(value) for key, value in changes.items()}


def _takes_a_walk(plan: _Plan) -> bool:
    """Whether figures of the row follow from its forecast."""
    return plan.buckets > 0 or (plan.policy is not None and type(plan.policy.policy) is p.ForecastPolicy)


def _stated(policy: _Policy) -> Figures:
    """The figures of a row without a forecast: what its policy states."""
    levels = policy.policy
    if isinstance(levels, p.MinMax):
        return Figures(levels.min, levels.max, 0)
    return Figures(levels.point if isinstance(levels, p.ReorderPoint) else None, None, 0)


def _shown_of_line(name: str, line: Line) -> dict[str, object]:
    sku, location, order, number = name.split(NUL)
    share = owed(line)
    return {
        "order": order,
        "line": number[1:],
        "supplier": line.supplier,
        "sku": sku,
        "location": location,
        "status": "open" if share.open else "closed",
        "ordered": line.ordered,
        "due": None if line.due is None else day_of(line.due),
        "acknowledged": None if line.promised_rank is None else acknowledged(line),
        "promised": share.promised,
        "next_promised": _next_promised(name, line, share),
        "received": share.received,
        "on_order": share.on_order,
        "in_transit": share.in_transit,
    }


def _next_promised(name: str, line: Line, share: Owed) -> Value:
    """The earliest day on which something of a line is promised; of what is in transit the latest eta counts."""
    days = [supply.day for supply in on_order_supply(name, line, share) if supply.day is not None]
    if share.in_transit and (eta := latest_promise(line)) is not None:
        days.append(eta)
    return day_of(min(days)) if days else None
