"""All rows as of an offset of each partition in one file with a checksum: where an audit begins instead of at offset 0.

The file: a line that names the format; a line of JSON (`Head`); blocks, each a length and so many bytes of zlib; a
length of 0; the SHA-256 of all before. A block holds pairs: a kind (1 for a key of the state, 2 for a row's position),
the lengths of key and value, key and value.
"""

import hashlib
import os
import struct
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO

import msgspec

from engine.bus.single import Audited, Bus, Commit, Output
from engine.core.errors import Corrupt, UsageError
from engine.core.topics import Topic
from tables.stores.rocksdb_errors import fail

FORMAT_LINE = b"stockline rows 1\n"
SUFFIX = ".rows"
PORTION = 2_000
LEVEL = 1
FIRST_STATE_KEY, LAST_STATE_KEY = b"\0", b"\xff" * 16

_STATE, _POSITION = 1, 2
_LENGTH = struct.Struct(">I")
_PAIR = struct.Struct(">BII")
_SUM_BYTES = hashlib.sha256().digest_size

Pair = tuple[int, bytes, bytes]


class Head(msgspec.Struct):
    """What a snapshot is of.

    Attributes:
        log: the offset, of each partition, of the first record that is not in the rows.
        markers: of each partition, as it was committed; None before the first.
        sequences: by topic and partition, the sequence of the first output that is not in the rows; empty on Kafka.
    """

    log: list[int]
    markers: list[bytes | None]
    sequences: dict[Topic, list[int]] = {}

    def reaches(self, begins: list[int], ends: list[int]) -> bool:
        """Whether a log that has the offsets from `begins` to `ends` goes on where the rows end."""
        same = len(self.log) == len(begins) == len(ends)
        return same and all(begin <= at <= end for begin, at, end in zip(begins, self.log, ends, strict=True))


def save(path: Path, head: Head, rows: Audited, pause: Callable[[], None] = lambda: None) -> None:
    """Write the state and the positions of `rows` into the new file `path`, which appears whole and synced or not.

    `pause` is called after each portion of pairs, for who must not take all of the processor.
    """
    unfinished = path.with_suffix(".unfinished")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with unfinished.open("wb") as file:
            _write(file, head, rows, pause)
            file.flush()
            os.fsync(file.fileno())
        unfinished.rename(path)
        sync(path.parent)
    except BaseException as error:
        with suppress(OSError):
            unfinished.unlink()
        if isinstance(error, OSError):
            fail(error, path)
        raise


def load(path: Path, into: Bus) -> Head:
    """Bring the rows of the file `path` into an empty bus, after its checksum was found right.

    Raises:
        UsageError: it is no snapshot, or one of another number of partitions.
        Corrupt: it does not hold what was written.
    """
    check_sum(path)
    with path.open("rb") as file:
        head = _head(file, path)
        if len(head.log) != into.partitions:
            raise UsageError(f"{path} is of a log with {len(head.log)} partitions, not {into.partitions}")
        owner = next((partition for partition, marker in enumerate(head.markers) if marker is not None), 0)
        for portion in _blocks(file):
            changes = [(key, value) for kind, key, value in portion if kind == _STATE]
            named = [(key.decode("utf-8", "surrogatepass"), value) for kind, key, value in portion if kind == _POSITION]
            outputs = [Output("positions", name, name, value, "position.changed") for name, value in named]
            into.commit([Commit(owner, (), changes, outputs, (), head.markers[owner] or b"", 0)])
    for partition, marker in enumerate(head.markers):
        if marker is not None:
            into.commit([Commit(partition, (), (), (), (), marker, head.log[partition])])
    return head


def head_of(path: Path) -> Head:
    """What the file `path` says that it is of; its checksum is not looked at."""
    try:
        with path.open("rb") as file:
            return _head(file, path)
    except OSError as error:
        fail(error, path)


def place_of(folder: Path, head: Head) -> Path:
    """The file in `folder` for a snapshot. Its name counts the records, so that the newest sorts last at any clock."""
    return folder / f"{sum(head.log):020}{SUFFIX}"


def saved_in(folder: Path) -> list[Path]:
    """The snapshots in a folder, the oldest first."""
    return sorted(folder.glob(f"*{SUFFIX}"))


def oldest_that_reaches(folder: Path, begins: list[int], ends: list[int]) -> Path | None:
    """The oldest snapshot in a folder from which a log can be folded on; None where there is none."""
    return next((path for path in saved_in(folder) if head_of(path).reaches(begins, ends)), None)


def check_sum(path: Path) -> None:
    """Corrupt where the file `path` does not hold what was written."""
    try:
        with path.open("rb") as file:
            _head(file, path)
            file.seek(0)
            left = os.fstat(file.fileno()).st_size - _SUM_BYTES
            total = hashlib.sha256()
            while left > 0 and (content := file.read(min(left, 1 << 20))):
                total.update(content)
                left -= len(content)
            right = file.read() == total.digest()
    except OSError as error:
        fail(error, path)
    if not right:
        raise Corrupt(f"{path}: the file does not hold what was written; bring it back from a backup")


def sync(path: Path) -> None:
    """Let a file, or the names in a folder, reach the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write(file: IO[bytes], head: Head, rows: Audited, pause: Callable[[], None]) -> None:
    total = hashlib.sha256()

    def put(content: bytes) -> None:
        total.update(content)
        file.write(content)

    put(FORMAT_LINE + msgspec.json.encode(head) + b"\n")
    for portion in _portions(_all_pairs(rows)):
        pairs = [_PAIR.pack(kind, len(key), len(value)) + key + value for kind, key, value in portion]
        block = zlib.compress(b"".join(pairs), LEVEL)
        put(_LENGTH.pack(len(block)) + block)
        pause()
    put(_LENGTH.pack(0))
    file.write(total.digest())


def _all_pairs(rows: Audited) -> Iterator[Pair]:
    for key, value in rows.state.scan(FIRST_STATE_KEY, LAST_STATE_KEY):
        yield _STATE, key, value
    for name, value in rows.published.things("positions"):
        yield _POSITION, name.encode("utf-8", "surrogatepass"), value


def _portions(pairs: Iterable[Pair]) -> Iterator[list[Pair]]:
    portion: list[Pair] = []
    for pair in pairs:
        portion.append(pair)
        if len(portion) == PORTION:
            yield portion
            portion = []
    if portion:
        yield portion


def _head(file: IO[bytes], path: Path) -> Head:
    if file.readline(len(FORMAT_LINE)) != FORMAT_LINE:
        raise UsageError(f"{path} is no snapshot of this version of Stockline")
    try:
        return msgspec.json.decode(file.readline(), type=Head)
    except msgspec.DecodeError as error:
        raise Corrupt(f"{path}: the file does not hold what was written ({error})") from error


def _blocks(file: IO[bytes]) -> Iterator[list[Pair]]:
    while length := _LENGTH.unpack(file.read(_LENGTH.size))[0]:
        yield list(_pairs(zlib.decompress(file.read(length))))


def _pairs(block: bytes) -> Iterator[Pair]:
    at = 0
    while at < len(block):
        kind, key, value = _PAIR.unpack_from(block, at)
        split = at + _PAIR.size + key
        at = split + value
        yield kind, block[split - key : split], block[split:at]
