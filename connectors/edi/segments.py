"""A segment: a tag and elements, with its place in the file. X12 and EDIFACT differ only in their delimiters."""

import re
from functools import lru_cache
from typing import Literal, NamedTuple

Standard = Literal["X12", "EDIFACT"]
_BLANKS = " \t\r\n\xa0"


class Delimiters(NamedTuple):
    """The characters of one interchange; each stands for one byte, but for a terminator of several bytes.

    `component` and `release` are empty where the interchange has none. `decimal` is the decimal mark. `characters` is
    the character set of texts that are not UTF-8.
    """

    standard: Standard
    element: str
    component: str
    terminator: str
    release: str = ""
    repetition: str = ""
    decimal: str = "."
    characters: str = "iso8859-1"


class Segment:
    """A segment of an interchange.

    `raw` is what the file has, as ISO 8859-1 (a character for each byte), with the terminator. Elements are counted
    from 1, as the standards do; one that is not there is empty.
    """

    __slots__ = ("_elements", "delimiters", "encoding", "number", "raw", "start", "tag")

    def __init__(self, raw: str, number: int, start: int, delimiters: Delimiters, encoding: str | None = None) -> None:
        self.raw, self.number, self.start = raw, number, start
        self.delimiters, self.encoding = delimiters, encoding
        self._elements: list[str] | None = None
        text = _text_of(raw, delimiters)
        end = min((at for mark in delimiters[1:3] if mark and (at := text.find(mark)) >= 0), default=len(text))
        self.tag = text[:end].strip(_BLANKS).upper()

    @property
    def end(self) -> int:
        """The byte offset after the segment."""
        return self.start + len(self.raw)

    def __getitem__(self, position: int) -> str:
        """The text of an element; of a composite one its first component."""
        return self.part(position, 1)

    def part(self, position: int, component: int) -> str:
        """The text of a component of an element; both are counted from 1."""
        elements = self._split()
        if position >= len(elements):
            return ""
        parts = _split(elements[position], self.delimiters.component, self.delimiters.release)
        if component > len(parts):
            return ""
        return self._decoded(_unreleased(parts[component - 1], self.delimiters.release)).strip(_BLANKS)

    def __len__(self) -> int:
        """How many elements there are beside the tag."""
        return len(self._split()) - 1

    def _split(self) -> list[str]:
        if self._elements is None:
            text = _text_of(self.raw, self.delimiters)
            self._elements = _split(text, self.delimiters.element, self.delimiters.release)
        return self._elements

    def _decoded(self, text: str) -> str:
        if text.isascii():
            return text
        data = text.encode("latin-1")
        for encoding in (self.encoding or "utf-8", self.delimiters.characters):
            try:
                return data.decode(encoding)
            except UnicodeDecodeError:
                continue
        # In ISO 8859-1 every byte is a character.
        return text


def _text_of(raw: str, delimiters: Delimiters) -> str:
    """The segment without its terminator, line breaks and leading comments.

    Files are wrapped at 80 columns anywhere, also within a word, so a line break never stands for a blank.
    """
    text = raw.removesuffix(delimiters.terminator).lstrip(_BLANKS)
    while text.startswith(("//", "#")):
        text = text.partition("\n")[2].lstrip(_BLANKS)
    return text.replace("\r", "").replace("\n", "") if "\n" in text or "\r" in text else text


def _split(text: str, separator: str, release: str) -> list[str]:
    if not separator:
        return [text]
    if not release or release not in text:
        return text.split(separator)
    return _separated(separator, release).findall(text)


@lru_cache
def _separated(separator: str, release: str) -> re.Pattern[str]:
    """A pattern of the pieces between separators that no release character precedes."""
    sep, rel = re.escape(separator), re.escape(release)
    return re.compile(rf"(?:^|(?<={sep}))((?:{rel}.|[^{sep}{rel}]|{rel}$)*)(?={sep}|$)", re.DOTALL)


def _unreleased(text: str, release: str) -> str:
    if not release or release not in text:
        return text
    return re.sub(re.escape(release) + "(.?)", r"\1", text, flags=re.DOTALL)
