"""The fields that payloads are made of, and the bases that payloads share."""

from collections.abc import Callable
from decimal import Decimal
from operator import attrgetter
from typing import Annotated, Literal

from msgspec import Meta, Struct

from engine.core.values import MAX_QUANTITY

Name = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=64,
        description="1 to 64 printable characters, no space at the ends",
        extra_json_schema={"pattern": r"^\S(.*\S)?$"},
    ),
]
Reference = Annotated[str, Meta(min_length=1, max_length=128, description="the number of a document or of its part")]
Text = Annotated[str, Meta(max_length=1000)]
Quantity = Annotated[int, Meta(ge=1, le=MAX_QUANTITY)]
Count = Annotated[int, Meta(ge=0, le=MAX_QUANTITY)]
Signed = Annotated[int, Meta(ge=-MAX_QUANTITY, le=MAX_QUANTITY)]
Revision = Annotated[int, Meta(ge=0, le=10**9, description="absent is 0")]
LineNumber = Annotated[int, Meta(ge=0, le=10**9)] | Reference
Money = Annotated[Decimal, Meta(description="an amount per base unit, as a number or a decimal string")]
Days = Annotated[float, Meta(ge=0, le=3650)]
Status = Literal["available", "held"]


IDENTIFIERS = frozenset(
    "sku location uom supplier order line signal shipment receipt reservation transfer origin to version base_version "
    "base_unit by feed".split()
)
"""The fields that name something: they become parts of keys, so nothing unprintable may be in them."""

_identifiers: dict[type, Callable[[object], tuple[object, ...]]] = {}


def check_names(*names: object) -> None:
    """Raise ValueError unless every text given is printable, has no space at its ends, and is not `*`."""
    for name in names:
        if type(name) is str and (not name.isprintable() or name != name.strip() or name == "*"):
            raise ValueError("a name holds a character that is not printable or a space at an end, or is `*`")


def _identifiers_of(kind: type[Struct]) -> Callable[[object], tuple[object, ...]]:
    names = [name for name in kind.__struct_fields__ if name in IDENTIFIERS]
    return attrgetter(*names) if len(names) > 1 else lambda data: tuple(getattr(data, name) for name in names)


class Data(Struct, forbid_unknown_fields=True, omit_defaults=True, kw_only=True, gc=False):
    """The base of all payloads: every identifier in it is checked."""

    def __post_init__(self) -> None:
        kind = type(self)
        getter = _identifiers.get(kind)
        if getter is None:
            getter = _identifiers[kind] = _identifiers_of(kind)
        check_names(*getter(self))


class SkuData(Data, kw_only=True):
    """A payload that concerns a sku."""

    sku: Name


class RowData(SkuData, kw_only=True):
    """A payload that concerns one row (sku, location)."""

    location: Name


class Moved(RowData, kw_only=True):
    """A payload that moves a quantity at a row."""

    uom: Name | None = None
