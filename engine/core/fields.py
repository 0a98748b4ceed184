"""The types of the fields of payloads, and the base classes of payloads.

An identifier becomes a part of keys, so it may hold no unprintable character. A field is an identifier by its type
(`Name`, `Reference`, `Identifier`, `LocationOrAll`): `Checked` finds the fields of these types and checks their values.
"""

from collections.abc import Callable, Iterable
from decimal import Decimal
from itertools import chain
from operator import attrgetter
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, inspect
from msgspec.structs import fields

from engine.core.errors import BrokenInvariant
from engine.core.values import MAX_QUANTITY

EVERYWHERE = "*"
"""The location of an alert about a feed, which concerns all locations; no location has this name."""

_IDENTIFIER = {"identifier": True}
_LOCATION_OR_ALL = {"identifier": True, "everywhere": True}

Name = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=64,
        description="1 to 64 printable characters, no space at the ends",
        extra_json_schema={"pattern": r"^\S(.*\S)?$"},
        extra=_IDENTIFIER,
    ),
]
Reference = Annotated[
    str, Meta(min_length=1, max_length=128, description="the number of a document or of its part", extra=_IDENTIFIER)
]
Identifier = Annotated[str, Meta(min_length=1, max_length=256, extra=_IDENTIFIER)]
LocationOrAll = Annotated[
    str, Meta(min_length=1, max_length=64, description="a location, or `*` of a feed", extra=_LOCATION_OR_ALL)
]
Text = Annotated[str, Meta(max_length=1000)]
Detail = Annotated[str, Meta(max_length=2000)]
Quantity = Annotated[int, Meta(ge=1, le=MAX_QUANTITY)]
Count = Annotated[int, Meta(ge=0, le=MAX_QUANTITY)]
Signed = Annotated[int, Meta(ge=-MAX_QUANTITY, le=MAX_QUANTITY)]
Revision = Annotated[int, Meta(ge=0, le=10**9, description="absent is 0")]
LineNumber = Annotated[int, Meta(ge=0, le=10**9)] | Reference
Money = Annotated[
    Decimal, Meta(description="an amount of money, as a number or a decimal string, with at most 40 decimals")
]
Currency = Annotated[str, Meta(pattern="^[A-Z]{3}$")]
Days = Annotated[float, Meta(ge=0, le=3650)]
WholeDays = Annotated[int, Meta(ge=0, le=3650)]
Status = Literal["available", "held"]


Reader = Callable[[Any], Iterable[object]]

MOST_SOUND = 20_000

_readers: dict[type, Reader] = {}
_sound: set[tuple[object, ...]] = set()
"""Identifiers that were found sound of late, as a struct holds them; most events are about rows that are known."""


class Checked(Struct, kw_only=True, gc=False):
    """The base of every struct that holds an identifier.

    Decoding or making one raises ValueError unless each identifier is printable, has no space at its ends, and is not
    `*`.
    """

    def __post_init__(self) -> None:
        try:
            names = _readers[type(self)](self)
        except KeyError:
            _readers[type(self)] = reader_of(type(self))
            names = _readers[type(self)](self)
        if type(names) is not tuple:
            check_each(names)
        elif names not in _sound:
            check_each(names)
            if len(_sound) == MOST_SOUND:
                _sound.clear()
            _sound.add(names)


def check_each(names: Iterable[object]) -> None:
    """Check identifiers one by one; raises ValueError for one that is not sound. What is no text is none."""
    for name in names:
        if type(name) is str and not (name.isprintable() and name.strip() == name != EVERYWHERE):
            raise ValueError(f"the name {name!r} has a character that is not printable or a space at an end, or is `*`")


def reader_of(kind: type[Struct]) -> Reader:
    """A function that reads all identifiers of a struct.

    Raises:
        BrokenInvariant: the struct has identifiers and is no `Checked`, so nothing would check them.
    """
    found = {field.name: finder for field in fields(kind) if (finder := _finder_of(inspect.type_info(field.type)))}
    if found and not issubclass(kind, Checked):
        raise BrokenInvariant(f"{kind.__name__} has identifiers and does not check them: make it a `Checked`")
    plain = [name for name, finder in found.items() if finder is _itself]
    read: Reader = attrgetter(*plain) if len(plain) > 1 else lambda data: [getattr(data, name) for name in plain]
    inside = [(name, finder) for name, finder in found.items() if finder is not _itself]
    if not inside:
        return read
    return lambda data: chain(read(data), *(finder(getattr(data, name)) for name, finder in inside))


def _finder_of(described: inspect.Type) -> Reader | None:
    """A function that finds the identifiers in a value of a type.

    It is None where a value holds none, or is a struct that checks its own.
    """
    match described:
        case inspect.StructType(cls=kind):
            reader_of(kind)
        case inspect.Metadata(extra={"identifier": True, **others}):
            return _unless_everywhere if "everywhere" in others else _itself
        case inspect.Metadata(type=inner):
            return _finder_of(inner)
        case inspect.UnionType(types=options):
            finders = [finder for option in options if (finder := _finder_of(option))]
            if len(finders) > 1:
                raise BrokenInvariant(f"identifiers in more than one kind of {described} cannot be told apart")
            return finders[0] if finders else None
        case inspect.DictType(key_type=key, value_type=value):
            if _finder_of(value):
                raise BrokenInvariant(f"identifiers that are values of a dictionary are not looked for: {described}")
            return _in_each(_finder_of(key))
        case inspect.CollectionType(item_type=item):
            return _in_each(_finder_of(item))
    return None


def _itself(value: object) -> Iterable[object]:
    return (value,)


def _unless_everywhere(value: object) -> Iterable[object]:
    return () if value == EVERYWHERE else (value,)


def _in_each(finder: Reader | None) -> Reader | None:
    """A function that finds the identifiers in the items of a list or the keys of a dictionary; either may be None."""
    if finder is None or finder is _itself:
        return finder and (lambda values: values or ())
    return lambda values: chain.from_iterable(map(finder, values or ()))


class Data(Checked, forbid_unknown_fields=True, omit_defaults=True, kw_only=True, gc=False):
    """The base of all payloads."""


class SkuData(Data, kw_only=True):
    """A payload that concerns one sku, in whose partition it is folded."""

    sku: Name


class RowData(SkuData, kw_only=True):
    """A payload that concerns one row (sku, location)."""

    location: Name


class Moved(RowData, kw_only=True):
    """A payload with quantities of a row, which may be in another unit than the base unit."""

    uom: Name | None = None
