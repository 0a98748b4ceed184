"""What differs between kept and recomputed data, told by the field: an audit reports it."""

from collections.abc import Callable, Iterator, Mapping
from itertools import zip_longest
from typing import TypeVar

import msgspec
import msgspec.msgpack
from msgspec import Struct

MAX_DIFFERENCES = 100
MAX_VALUE_CHARS = 100
"""How much of a value a difference shows."""
MAX_FIELDS = 5
"""How many fields of one thing a difference names."""

Name = TypeVar("Name", str, bytes)
Decode = Callable[[bytes], object]

ABSENT = "nothing"


class Comparison:
    """Compares what is kept with what was folded again, and collects the first differences as sentences."""

    def __init__(self) -> None:
        self.differences: list[str] = []

    def by_name(
        self, what: str, kept: Iterator[tuple[Name, bytes]], folded: Iterator[tuple[Name, bytes]], decode: Decode
    ) -> int:
        """Compare two sequences of (name, value), each ascending by name; returns how many names there are in all."""
        count = 0
        for name, one, other in _joined(kept, folded):
            count += 1
            if one != other:
                self._add(f"{what} {_readable(name)}", one, other, decode)
        return count

    def in_order(self, what: str, kept: Iterator[bytes], folded: Iterator[bytes], decode: Decode) -> int:
        """Compare two sequences of values by their position; returns the length of the longer one."""
        count = 0
        for count, (one, other) in enumerate(zip_longest(kept, folded), 1):
            if one != other:
                self._add(f"{what} {count}", one, other, decode)
        return count

    def _add(self, what: str, kept: bytes | None, folded: bytes | None, decode: Decode) -> None:
        if len(self.differences) < MAX_DIFFERENCES:
            self.differences.append(f"{what}: {describe(kept, folded, decode)}")


def describe(kept: bytes | None, folded: bytes | None, decode: Decode) -> str:
    """The fields in which two values differ, with both contents; None stands for a value that is absent."""
    if kept is None or folded is None:
        return _sides(_short(kept), _short(folded))
    try:
        fields = list(_differing("", decode(kept), decode(folded)))
    except (msgspec.DecodeError, UnicodeDecodeError):
        fields = []  # One of them is damaged: its bytes are all there is to show.
    if not fields:
        return _sides(_short(kept), _short(folded))
    shown = [f"{path}: {_sides(_short(one), _short(other))}" for path, one, other in fields[:MAX_FIELDS]]
    more = f"; and {len(fields) - MAX_FIELDS} more fields" if len(fields) > MAX_FIELDS else ""
    return "; ".join(shown) + more


def _joined(
    kept: Iterator[tuple[Name, bytes]], folded: Iterator[tuple[Name, bytes]]
) -> Iterator[tuple[Name, bytes | None, bytes | None]]:
    """Both sides by name, so that one that is missing does not set all that follow against each other."""
    one: tuple[Name, bytes] | None = next(kept, None)
    other: tuple[Name, bytes] | None = next(folded, None)
    while one is not None or other is not None:
        if one is not None and (other is None or one[0] < other[0]):
            yield one[0], one[1], None
            one = next(kept, None)
        elif other is not None and (one is None or other[0] < one[0]):
            yield other[0], None, other[1]
            other = next(folded, None)
        elif one is not None and other is not None:
            yield one[0], one[1], other[1]
            one, other = next(kept, None), next(folded, None)


def _differing(path: str, one: object, other: object) -> Iterator[tuple[str, object, object]]:
    """The innermost fields that differ, as (path, one content, other content)."""
    if type(one) is type(other) and isinstance(one, Struct | dict | list | tuple):
        left, right = _parts(one), _parts(other)
        for name in dict.fromkeys([*left, *right]):
            yield from _differing(f"{path}.{name}" if path else str(name), left.get(name), right.get(name))
    elif one != other:
        yield path, one, other


def _parts(value: object) -> Mapping[object, object]:
    if isinstance(value, Struct):
        return {name: getattr(value, name) for name in value.__struct_fields__}
    if isinstance(value, dict):
        return value
    return dict(enumerate(value)) if isinstance(value, list | tuple) else {}


def _sides(kept: str, folded: str) -> str:
    return f"kept {kept}, folded again {folded}"


def _short(value: object) -> str:
    text = ABSENT if value is None else repr(value)
    return text if len(text) <= MAX_VALUE_CHARS else text[:MAX_VALUE_CHARS] + "..."


def _readable(name: str | bytes) -> str:
    """A name with a slash between its parts; the key of a row without the tag of its table."""
    text = name if isinstance(name, str) else name[1:].decode(errors="backslashreplace")
    return text.replace("\0", "/")
