"""All tables, gathered from the modules that declare them, and what the layers above derive from the declarations.

A table is declared once, in its module. Only a new module must be named here, in MODULES.
"""

from collections.abc import Iterable
from types import ModuleType
from typing import Any

from engine.core.errors import BrokenInvariant
from tables import (
    alerts,
    demand,
    directory,
    drift,
    event_marks,
    figures,
    forecast,
    ledger,
    markers,
    planning,
    purchasing,
    receipts,
    signals,
    sources,
    stock,
    supply,
    wakes,
)
from tables.table import LIGHT, Table, Use

ROWS = 4
"""The format of the rows, which is that of data directories, too: it is raised when a fold keeps other rows."""
FORMER_ROWS = 2
"""The oldest format whose rows this version reads: since then fields have only been added at the end of a row."""

MODULES = (
    stock, ledger, purchasing, receipts, supply, planning, forecast, demand, signals, alerts, drift, directory, wakes,
    event_marks, figures, sources, markers,
)  # fmt: skip


def declared_in(modules: Iterable[ModuleType]) -> list[Table[Any]]:
    """The tables of some modules, in the order of their declarations.

    Raises:
        BrokenInvariant: two tables have the same tag or the same name.
    """
    tables: list[Table[Any]] = []
    for table in (value for module in modules for value in vars(module).values() if isinstance(value, Table)):
        like = next((known for known in tables if known == table or known.name == table.name), None)
        if like is None:
            tables.append(table)
        elif like is not table:
            raise BrokenInvariant(f"{like!r} and {table!r} are taken for one: give each its own tag and name")
    return tables


BY_TAG: dict[int, Table[Any]] = {table[0]: table for table in declared_in(MODULES)}
TABLES = list(BY_TAG.values())

DECODERS = {tag: table.decoder() for tag, table in BY_TAG.items()}
"""What decodes the value of a row, by the tag of its key."""
CACHED_TAGS = frozenset(tag for tag, table in BY_TAG.items() if Use.BY_KEY in table.use)
ORDERED_TAGS = frozenset(tag for tag, table in BY_TAG.items() if Use.IN_ORDER in table.use)
HIDDEN_TAGS = frozenset(tag for tag, table in BY_TAG.items() if Use.HIDDEN in table.use)
AUDITED = [table for table in TABLES if Use.BY_BUS not in table.use]
"""The tables whose rows are a function of the log, so that an audit can compare them."""

_WEIGHTS = {table.row_type: table.weight for table in TABLES if table.weight != LIGHT}
GROWING = frozenset(kind for kind, weight in _WEIGHTS.items() if not isinstance(weight, int))
"""The types of rows whose weight is not always the same."""
HEAVY = frozenset(_WEIGHTS)
"""The types of rows that do not weigh LIGHT."""


def weigh(row: object) -> int:
    """About how many bytes of memory a cached row takes, its key and its place in the cache included."""
    weight = _WEIGHTS.get(type(row), LIGHT)
    return weight if isinstance(weight, int) else weight(row)
