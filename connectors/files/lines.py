"""Reads the lines of a file of any size in constant memory, each with its number and the offset of its end."""

import gzip
import io
import lzma
import sys
from codecs import BOM_UTF8
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

from engine.core.errors import EnvironmentFailure

MAX_LINE_BYTES = 4 * 1024 * 1024
CHUNK = 256 * 1024
STANDARD_INPUT = "-"


class Mark(NamedTuple):
    """A position in a file: `offset` bytes and `lines` lines lie before it.

    `ended` tells whether the last of these lines has its line end.
    """

    offset: int = 0
    lines: int = 0
    ended: bool = True


class Line(NamedTuple):
    """A line: its number from 1, the byte offset of its end, its bytes without the line end, None if it is too long.

    `ended` is false if the last line of a file has no line end: another process may still be writing it.
    """

    number: int
    end: int
    text: bytes | None
    ended: bool = True

    @property
    def mark(self) -> Mark:
        """The position after the line."""
        return Mark(self.end, self.number, self.ended)


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
    """The lines from `start` on; the caller has moved `source` there.

    A carriage return before a line feed belongs to the line end, and a byte order mark does not belong to the first
    line. A line of more than `MAX_LINE_BYTES` bytes is passed over and yields `text=None`.
    """
    number, offset, held, overlong = start.lines - (not start.ended), start.offset, b"", False
    while chunk := read_some(source):
        *whole, rest = (held + chunk).split(line_end)
        for text in whole:
            number, offset = number + 1, offset + len(text) + len(line_end)
            too_long, at_start = overlong or len(text) > MAX_LINE_BYTES, offset == len(text) + len(line_end)
            yield Line(number, offset, None if too_long else _strip(text, line_end, at_start))
            overlong = False
        if len(rest) > MAX_LINE_BYTES:
            offset, rest, overlong = offset + len(rest), b"", True
        held = rest
    if held or overlong:
        last = None if overlong else _strip(held, line_end, at_start=not offset)
        yield Line(number + 1, offset + len(held), last, ended=False)


def skip_to(source: BinaryIO, mark: Mark) -> None:
    """Move an unread source to a mark; a source that cannot seek is read up to it."""
    if source.seekable():
        source.seek(mark.offset)
        return
    left = mark.offset
    while left and (chunk := read_some(source, min(left, CHUNK))):
        left -= len(chunk)


def read_some(source: BinaryIO, size: int = CHUNK) -> bytes:
    """Up to `size` bytes; an empty result is the end of the source. Raises `EnvironmentFailure`."""
    try:
        # `read1` returns the bytes that a pipe has; `read` would wait for a full chunk.
        return source.read1(size) if isinstance(source, io.BufferedReader) else source.read(size)
    except (OSError, EOFError, lzma.LZMAError) as error:
        raise EnvironmentFailure(f"cannot read on: {error}") from error


def _strip(text: bytes, line_end: bytes, at_start: bool) -> bytes:
    text = text.removeprefix(BOM_UTF8) if at_start else text
    return text[:-1] if line_end == b"\n" and text.endswith(b"\r") else text
