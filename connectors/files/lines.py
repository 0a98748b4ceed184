"""Lines of a file of any size in constant memory, each with its number and the offset behind it."""

import gzip
import io
import lzma
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

from engine.core.errors import EnvironmentFailure

MAX_LINE_BYTES = 4 * 1024 * 1024
_CHUNK = 256 * 1024
STANDARD_INPUT = "-"


class Line(NamedTuple):
    """A line: its number (from 1), the byte offset behind it, its bytes without the end; `None` where too long."""

    number: int
    end: int
    text: bytes | None


class Mark(NamedTuple):
    """A place in a file: `offset` bytes and `lines` lines lie before it."""

    offset: int = 0
    lines: int = 0


def open_input(path: str) -> BinaryIO:
    """Open a file, unpacking `.xz` and `.gz`; `-` is standard input. Raises `EnvironmentFailure`."""
    if path == STANDARD_INPUT:
        return sys.stdin.buffer
    try:
        if path.endswith(".xz"):
            return cast(BinaryIO, lzma.open(path, "rb"))
        if path.endswith(".gz"):
            return cast(BinaryIO, gzip.open(path, "rb"))
        return Path(path).open("rb")
    except OSError as error:
        raise EnvironmentFailure(f"cannot read {path}: {error.strerror or error}") from error


def read_lines(source: BinaryIO, start: Mark = Mark(), line_end: bytes = b"\n") -> Iterator[Line]:  # noqa: B008
    """The lines from `start` on, where `source` already stands; a line feed takes a carriage return before it along."""
    number, offset, held, overlong = start.lines, start.offset, b"", False
    while chunk := _read(source):
        *whole, rest = (held + chunk).split(line_end)
        for text in whole:
            number, offset = number + 1, offset + len(text) + len(line_end)
            yield Line(number, offset, None if overlong or len(text) > MAX_LINE_BYTES else _strip(text, line_end))
            overlong = False
        if len(rest) > MAX_LINE_BYTES:
            offset, rest, overlong = offset + len(rest), b"", True
        held = rest
    if held or overlong:
        yield Line(number + 1, offset + len(held), None if overlong else _strip(held, line_end))


def skip_to(source: BinaryIO, mark: Mark) -> None:
    """Move an unread source to a mark; one that cannot seek is read up to it."""
    if source.seekable():
        source.seek(mark.offset)
        return
    left = mark.offset
    while left and (chunk := source.read(min(left, _CHUNK))):
        left -= len(chunk)


def _read(source: BinaryIO) -> bytes:
    try:
        # Standard input gives what is there at once; a pipe must not wait for a full chunk.
        return source.read1(_CHUNK) if isinstance(source, io.BufferedReader) else source.read(_CHUNK)
    except (OSError, EOFError, lzma.LZMAError) as error:
        raise EnvironmentFailure(f"cannot read on: {error}") from error


def _strip(text: bytes, line_end: bytes) -> bytes:
    return text[:-1] if line_end == b"\n" and text.endswith(b"\r") else text
