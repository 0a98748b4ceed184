"""The reject file: the records of a file that the engine does not have, ready to be mended and sent again.

It holds the heading of the original, and before the exact bytes of each record a line that says which it was and why:

    doc;date;article;qty
    #stockline line 17: qty: 'x' is not a number
    D17;02/03/2026;85123A;x

The reader passes over such lines and takes the number of the original line from them, so that an id that is made of
`{row}` stays what it was. How long the file is stands in the state of what was sent: what a crash left beyond it is cut
off, and the records after the position are written once.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from engine.core.errors import EnvironmentFailure

MARKER = "#stockline line "
_MARKED = re.compile(re.escape(MARKER) + r"(\d{1,12}):")
INFIX = ".rejects"


@dataclass(frozen=True)
class RejectForm:
    """How a format writes its reject file: the heading, the end of a line, the encoding.

    `reserved` are characters that a reason may not hold, since they would open a quote or divide a cell.
    """

    heading: bytes = b""
    line_end: bytes = b"\n"
    encoding: str = "utf-8"
    reserved: str = ""


def marked_line(text: str) -> int | None:
    """The number of the original line in the text of a marker; None for any other text."""
    found = _MARKED.match(text) if text.startswith(MARKER) else None
    return int(found[1]) if found else None


def rejects_path(path: str, folder: Path | None = None) -> Path:
    """Where the rejects of a file go: beside it or into `folder`, by a name with the suffix of its own format."""
    file = Path(path.removesuffix(".xz").removesuffix(".gz"))
    suffix = ".csv" if file.suffix.lower() in (".xlsx", ".xlsm") else file.suffix
    return (folder or file.parent) / f"{file.stem}{INFIX}{suffix}"


class Rejects:
    """The reject file of one transfer. It is made with the first record, or holds `kept` bytes of an earlier call."""

    def __init__(self, path: Path, kept: int = 0) -> None:
        self.path = path
        self._kept = kept
        self._file: BinaryIO | None = None
        self.size = kept

    def add(self, number: int, reason: str, record: bytes, form: RejectForm) -> None:
        """Write a record of the line `number`. Raises `EnvironmentFailure`."""
        words = "".join(" " if letter in form.reserved or not letter.isprintable() else letter for letter in reason)
        marker = f"{MARKER}{number}: {words}".encode(form.encoding.removesuffix("-sig"), "replace")
        try:
            if self._file is None:
                self._file = self._open()
            if not self.size and form.heading:
                self.size += self._file.write(form.heading + form.line_end)
            self.size += self._file.write(marker + form.line_end + record + form.line_end)
        except OSError as error:
            raise self._failure(error) from error

    def _open(self) -> BinaryIO:
        if not self._kept and self.path.exists():
            # Somebody may have mended the rejects of an earlier call and not sent them yet.
            os.replace(self.path, self.path.with_name(self.path.name + ".before"))
        file = self.path.open("r+b" if self._kept and self.path.exists() else "wb")
        try:
            self.size = min(self._kept, file.seek(0, os.SEEK_END))
            file.truncate(self.size)
            file.seek(self.size)
        except OSError:
            file.close()
            raise
        return file

    def save(self) -> int:
        """Make durable what was added, and return the size of the file in bytes. Raises `EnvironmentFailure`."""
        if self._file is not None:
            try:
                self._file.flush()
                os.fsync(self._file.fileno())
            except OSError as error:
                raise self._failure(error) from error
        return self.size

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()

    def _failure(self, error: OSError) -> EnvironmentFailure:
        return EnvironmentFailure(
            f"cannot write the reject file {self.path}: {error.strerror}; --rejects names another"
        )
