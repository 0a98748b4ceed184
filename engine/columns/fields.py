"""The fields of what is published that have an order, found in its types, and the decoding of only these."""

from collections.abc import Callable, Mapping
from functools import reduce
from operator import attrgetter
from typing import Any

import msgspec
from msgspec import Raw, Struct

from engine.columns.kinds import DAY, INSTANT, WHOLE, Kind, Scalar, TextKind

_KINDS: Mapping[type, Kind | None] = {
    msgspec.inspect.IntType: WHOLE,
    msgspec.inspect.DateTimeType: INSTANT,
    msgspec.inspect.DateType: DAY,
    msgspec.inspect.StrType: None,
    msgspec.inspect.LiteralType: None,
}
"""The kind of the values of a type; None for texts, which have a pool of their own."""


def kinds_of(data: type[Struct], shared: Mapping[str, TextKind], left_out: tuple[str, ...] = ()) -> dict[str, Kind]:
    """The fields of a struct that have an order, and those of a struct in it, as `draft.system`.

    Args:
        data: the type of the `data` of what is published.
        shared: the kinds of fields whose texts several tables share.
        left_out: fields that no query may name.
    """
    found: dict[str, Kind] = {}
    for field in msgspec.structs.fields(data):
        kind = msgspec.inspect.type_info(field.type)
        if field.name in left_out:
            continue
        if isinstance(kind, msgspec.inspect.StructType):
            found |= {f"{field.name}.{name}": inner for name, inner in kinds_of(kind.cls, {}).items()}
            continue
        options = kind.types if isinstance(kind, msgspec.inspect.UnionType) else (kind,)
        types = {type(option) for option in options if not isinstance(option, msgspec.inspect.NoneType)}
        if len(types) == 1 and (only := types.pop()) in _KINDS:
            found[field.name] = _KINDS[only] or shared.get(field.name) or TextKind()
    return found


Decode = Callable[[bytes], Any]


def decoder(fields: Mapping[str, Scalar], objects: tuple[str, ...] = ()) -> Decode:
    """A function from an output to an object whose `data` has the named fields as attributes.

    A missing field is None. Those named by `objects` are dictionaries, empty where they are missing.
    """
    inner: dict[str, list[tuple[str, Any, None]]] = {}
    for name, scalar in fields.items():
        struct, _, field = name.rpartition(".")
        inner.setdefault(struct, []).append((field, scalar | None, None))
    own = inner.pop("", [])
    structs: list[tuple[str, Any, None]] = [
        (name, msgspec.defstruct("Inner", of, gc=False) | None, None) for name, of in inner.items()
    ]
    whole: list[tuple[str, Any, Any]] = [
        (name, dict[str, Any], msgspec.field(default_factory=dict)) for name in objects
    ]
    data = msgspec.defstruct("Fields", [*own, *structs, *whole], gc=False)
    envelope = msgspec.defstruct("Envelope", [("data", data)], gc=False)
    decode: Decode = msgspec.json.Decoder(envelope).decode
    return decode


def getter(name: str) -> Callable[[object], object]:
    """A function that reads a field, also one of a struct (`draft.system`); it gives None where that is missing."""
    if "." not in name:
        return attrgetter(name)
    path = name.split(".")
    return lambda fields: reduce(lambda found, part: getattr(found, part, None), path, fields)


class _Envelope(Struct):
    data: Raw


_envelopes = msgspec.json.Decoder(_Envelope)


def data_of(output: bytes) -> Raw:
    """The `data` of an output, as the bytes that were published."""
    return _envelopes.decode(output).data
