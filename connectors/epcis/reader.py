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
from connectors.files.readers import Item
from connectors.mapping.values import Unreadable
from connectors.ports import Identifiers, Unmapped
from engine.core.errors import UsageError


class EpcisReader:
    """The `Reader` of EPCIS documents. Without identifiers, GTINs and GLNs are the names of items and locations.

    A document is read whole, so it is bounded, and a file that was sent in part is sent again from its beginning: the
    ids of its events follow from the events, so the log knows them again.
    """

    def __init__(self, reading: EpcisReading | None = None, identifiers: Identifiers | None = None) -> None:
        reading = reading or EpcisReading()
        self._translate = EpcisTranslation(reading, identifiers)
        self.name = "epcis"
        self.digest = hashlib.sha256(to_json(reading)).hexdigest()[:16]

    def read(self, source: BinaryIO, start: Mark) -> Iterator[Item]:
        """The events of the document. Raises `UsageError` for a file that is larger than a document may be.

        A file that was sent whole (`start` is its end) yields nothing.
        """
        document = _whole(source)
        if len(document) == start.offset:
            return
        lines = _Lines(document)
        begin = Mark()
        waiting: Item | None = None
        try:
            for raw in events_of(document):
                if waiting is not None:
                    yield waiting
                waiting = self._item(raw, lines.of(raw.text), begin)
        except Unreadable as error:
            if waiting is not None:
                yield waiting
            waiting = Item(lines.last, begin, problem=str(error), record=document)
        # Only the end is a place from which a file can go on: the position is kept when all of it is durable.
        if waiting is not None:
            yield waiting._replace(mark=Mark(len(document), lines.count))

    def _item(self, raw: RawEvent, line: int, mark: Mark) -> Item:
        try:
            outcome = self._translate(raw)
        except Unmapped as error:
            return Item(line, mark, problem=str(error), record=raw.text, reason="unmapped_identifier")
        except Unreadable as error:
            return Item(line, mark, problem=str(error), record=raw.text)
        return Item(line, mark, outcome.events, skipped=outcome.skipped)


class _Lines:
    """The numbers of the lines at which the events of a document begin."""

    def __init__(self, document: bytes) -> None:
        self._document = document
        self._at = 0
        self.last = 1
        self.count = document.count(b"\n") + (not document.endswith(b"\n"))

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
            raise UsageError(
                f"an EPCIS document is read whole, so it has at most {MAX_DOCUMENT_BYTES} bytes; this one has more: "
                "split it into several"
            )
    return held.getvalue()
