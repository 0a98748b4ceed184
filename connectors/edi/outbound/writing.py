"""Segments into the text of an interchange, in the delimiters that its header declares. Without input and output."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from connectors.edi.problems import Misread

GREATEST_CONTROL: Final = 999_999_999
"""ISA13 has nine digits; UNB keeps to them too, so that a number is the same in every file name."""
MESSAGE: Final = "0001"
"""The number of the one message in an interchange."""
_RELEASED: Final = str.maketrans({mark: "?" + mark for mark in "?+:'"})

Element = str | tuple[str, ...]
"""An element, or the components of a composite one."""
Written = tuple[str, Sequence[Element]]
"""A segment to write: its tag and its elements."""


@dataclass(frozen=True)
class Party:
    """How a side is named in the header of an interchange: its identification, and the qualifier of its kind."""

    id: str
    qualifier: str = "ZZ"


@dataclass(frozen=True)
class Envelope:
    """What the header of an interchange says, but for its number. `made` is in UTC."""

    ours: Party
    theirs: Party
    made: datetime
    is_test: bool = False


def limited(text: str, most: int, what: str) -> str:
    """A text that fits its element. Raises `Misread` for one that is empty, too long or not printable."""
    if not text or len(text) > most or not text.isprintable():
        raise Misread(f"{what} {text[:48]!r} cannot be written: its element has 1 to {most} printable characters")
    return text


def x12(envelope: Envelope, control: int, group: tuple[str, str], body: Sequence[Written]) -> bytes:
    """An interchange of one transaction set; `group` is its functional identifier (`PO`) and its code (`850`)."""
    number, (function, code) = f"{control:09}", group
    day, clock = envelope.made.strftime("%Y%m%d"), envelope.made.strftime("%H%M")
    ours, theirs = envelope.ours, envelope.theirs
    header = [
        "00", " " * 10, "00", " " * 10, ours.qualifier, ours.id.ljust(15), theirs.qualifier, theirs.id.ljust(15),
        day[2:], clock, "U", "00401", number, "0", "T" if envelope.is_test else "P", ">",
    ]  # fmt: skip
    segments: list[Written] = [
        ("GS", [function, ours.id, theirs.id, day, clock, str(control), "X", "004010"]),
        ("ST", [code, MESSAGE]),
        *body,
        ("SE", [str(len(body) + 2), MESSAGE]),
        ("GE", ["1", str(control)]),
        ("IEA", ["1", number]),
    ]
    # The ISA is the one segment whose blanks count, so it is not trimmed as the others are.
    return ("*".join(["ISA", *header]) + "~\n" + "".join(map(_x12_segment, segments))).encode("utf-8")


def _x12_segment(segment: Written) -> str:
    tag, elements = segment
    texts = [element if isinstance(element, str) else ">".join(element) for element in elements]
    for text in texts:
        if marks := set(text) & set("*>~"):
            raise Misread(f"{tag}: {text!r} holds {sorted(marks)[0]!r}, which X12 uses between elements")
    return "*".join([tag, *texts]).rstrip("*") + "~\n"


def edifact(envelope: Envelope, control: int, message: str, body: Sequence[Written]) -> bytes:
    """An interchange of one message; `message` is its type (`ORDERS`), or with its version (`CONTRL:D:3:UN`)."""
    number = str(control)
    kind = tuple(message.split(":")) if ":" in message else (message, "D", "96A", "UN")
    ours, theirs = envelope.ours, envelope.theirs
    made = (envelope.made.strftime("%y%m%d"), envelope.made.strftime("%H%M"))
    header: list[Element] = [("UNOC", "3"), (ours.id, ours.qualifier), (theirs.id, theirs.qualifier), made, number]
    if envelope.is_test:
        header += [""] * 5 + ["1"]
    segments: list[Written] = [
        ("UNB", header),
        ("UNH", ["1", kind]),
        *body,
        ("UNT", [str(len(body) + 2), "1"]),
        ("UNZ", ["1", number]),
    ]
    text = "UNA:+.? '\n" + "".join(map(_edifact_segment, segments))
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError as error:
        raise Misread(f"{text[error.start]!r} cannot be written: UNOC has the characters of ISO 8859-1") from None


def _edifact_segment(segment: Written) -> str:
    tag, elements = segment
    texts = [_composite((element,) if isinstance(element, str) else element) for element in elements]
    return "+".join([tag, *texts]).rstrip("+") + "'\n"


def _composite(components: Sequence[str]) -> str:
    released = [component.translate(_RELEASED) for component in components]
    while released and not released[-1]:
        released.pop()
    return ":".join(released)
