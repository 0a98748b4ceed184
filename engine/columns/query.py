"""What a list asks of the columns. A query is a value: two lists that ask the same share one index."""

from typing import NamedTuple

from engine.columns.kinds import Value


class Condition(NamedTuple):
    """A condition on a field: it is one of `values` (`is`), or not below (`min`) or not above (`max`) the only one.

    A missing value is neither equal to anything, nor above or below it.
    """

    field: str
    relation: str
    values: tuple[Value, ...]


class Sort(NamedTuple):
    """A field that orders a list; a missing value stands before the least."""

    field: str
    descending: bool = False


class Query(NamedTuple):
    """The things of a table that a list has, and their order.

    Attributes:
        table: the name of the table.
        conditions: all of them hold.
        text: what one of the searched fields contains, case-folded; None where nothing is searched for.
        sorts: the fields that order the list, the first before the next; where all are equal the name decides, in
            the direction of the last of them.
    """

    table: str
    conditions: tuple[Condition, ...] = ()
    text: str | None = None
    sorts: tuple[Sort, ...] = ()

    @property
    def by_name_descending(self) -> bool:
        """Whether the greatest name comes first among equals."""
        return bool(self.sorts) and self.sorts[-1].descending


class Position(NamedTuple):
    """Where a thing stands in the order of a list: its values in the fields of the order, and its name."""

    values: tuple[Value, ...]
    name: str
