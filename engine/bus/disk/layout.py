"""The key layout of the bus on disk: keys sort in the order in which they are read, values are packed by hand.

- meta: format, partitions, log (the id of the log), count/TOPIC, task/PARTITION -> end offset, marker; where retention
  has deleted, begin/PARTITION -> first offset of the log, first/TOPIC/PARTITION -> first sequence of a history
- log: partition, offset -> arrival, key, value
- state: state keys as they are
- `dedupe`: the event marks, the state keys that begin with b"d": random, many, and mostly looked up in vain
- latest: topic, name -> latest value of a thing
- names: topic, name -> nothing: small enough to stay in the block cache, so that counting new things is cheap
- history: topic, partition, sequence -> value, in the order of commits; index, name, place -> the decision in the index
  of all, nothing in the others; thing, time, revision -> the key of its value, or the value. Topics have small letters
- touched: row, offset counted down, partition -> nothing: the newest event of a row sorts first
"""

import struct
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from engine.bus.single import Output, Record
from engine.core.decisions import Index
from engine.core.topics import HISTORIES, OUTPUT_TOPICS, Topic
from tables.catalogue import ROWS
from tables.event_marks import EVENT_MARK
from tables.stores.rocksdb_options import Profile

FORMAT = ROWS
FAMILIES: Mapping[str, Profile] = {
    "meta": "rows",
    "log": "sequential",
    "state": "rows",
    "dedupe": "random",
    "latest": "rows",
    "names": "rows",
    "history": "sequential",
    "touched": "sequential",
}
TOPIC_TAGS: Mapping[Topic, bytes] = {name: declared.tag for name, declared in OUTPUT_TOPICS.items()}
INDEX_TAGS: Mapping[Index, bytes] = {"all": b"A", "sku": b"S", "by": b"B", "thing": b"T", "event": b"E"}
REVISION_TAG = b"R"
MARK_TAG = EVENT_MARK[0]
FORMAT_KEY = b"format"
PARTITIONS_KEY = b"partitions"
LOG_KEY = b"log"
LAST_OFFSET = (1 << 64) - 1

_LOG_KEY = struct.Struct(">HQ")
_LOG_HEAD = struct.Struct("<qI")
_HISTORY_KEY = struct.Struct(">cHQ")
_TOUCHED_TAIL = struct.Struct(">QH")
_REVISION_TAIL = struct.Struct(">QQ")
_NUMBER = struct.Struct(">Q")
_LENGTH = struct.Struct(">H")

Put = Callable[[bytes, bytes, Any], None]

log_key = _LOG_KEY.pack
history_key = _HISTORY_KEY.pack
number = _NUMBER.pack


def number_in(packed: bytes) -> int:
    """The number that `number` packed."""
    return int(_NUMBER.unpack(packed)[0])


def put_records(put: Put, handle: Any, records: Iterable[Record]) -> None:
    """Write log records; the hot path of a commit."""
    pack_key, pack_head = _LOG_KEY.pack, _LOG_HEAD.pack
    for partition, offset, key, value, arrived_at in records:
        name = key.encode("utf-8", "surrogatepass")
        put(pack_key(partition, offset), b"%b%b%b" % (pack_head(arrived_at, len(name)), name, value), handle)


def record(key: bytes, packed: bytes) -> Record:
    """The record that `put_records` wrote."""
    partition, offset = _LOG_KEY.unpack(key)
    arrived_at, length = _LOG_HEAD.unpack_from(packed)
    split = _LOG_HEAD.size + length
    name = packed[_LOG_HEAD.size : split].decode("utf-8", "surrogatepass")
    return Record(partition, offset, name, packed[split:], arrived_at)


def record_place(key: bytes) -> tuple[int, int]:
    """Partition and offset of a log key."""
    partition, offset = _LOG_KEY.unpack(key)
    return partition, offset


def history_sequence(key: bytes) -> int:
    """The sequence number in a history key."""
    return int(_HISTORY_KEY.unpack(key)[2])


def name_key(topic: Topic, name: str) -> bytes:
    """The key of a thing; UTF-8 sorts as the names do."""
    return TOPIC_TAGS[topic] + name.encode("utf-8", "surrogatepass")


def name_in(key: bytes) -> str:
    """The name of a thing from its key."""
    return key[1:].decode("utf-8", "surrogatepass")


def output_name(output: Output) -> str:
    """The name of an output's thing: the id, or the key where only the latest of a key counts."""
    return output.id if output.topic in HISTORIES else output.key


def row_prefix(row: str) -> bytes:
    """The prefix of all index keys of a row; the length keeps rows apart where one name begins with the other."""
    name = row.encode("utf-8", "surrogatepass")
    return _LENGTH.pack(len(name)) + name


def touched_key(prefix: bytes, offset: int, partition: int) -> bytes:
    """The index key of a row for a log offset; greater offsets sort first."""
    return prefix + _TOUCHED_TAIL.pack(LAST_OFFSET - offset, partition)


def touched_row(key: bytes) -> bytes:
    """The row prefix of an index key."""
    return key[: -_TOUCHED_TAIL.size]


def after_row(prefix: bytes) -> bytes:
    """A key beyond all index keys of a row."""
    return prefix + b"\xff" * (_TOUCHED_TAIL.size + 1)


def touched_place(key: bytes) -> tuple[int, int]:
    """Partition and offset of an index key."""
    reverse, partition = _TOUCHED_TAIL.unpack(key[-_TOUCHED_TAIL.size :])
    return partition, LAST_OFFSET - reverse


def decision_prefix(index: Index, name: str) -> bytes:
    """The prefix of the keys of the decisions under a name; the length keeps names apart that begin alike."""
    packed = name.encode("utf-8", "surrogatepass")
    return INDEX_TAGS[index] + _LENGTH.pack(len(packed)) + packed


def revision_key(topic: Topic, name: str, at: int, revision: int) -> bytes:
    """The key of a revision of a thing; they sort by time, then by revision."""
    packed = name.encode("utf-8", "surrogatepass")
    # Nothing was published before 1970, whenever somebody asks for.
    return (
        REVISION_TAG
        + TOPIC_TAGS[topic]
        + _LENGTH.pack(len(packed))
        + packed
        + _REVISION_TAIL.pack(max(0, at), revision)
    )


def marker_key(partition: int) -> bytes:
    """Where the end offset and the marker of a partition are."""
    return b"task/%d" % partition


def begin_key(partition: int) -> bytes:
    """Where the first offset of a log is stored once its beginning was deleted."""
    return b"begin/%d" % partition


def first_key(topic: Topic, partition: int) -> bytes:
    """Where the first sequence of a history is stored once its beginning was deleted."""
    return b"first/%s/%d" % (topic.encode(), partition)


def count_key(topic: Topic) -> bytes:
    """Where the number of things of a topic is stored."""
    return b"count/" + topic.encode()
