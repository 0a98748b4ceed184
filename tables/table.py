"""What a table of state declares: its tag, its rows, and how they are read.

A declaration is the only place that says these things. The decoder of a row, the cache, the ordered scans, the audit
and the read model follow from it (`tables.catalogue` gathers them all).

Rows are MessagePack arrays. A field may only be added at the end, with a default, so that old bytes decode for ever.
Instants are microseconds since 1970, days are ordinals, quantities are counts of base units. An agent never changes a
row that it has read: it changes a copy, so that a rejected event leaves no trace.
"""

from collections.abc import Callable
from enum import Flag, auto
from typing import TYPE_CHECKING, Generic, TypeVar

from msgspec.msgpack import Decoder

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

T = TypeVar("T")

LIGHT = 500
"""What a row weighs that cannot grow, in bytes of memory."""


class Use(Flag):
    """Who reads a table, and how."""

    BY_KEY = auto()
    """Agents read single rows, so a workspace caches them."""
    IN_ORDER = auto()
    """Agents scan its keys in their order."""
    BY_BUS = auto()
    """The bus keeps it for itself: no workspace reads it and no audit compares it."""
    HIDDEN = auto()
    """No reader outside the fold asks for it, so the web's copy of the rows leaves it out."""


class Key(bytes, Generic[T]):
    """A key under which a row of type T lies. At run time it is plain bytes: the type exists for the type checker."""

    if TYPE_CHECKING:

        def __add__(self, value: ReadableBuffer, /) -> "Key[T]": ...


class Table(bytes, Generic[T]):
    """A table of rows of type T. It is its tag, the first byte of its keys, so `STOCK + row` is a key of `STOCK`.

    Attributes:
        name: what reports call the table; `audit` prints it.
        row_type: the type of its rows; `bytes` where a value is kept as it is.
        use: who reads it, and how.
        weight: about how many bytes of memory a cached row takes with its key, or the function that estimates it.
    """

    name: str
    row_type: type[T]
    use: Use
    weight: int | Callable[[T], int]

    def __new__(
        cls, tag: bytes, name: str, row_type: type[T], use: Use = Use.BY_KEY, weight: int | Callable[[T], int] = LIGHT
    ) -> "Table[T]":
        """Declare a table, once; `tag` is one byte."""
        table = super().__new__(cls, tag)
        table.name, table.row_type, table.use, table.weight = name, row_type, use, weight
        return table

    if TYPE_CHECKING:

        def __add__(self, value: ReadableBuffer, /) -> Key[T]: ...

    def __repr__(self) -> str:
        return f"the table `{self.name}` (tag {bytes(self)!r})"

    def decoder(self) -> Callable[[bytes], T]:
        """A function that decodes the value of a row; where the value is the row it gives it back."""
        return self.row_type if self.row_type is bytes else Decoder(self.row_type).decode

    def range(self) -> tuple[bytes, bytes]:
        """Start (included) and stop (excluded) of all keys of the table."""
        return bytes(self), bytes([self[0] + 1])
