"""The digest of the first bytes of a file, taken while it is read, in constant memory."""

import hashlib
from typing import BinaryIO

from connectors.files.lines import CHUNK, read_some

MAX_AHEAD = 16 * 1024 * 1024
"""How many bytes may be read beyond the offset whose digest is asked for: the rest of a batch and of a chunk."""


class DigestedSource:
    """A binary file that digests the bytes that its reader gets.

    A file may be overwritten while it is sent; the digest is that of the bytes which were sent. Bytes that are read
    again, after a seek backwards, are digested once.
    """

    def __init__(self, source: BinaryIO, max_ahead: int = MAX_AHEAD) -> None:
        self._source = source
        self._max_ahead = max_ahead
        self.rewind()

    @property
    def held(self) -> int:
        """The number of bytes that were read but are not in the digest yet."""
        return len(self._ahead)

    def rewind(self) -> None:
        """Begin at the first byte, with an empty digest."""
        self._hash, self._hashed, self._ahead, self._at = hashlib.sha256(), 0, bytearray(), 0

    def read(self, size: int) -> bytes:
        """Up to `size` bytes; an empty result is the end of the file. Raises `EnvironmentFailure`."""
        if self._source.tell() != self._at:
            self._source.seek(self._at)
        chunk = read_some(self._source, size)
        self._ahead += chunk[max(0, self._hashed + len(self._ahead) - self._at) :]
        self._at += len(chunk)
        if len(self._ahead) > self._max_ahead:
            self._fold(len(self._ahead))
        return chunk

    def seekable(self) -> bool:
        """True, since only files are digested."""
        return True

    def seek(self, offset: int) -> None:
        """Continue at `offset`, up to which was read before. The file itself is moved by the next `read`.

        So a packed file, which is unpacked from its beginning to seek backwards, is not unpacked in vain.
        """
        self._at = offset

    def read_up_to(self, offset: int) -> str | None:
        """Read the first `offset` bytes and return their digest; None if the file has fewer."""
        while self._at < offset and self.read(min(CHUNK, offset - self._at)):
            pass
        return self.up_to(offset)

    def up_to(self, offset: int) -> str | None:
        """The digest of the first `offset` bytes; None if fewer were read, or more than `max_ahead` beyond them."""
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
