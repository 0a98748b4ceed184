"""A digest of what was read from a file, exact at any line's end, in constant memory."""

import hashlib
from typing import BinaryIO

from connectors.files.lines import CHUNK, read_some

MAX_AHEAD = 16 * 1024 * 1024
"""Bytes that may have been read beyond the place whose digest is asked for: the rest of a batch and of a chunk."""


class DigestedSource:
    """A source of bytes that remembers the digest of its first bytes.

    It digests the very bytes that its reader gets, so that a file which is overwritten while it is sent keeps the
    digest of what was sent. Bytes that are read again, after a seek backwards, count once.
    """

    def __init__(self, source: BinaryIO, max_ahead: int = MAX_AHEAD) -> None:
        self._source = source
        self._max_ahead = max_ahead
        self.rewind()

    @property
    def held(self) -> int:
        """How many bytes it holds, read but not yet in the digest."""
        return len(self._ahead)

    def rewind(self) -> None:
        """Begin anew at the first byte."""
        self._hash, self._hashed, self._ahead, self._at = hashlib.sha256(), 0, bytearray(), 0

    def read(self, size: int) -> bytes:
        """At most `size` bytes; none at the end. Raises `EnvironmentFailure`."""
        if self._source.tell() != self._at:
            self._source.seek(self._at)
        chunk = read_some(self._source, size)
        self._ahead += chunk[max(0, self._hashed + len(self._ahead) - self._at) :]
        self._at += len(chunk)
        if len(self._ahead) > self._max_ahead:
            self._fold(len(self._ahead))
        return chunk

    def seekable(self) -> bool:
        """True: only files are digested."""
        return True

    def seek(self, offset: int) -> None:
        """Go on reading at `offset`, which lies within what was read; a packed file is only unpacked anew to read."""
        self._at = offset

    def read_up_to(self, offset: int) -> str | None:
        """Read the first `offset` bytes and return their digest; None where the file has fewer."""
        while self._at < offset and self.read(min(CHUNK, offset - self._at)):
            pass
        return self.up_to(offset)

    def up_to(self, offset: int) -> str | None:
        """The digest of the first `offset` bytes; None where they were not all read, or far more than they."""
        more = offset - self._hashed
        if not 0 <= more <= len(self._ahead):
            return None
        self._fold(more)
        return self._hash.hexdigest()

    def close(self) -> None:
        """Close the file."""
        self._source.close()

    def _fold(self, size: int) -> None:
        self._hash.update(memoryview(self._ahead)[:size])
        del self._ahead[:size]
        self._hashed += size
