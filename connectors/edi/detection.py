"""Where an interchange begins, and which delimiters it has: by its ISA, or by its UNA and UNB."""

import re
from typing import NamedTuple

from connectors.edi.segments import Delimiters

HEAD_BYTES = 1024
"""An ISA with its terminator is looked for within so many bytes; by the standard it has 106."""
ISA_ELEMENTS = 16
_START = re.compile(
    rb"(?P<isa>(?<![A-Za-z0-9])ISA[^A-Za-z0-9\s])"
    rb"|(?P<una>(?<![A-Za-z0-9])UNA[^A-Za-z0-9\s][^A-Za-z0-9\s][.,][^A-Za-z0-9][^A-Za-z0-9][^A-Za-z0-9]\s{0,4}UNB)"
    rb"|(?P<unb>(?<![A-Za-z0-9])UNB[^A-Za-z0-9\s])"
    rb"|(?P<tradacoms>(?<![A-Za-z0-9])STX=)"
)
_BLANKS = b" \t\r\n\xa0"
_SIGN = re.compile(rb"[!-/:-@[-`{-~\x80-\xff]")
_NOTHING = b" \t\r\x00\x1a\xef\xbb\xbf\x0b\x0c"
_EDIFACT = Delimiters("EDIFACT", "+", ":", "'", "?", "*", ".")
_LEVEL = re.compile(rb"UNB[^A-Za-z0-9](UNO[A-Z])")
_CHARACTERS = {
    b"UNOD": "iso8859-2", b"UNOE": "iso8859-5", b"UNOF": "iso8859-7", b"UNOG": "iso8859-3", b"UNOH": "iso8859-4",
    b"UNOI": "iso8859-6", b"UNOJ": "iso8859-8", b"UNOK": "iso8859-9",
}  # fmt: skip
"""Element 0001, of UNB: the character set of each level of the syntax but for ISO 8859-1."""
_SEPARATORS_OF_LEVEL_B = Delimiters("EDIFACT", "\x1d", "\x1f", "\x1c", "", "", ".")
UNA_BYTES = 9


class Start(NamedTuple):
    """Where an interchange begins: so many bytes ahead, and with which tag (`ISA`, `UNA`, `UNB`, `STX`)."""

    ahead: int
    tag: str


class Detected(NamedTuple):
    """The delimiters of an interchange, and how many bytes its UNA takes; or in `problem` why it has none."""

    delimiters: Delimiters | None
    advice: int = 0
    problem: str = ""


def find_start(data: bytes) -> Start | None:
    """The first interchange that begins in `data`."""
    found = _START.search(data)
    if found is None:
        return None
    return Start(found.start(), {"isa": "ISA", "una": "UNA", "unb": "UNB"}.get(str(found.lastgroup), "STX"))


def is_blank(data: bytes) -> bool:
    """Whether there is nothing to read: blanks, a byte order mark, the end mark of old systems, comments."""
    lines = (line.strip(_NOTHING) for line in data.split(b"\n"))
    return all(not line or line.startswith((b"//", b"#")) for line in lines)


def hint_of(begin: bytes) -> str:
    """What a text that begins so lacks, to be said behind its refusal; empty where it cannot be told."""
    if begin[:1] in (b"\xfe", b"\xff") or b"\x00" in begin[:4]:
        return "; it looks like UTF-16: save it as UTF-8"
    if re.match(rb"(GS|ST)[^A-Za-z0-9\s]", begin):
        return "; ISA and GS are missing before it, which say who sent it: add them, and GE and IEA behind it"
    return ""


def detect(tag: str, head: bytes) -> Detected:
    """The delimiters of the interchange whose first bytes are `head`, beginning with `tag`."""
    if tag == "ISA":
        return _of_isa(head)
    if tag == "UNA":
        component, element, decimal, release, repetition, terminator = list(head[3:UNA_BYTES].decode("latin-1"))
        marks = Delimiters("EDIFACT", element, component, terminator, release.strip(), repetition.strip(), decimal)
        return Detected(_in_its_characters(marks, head), UNA_BYTES)
    if tag == "UNB":
        found = _of_unb(head)
        return found._replace(delimiters=found.delimiters and _in_its_characters(found.delimiters, head))
    return Detected(None, problem="TRADACOMS is not read: ask the partner for EDIFACT or X12")


def _of_isa(head: bytes) -> Detected:
    """ISA elements have fixed lengths, but many writers trim them: the sixteenth separator leads to the other two."""
    separator, at = head[3:4], 3
    places = [at]
    while len(places) < ISA_ELEMENTS and (at := head.find(separator, at + 1)) >= 0:
        places.append(at)
    group = re.search(
        rb"[^A-Za-z0-9\s" + re.escape(separator) + rb"]\s*GS" + re.escape(separator), head[: places[-1] + 1]
    )
    if len(places) < ISA_ELEMENTS or group is not None:
        count = len([place for place in places if group is None or place < group.start()])
        return Detected(None, problem=f"the ISA has {count} elements where {ISA_ELEMENTS} belong: is it damaged?")
    at = places[-1]
    tail = head[at + 1 : at + 8]
    component = tail[:1].decode("latin-1")
    terminator = _terminator(tail[1:])
    if tail[1:3] in (b"GS", b"TA") or not tail[1:]:
        # There is no component separator, so what looked like one ends the segment.
        component, terminator = "", _terminator(tail)
    problem = _problem_of(separator, component.encode("latin-1"), terminator.encode("latin-1"), head[at + 1 :])
    return Detected(
        None if problem else Delimiters("X12", separator.decode("latin-1"), component, terminator), 0, problem
    )


def _problem_of(separator: bytes, component: bytes, terminator: bytes, tail: bytes) -> str:
    """What is wrong with the delimiters of an ISA, by what is behind its sixteenth separator; empty if nothing is."""
    if tail.startswith((b"&gt;", b"&lt;", b"&amp;", b"&#")):
        return f"the text is escaped for HTML, with {_shown(tail[:4])} in ISA16: take it as it was sent"
    if not terminator or (terminator.isalnum() and terminator.isascii()):
        return "the ISA does not say which character ends a segment: is it damaged?"
    if separator in (component, terminator):
        return f"the ISA has more than {ISA_ELEMENTS} elements: is it damaged?"
    behind = tail[len(component) :].removeprefix(b"\r").removeprefix(terminator).lstrip(_BLANKS)
    line, _, following = behind.partition(b"\n")
    last, at_breaks = line.strip(_BLANKS)[-1:], terminator in b"\r\n"
    # Where ISA16 is left out, what ends the ISA stands in its place, and is cut off as a component.
    if at_breaks and line.startswith(b"GS" + separator) and _SIGN.fullmatch(last) and last != component:
        return f"the ISA ends at a line break, and the line behind it with {_shown(last)}: end both alike"
    if not at_breaks and terminator not in line and following.lstrip(_BLANKS).startswith(b"ST" + separator):
        return f"the ISA ends with {_shown(terminator)}, and the lines behind it at line breaks: end all alike"
    if _SIGN.match(behind) and not behind.startswith((b"//", b"#")):
        return f"behind the end of the ISA stands {_shown(behind[:1])}: are ISA16 and that end one character each?"
    return ""


def _shown(data: bytes) -> str:
    return repr(data.decode("latin-1"))


def _terminator(tail: bytes) -> str:
    """The character that ends the ISA, as ISO 8859-1; in UTF-8 one that is not ASCII has several bytes."""
    if tail[:1] == b"\r":
        return "\n" if tail[1:2] == b"\n" else "\r"
    size = 1
    while tail[0:1] >= b"\xc2" and b"\x80" <= tail[size : size + 1] < b"\xc0" and size < 4:
        size += 1
    return tail[:size].decode("latin-1")


def _in_its_characters(marks: Delimiters, head: bytes) -> Delimiters:
    """The delimiters, with the character set that the UNB names."""
    level = _LEVEL.search(head)
    return marks._replace(characters=_CHARACTERS.get(level[1], marks.characters)) if level else marks


def _of_unb(head: bytes) -> Detected:
    """Without a UNA the delimiters are the standard's; the elder level B has control characters."""
    if head[3:4] == b"\x1d":
        return Detected(_SEPARATORS_OF_LEVEL_B)
    if head[3:4] != b"+":
        mark = head[3:4].decode("latin-1")
        return Detected(None, problem=f"the UNB is separated by {mark!r}, and no UNA before it says so")
    return Detected(_EDIFACT)
