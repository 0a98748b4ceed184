"""What was last known to be committed, in a small file beside the database: it tells when a part of that is gone.

RocksDB starts without a word where its write-ahead log has been deleted, with the rows of some time ago. The file says
up to where each partition was committed. It is written after each commit and not synced: it survives the end of the
process; after a power cut it may be older than the log, never newer. It holds two copies, written in turn, so that one
of them is whole whenever the writing ends.
"""

import logging
import os
import struct
import time
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Self

from engine.core.errors import Corrupt
from tables.stores.rocksdb_errors import fail
from tables.stores.rocksdb_files import newest_log

FILE = "committed"
LOOK_SECONDS = 1.0
SECTOR = 512

log = logging.getLogger("stockline")

_HEAD = struct.Struct(">4sQQH")
_MAGIC = b"SLC1"
_SUM = struct.Struct(">I")


class Committed(NamedTuple):
    """The end offset of each partition, and the newest write-ahead log that was seen."""

    turn: int
    newest_log: int
    ends: tuple[int, ...]

    def check(self, path: Path, found: Sequence[int]) -> None:
        """Corrupt where a partition in `path` ends, as `found`, before what was committed, with what is lost."""
        if len(found) != len(self.ends):
            raise Corrupt(f"{path} has {len(found)} partitions, but its file `{FILE}` was written for {len(self.ends)}")
        lost = [
            f"partition {partition}: offsets {end} to {known - 1}"
            for partition, (end, known) in enumerate(zip(found, self.ends, strict=True))
            if end < known
        ]
        if lost:
            raise Corrupt(
                f"{path}: events that were accepted are not there any more ({'; '.join(lost)}). A write-ahead log (a "
                "file *.log in its folder db) is missing, or db is an older copy. Bring the missing files back, or "
                "`stockline restore` a backup and send what came after it again. If db was put back on purpose, put "
                f"its file `{FILE}` back too, or remove that and run `stockline audit`"
            )


def read(path: Path) -> Committed | None:
    """What the directory `path` last knew; None where the file is not there or neither copy is whole."""
    try:
        content = (path / FILE).read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        fail(error, path)
    half = len(content) // 2
    copies = [copy for copy in (_unpacked(content[:half]), _unpacked(content[half:])) if copy is not None]
    if not copies:
        log.warning("%s cannot be read: whether all that was committed is there is not known", path / FILE)
    return max(copies, default=None)


class CommittedFile:
    """The writer, for the one owner of the directory."""

    @classmethod
    def create(cls, path: Path, ends: Sequence[int], known: Committed | None = None) -> Self:
        """Begin in the directory `path` with `ends`, durably; `known` is what was read there."""
        try:
            descriptor = os.open(path / FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            fail(error, path)
        written = cls(path, descriptor, 0 if known is None else known.turn)
        size = 2 * written.size(len(ends))
        # What is cut off would belong to another number of partitions. Both copies have their place from now on.
        os.ftruncate(descriptor, size)
        written.note(ends)
        os.fsync(descriptor)
        return written

    def __init__(self, path: Path, descriptor: int, turn: int) -> None:
        self._path = path
        self._descriptor = descriptor
        self._turn = turn
        self._newest_log = 0
        self._look_at = 0.0

    @staticmethod
    def size(partitions: int) -> int:
        """The bytes of one copy: whole sectors, so that no sector holds parts of both."""
        used = _HEAD.size + 8 * partitions + _SUM.size
        return -(-used // SECTOR) * SECTOR

    def note(self, ends: Sequence[int]) -> None:
        """Note what is committed; about five microseconds."""
        now = time.monotonic()
        try:
            if now >= self._look_at:
                self._look_at = now + LOOK_SECONDS
                self._newest_log = newest_log(self._path)
            self._turn += 1
            packed = _packed(Committed(self._turn, self._newest_log, tuple(ends)))
            os.pwrite(self._descriptor, packed, self._turn % 2 * self.size(len(ends)))
        except OSError as error:
            fail(error, self._path)

    def close(self) -> None:
        """Let what was noted reach the disk."""
        try:
            os.fsync(self._descriptor)
        except OSError as error:
            fail(error, self._path)
        finally:
            os.close(self._descriptor)


def _packed(known: Committed) -> bytes:
    head = _HEAD.pack(_MAGIC, known.turn, known.newest_log, len(known.ends))
    body = head + struct.pack(f">{len(known.ends)}Q", *known.ends)
    return body + _SUM.pack(zlib.crc32(body))


def _unpacked(packed: bytes) -> Committed | None:
    if len(packed) < _HEAD.size or packed[:4] != _MAGIC:
        return None
    _, turn, log, partitions = _HEAD.unpack_from(packed)
    end = _HEAD.size + 8 * partitions
    if len(packed) < end + _SUM.size or _SUM.unpack_from(packed, end)[0] != zlib.crc32(packed[:end]):
        return None
    return Committed(turn, log, struct.unpack_from(f">{partitions}Q", packed, _HEAD.size))
