"""A window that moves over a source of bytes: what was read, and not yet taken, in constant memory."""

from typing import BinaryIO

from connectors.files.lines import read_some

_READ_BYTES = 64 * 1024


class Window:
    """The bytes ahead of a position in a source; `offset` is the position, in bytes from the source's beginning."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self._data = b""
        self._at = 0
        self._taken = 0
        self.ended = False

    @property
    def offset(self) -> int:
        """How many bytes were taken."""
        return self._taken + self._at

    def ahead(self, size: int) -> bytes:
        """The next `size` bytes, fewer at the end of the source, without taking them."""
        while len(self._data) - self._at < size and self._more():
            pass
        return self._data[self._at : self._at + size]

    def take(self, size: int) -> bytes:
        """The next `size` bytes; the position moves behind them."""
        data = self.ahead(size)
        self._at += len(data)
        return data

    def find(self, wanted: bytes, after: int, limit: int) -> int:
        """How many bytes lie before `wanted`, looked for behind the next `after` bytes; -1 if not within `limit`."""
        while True:
            found = self._data.find(wanted, self._at + after, self._at + limit)
            if found >= 0:
                return found - self._at
            known = len(self._data) - self._at
            if known >= limit or not self._more():
                return -1
            after = max(after, known - len(wanted) + 1)

    def _more(self) -> bool:
        chunk = b"" if self.ended else read_some(self._source, _READ_BYTES)
        self.ended = not chunk
        self._taken += self._at
        self._data, self._at = self._data[self._at :] + chunk, 0
        return not self.ended
