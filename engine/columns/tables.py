"""The tables in columns: what is published, the lines of orders, and what each of them shows of the others."""

from collections.abc import Callable, Mapping

import numpy as np

from engine.columns.column import At, Column, Derived, Joined, Stored
from engine.columns.fields import kinds_of
from engine.columns.kinds import DAY, DAYS, DAYS_SCALE, INSTANT, MONEY, WHOLE, WIDE_MISSING, Kind, Numbers, TextKind
from engine.columns.planning import AHEAD_DAYS
from engine.columns.table import ColumnTable
from engine.core.topics import DEAD_LETTERS, OUTPUT_TOPICS, POSITIONS, REVISED, SIGNALS, Topic

LEFT_OUT = ("raw", "raw_base64")
"""The bytes of dead letters, which may be long, are no columns."""
ROW = "row"
"""The column of signals and alerts that has the slots of their rows among positions."""
PRICED = ("unit_cost", "currency")
"""What signals and alerts show of the policy of their row."""
MOST = 2**62
"""Greater products are missing, because they may not fit into 64 bits."""

Read = Callable[[At], Numbers]


class Today:
    """The day of the clock of what the columns hold, for what is overdue."""

    def __init__(self) -> None:
        self.ordinal = 0


class Tables:
    """All tables, with the texts that they share.

    Attributes:
        items: what is known of each item; the slot is the code of its sku.
        suppliers: what is known of each supplier; the slot is the code of its name.
        suppliers_named: the kind of all columns of suppliers' names.
        skus: the kind of all columns of skus.
        today: the day of the clock.
        by_name: the tables by the name of their list.
    """

    def __init__(self, version: int = 0) -> None:
        """Make empty tables, whose versions begin at `version`."""
        self.skus = TextKind(shared=True)
        self._shared = {"sku": self.skus} | {
            name: TextKind(shared=True) for name in ("location", "supplier", "currency", "order")
        }
        self.suppliers_named = self._shared["supplier"]
        self.suppliers = {
            "minimum_value": Stored(MONEY),
            "currency": Stored(self._shared["currency"]),
            "truck_units": Stored(WHOLE),
            "truck_uom": Stored(TextKind()),
        }
        self.items = {name: Stored(TextKind()) for name in ("description", "abc", "base_unit")}
        self.today = Today()
        self.by_name: dict[str, ColumnTable] = {}
        # Positions come first, because signals and alerts show something of theirs.
        for topic in OUTPUT_TOPICS:
            self.by_name[topic] = self._published(topic)
        self.by_name["order-lines"] = self._order_lines()
        for table in self.by_name.values():
            table.version = version

    @property
    def positions(self) -> ColumnTable:
        """The rows of stock."""
        return self.by_name["positions"]

    def _published(self, topic: Topic) -> ColumnTable:
        declared = OUTPUT_TOPICS[topic]
        columns: dict[str, Column] = {
            name: Stored(kind) for name, kind in kinds_of(declared.data, self._shared, LEFT_OUT).items()
        }
        if declared is POSITIONS:
            columns |= self._of_position(columns)
            return ColumnTable(columns, (*declared.searched, "description", "supplier"))
        if topic in REVISED:
            row = Stored(WHOLE, first=0)
            columns |= self._of_row(columns, row)
            if declared is SIGNALS:
                columns |= self._of_supplier(columns["supplier"])
            return ColumnTable(columns, declared.searched, {ROW: row})
        if declared is DEAD_LETTERS:
            columns |= self._of_letter()
        return ColumnTable(columns, declared.searched)

    def _of_position(self, own: Mapping[str, Column]) -> dict[str, Column]:
        """What a position shows beside its own fields: item master, policy, signal, alerts, and what follows."""
        joined: dict[str, Column] = {name: Joined(own["sku"], column) for name, column in self.items.items()}
        joined |= {name: Stored(kind) for name, kind in self._of_plan().items()}
        joined |= {
            "days_of_cover": Derived(DAYS, _cover(own["sellable"], joined["forecast_28_days"])),
            "value": Derived(MONEY, _product(own["on_hand"], joined["unit_cost"])),
            "signal_id": Stored(TextKind()),
            "signal_status": Stored(TextKind()),
            "signal_disposition": Stored(TextKind()),
            "signal_qty": Stored(WHOLE),
            "signal_due": Stored(DAY),
            "open_alerts": Stored(WHOLE, first=0),
            "stockout_date": Stored(DAY),
        }
        return joined

    def _of_row(self, own: Mapping[str, Column], row: Column) -> dict[str, Column]:
        """What a signal or an alert shows of its item, and of the policy of its row, whose slot `row` has.

        Nothing of it is copied, so that it is always that of today.
        """
        qty = own.get("qty") or Stored(WHOLE)
        priced = {name: Joined(row, self.positions.stored[name]) for name in PRICED}
        return {
            "qty": qty,
            "description": Joined(own["sku"], self.items["description"]),
            **priced,
            "value": Derived(MONEY, _product(qty, priced["unit_cost"])),
        }

    def _of_supplier(self, supplier: Column) -> dict[str, Column]:
        """What a signal shows of its supplier, that of today: `minimum_currency` is that of `minimum_value`."""
        names = {name: "minimum_currency" if name == "currency" else name for name in self.suppliers}
        return {shown: _of_some(supplier, self.suppliers[name]) for name, shown in names.items()}

    def _of_letter(self) -> dict[str, Column]:
        """What a dead letter shows of the answer to it."""
        statuses = TextKind()
        return {
            "status": Stored(statuses, first=statuses.number("open")),
            "answered": Stored(INSTANT),
            "by": Stored(TextKind()),
            "note": Stored(TextKind()),
            "replayed_as": Stored(TextKind()),
        }

    def _of_plan(self) -> dict[str, Kind]:
        return {
            "policy": TextKind(),
            "supplier": self._shared["supplier"],
            "unit_cost": MONEY,
            "currency": self._shared["currency"],
            "lead_time_days": DAYS,
            "s": WHOLE,
            "S": WHOLE,
            "forecast_28_days": WHOLE,
        }

    def _order_lines(self) -> ColumnTable:
        kinds: dict[str, Kind] = {
            "order": self._shared["order"],
            "line": TextKind(),
            "supplier": self._shared["supplier"],
            "sku": self.skus,
            "location": self._shared["location"],
            "status": TextKind(),
            "ordered": WHOLE,
            "due": DAY,
            "acknowledged": WHOLE,
            "promised": WHOLE,
            "next_promised": DAY,
            "received": WHOLE,
            "on_order": WHOLE,
            "in_transit": WHOLE,
        }
        stored = {name: Stored(kind) for name, kind in kinds.items()}
        columns: dict[str, Column] = {
            **stored,
            "overdue_days": Derived(WHOLE, self._overdue(stored["next_promised"])),
            "description": Joined(stored["sku"], self.items["description"]),
        }
        return ColumnTable(columns, ("order", "sku", "location", "supplier", "description"))

    def _overdue(self, promised: Column) -> Read:
        def read(at: At) -> Numbers:
            days = promised.read(at).astype(np.int64)
            return np.where(days == DAY.missing, WIDE_MISSING, np.maximum(self.today.ordinal - days, 0))

        return read


def _of_some(code: Column, other: Stored) -> Column:
    """What is `Joined` to a text that a thing may not have; missing where it has none."""
    joined = Joined(Derived(code.kind, lambda at: np.maximum(code.read(at), 0)), other)

    def read(at: At) -> Numbers:
        found: Numbers = np.where(code.read(at) < 0, other.kind.missing, joined.read(at))
        return found

    return Derived(other.kind, read)


def _product(units: Column, cost: Column) -> Read:
    """A quantity times an amount of money; missing where either is, or where it does not fit."""

    def read(at: At) -> Numbers:
        many, each = units.read(at), cost.read(at)
        known = (many != WIDE_MISSING) & (each != WIDE_MISSING)
        many, each = np.where(known, many, 0), np.where(known, each, 0)
        if _greatest(many) * _greatest(each) >= MOST:
            # Floats only tell what does not fit; the product itself is of integers.
            known &= np.abs(many.astype(np.float64)) * np.abs(each.astype(np.float64)) < MOST
            each = np.where(known, each, 0)
        product: Numbers = np.where(known, many * each, WIDE_MISSING)
        return product

    return read


def _greatest(numbers: Numbers) -> int:
    """The greatest number without its sign; 0 of none."""
    return max(int(numbers.max()), -int(numbers.min())) if len(numbers) else 0


def _cover(sellable: Column, forecast: Column) -> Read:
    """For how many days stock lasts at the mean of the forecast; missing where none is forecast, or it is endless."""

    def read(at: At) -> Numbers:
        units, demand = np.maximum(sellable.read(at), 0), forecast.read(at)
        known = (demand > 0) & (units < MOST // (AHEAD_DAYS * DAYS_SCALE))
        lasting: Numbers = np.where(known, units, 0) * (AHEAD_DAYS * DAYS_SCALE) // np.where(known, demand, 1)
        return np.where(known, lasting, WIDE_MISSING)

    return read
