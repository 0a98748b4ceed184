"""Tryton's tree of locations, as what the engine has: warehouses, and bins of which some are held.

A warehouse of the ERP is a location of ours, its bins are none. What lies in a bin that the profile names, or below it,
is held. Storage below no warehouse is what Tryton puts goods into between two warehouses: they are in transit.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from connectors.base import JsonObject

PLACE_FIELDS = (
    "name", "code", "type", "parent", "active",
    "input_location", "output_location", "storage_location", "picking_location",
)  # fmt: skip
PARTS = ("input_location", "output_location", "storage_location", "picking_location")


@dataclass(frozen=True)
class Place:
    """A location of the ERP: `location` is the code of its warehouse where that one is followed, `kind` its type."""

    id: int
    name: str
    kind: str
    location: str | None = None
    is_held: bool = False

    @property
    def is_transit(self) -> bool:
        """Whether it is storage between warehouses."""
        return self.kind == "storage" and self.location is None


@dataclass(frozen=True)
class Warehouse:
    """A warehouse that is followed, by the code that it is known by."""

    id: int
    code: str
    name: str


class Places:
    """All locations of the ERP, which warehouses are followed (none: all), and the names or codes of held bins."""

    def __init__(self, records: Iterable[JsonObject], followed: Sequence[str], held: Sequence[str]) -> None:
        self._records = {record["id"]: record for record in records}
        self._held = frozenset(held)
        owners = {
            record[part]: record["id"]
            for record in self._records.values()
            if record["type"] == "warehouse"
            for part in PARTS
            if record.get(part)
        }
        self._parents = {each: record["parent"] or owners.get(each) for each, record in self._records.items()}
        self.warehouses = {
            record["id"]: Warehouse(record["id"], record["code"] or record["name"], record["name"])
            for record in self._records.values()
            if record["type"] == "warehouse" and (not followed or {record["code"], record["name"]} & set(followed))
        }

    def __getitem__(self, number: int) -> Place:
        record = self._records.get(number)
        if record is None:
            return Place(number, f"location {number}", "unknown")
        line = list(self._line(number))
        above = next((each for each in line if self._records[each]["type"] == "warehouse"), None)
        warehouse = None if above is None else self.warehouses.get(above)
        kind, name = record["type"], record["code"] or record["name"]
        if above is not None and warehouse is None:
            # A warehouse that is not followed is somewhere outside, not between two that are.
            kind, name = "other warehouse", self._records[above]["code"] or self._records[above]["name"]
        held = any({self._records[each]["code"], self._records[each]["name"]} & self._held for each in line)
        return Place(number, name, kind, warehouse.code if warehouse else None, held and warehouse is not None)

    def _line(self, number: int) -> Iterable[int]:
        """A location and those above it."""
        seen: list[int] = []
        at: int | None = number
        while at is not None and at in self._records and at not in seen:
            seen.append(at)
            at = self._parents[at]
        return seen
