"""EPCIS 2.0 as a format of files: `stockline send` and folders read it. Each EPCIS event is one record of the file."""

import hashlib
from collections.abc import Iterator
from io import BytesIO
from typing import BinaryIO

from pydantic_core import to_json

from connectors.epcis.documents import MAX_DOCUMENT_BYTES, RawEvent, events_of
from connectors.epcis.reading import EpcisReading
from connectors.epcis.translation import EpcisTranslation
from connectors.files.lines import Mark, read_some
from connectors.files.profile import FileProfile
from connectors.files.readers import BadFile, Item
from connectors.files.rejects import MARKER, marked_line
from connectors.mapping.values import Unreadable
from connectors.ports import Identifiers, Unmapped

NO_EVENTS = "the document holds no events"


class EpcisProfile(EpcisReading, FileProfile):
    """The profile of EPCIS files: how their events are read."""

    name: str = "epcis"
    format: str = "epcis"


class EpcisReader:
    """The `Reader` of EPCIS documents. Without identifiers, GTINs and GLNs are the names of items and locations.

    A document is read whole, so it is bounded, and a file that was sent in part is sent again from its beginning: the
    ids of its events follow from the events, so the log knows them again.
    """

    def __init__(self, reading: EpcisReading | None = None, identifiers: Identifiers | None = None) -> None:
        reading = reading or EpcisProfile()
        self._translate = EpcisTranslation(reading, identifiers)
        self.name = "epcis"
        self.digest = hashlib.sha256(to_json(reading)).hexdigest()[:16]

    def read(self, source: BinaryIO, start: Mark) -> Iterator[Item]:
        """The events of the document, or of the documents behind the marks of a reject file.

        A file that was sent whole (`start` is its end) yields nothing. Raises `BadFile` for one that is larger than a
        document may be.
        """
        whole = _whole(source)
        if len(whole) == start.offset:
            return
        waiting: Item | None = None
        for document, first_line in _documents(whole):
            for item in self._items(document, first_line):
                if waiting is not None:
                    yield waiting
                waiting = item
        # Only the end is a place from which a file can go on: the position is kept when all of it is durable.
        if waiting is not None:
            yield waiting._replace(mark=Mark(len(whole), _count_lines(whole)))

    def _items(self, document: bytes, first_line: int) -> Iterator[Item]:
        lines, holds = _Lines(document, first_line), False
        try:
            for raw in events_of(document):
                holds = True
                yield self._item(raw, lines.of(raw.text))
            if not holds:
                yield Item(lines.last, Mark(), skipped=NO_EVENTS, record=document)
        except Unreadable as error:
            yield Item(lines.last, Mark(), problem=str(error), record=document)

    def _item(self, raw: RawEvent, line: int) -> Item:
        try:
            outcome = self._translate(raw)
        except Unmapped as error:
            return Item(line, Mark(), problem=str(error), record=raw.record, reason="unmapped_identifier")
        except Unreadable as error:
            return Item(line, Mark(), problem=str(error), record=raw.record)
        return Item(line, Mark(), outcome.events, skipped=outcome.skipped, record=raw.record)


def _documents(whole: bytes) -> Iterator[tuple[bytes, int]]:
    """The documents of a file with the lines at which they begin: one, or what a reject file has between its marks."""
    if not whole.startswith(MARKER.encode()):
        yield whole, 1
        return
    document, first_line = b"", 1
    for line in whole.splitlines(keepends=True):
        found = marked_line(line.decode(errors="replace"))
        if found is None:
            document += line
            continue
        if document.strip():
            yield document, first_line
        document, first_line = b"", found
    if document.strip():
        yield document, first_line


def _count_lines(whole: bytes) -> int:
    return whole.count(b"\n") + (not whole.endswith(b"\n"))


class _Lines:
    """The numbers of the lines at which the events of a document begin."""

    def __init__(self, document: bytes, first: int) -> None:
        self._document = document
        self._at = 0
        self.last = first

    def of(self, text: bytes) -> int:
        """The line of the next event; its bytes stand in the document as they are."""
        found = self._document.find(text, self._at)
        self.last += self._document.count(b"\n", self._at, max(found, self._at))
        line = self.last
        if found >= 0:
            self.last += text.count(b"\n")
            self._at = found + len(text)
        return line


def _whole(source: BinaryIO) -> bytes:
    held = BytesIO()
    while chunk := read_some(source):
        held.write(chunk)
        if held.tell() > MAX_DOCUMENT_BYTES:
            raise BadFile(
                f"an EPCIS document is read whole, so it has at most {MAX_DOCUMENT_BYTES} bytes; this one has more: "
                "split it into several"
            )
    return held.getvalue()
