"""Records of the public topics as what they say, and a commit as records of those topics."""

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Annotated

import msgspec
from aiokafka import ConsumerRecord, TopicPartition

from engine.bus.cluster import Fetched
from engine.bus.kafka.changelog import offsets_in, read_log_marker, touched_offsets
from engine.bus.single import Commit, Output, Record
from engine.core.decisions import decision
from engine.core.topics import Topic
from engine.kafka.headers import BROADCAST_HEADER, TOLD_HEADER, TOUCHED_HEADER, UNTIL_HEADER, Message
from engine.kafka.topic_names import EVENTS, OUTPUTS, STATE
from tables.markers import MARKER

TOPIC_OF: Mapping[str, Topic] = {on_kafka: topic for topic, on_kafka in OUTPUTS.items()}
"""The topic of outputs that a topic of Kafka holds."""

log = logging.getLogger(__name__)


class _Data(msgspec.Struct):
    id: str | None = None
    sku: str | None = None


class _Envelope(msgspec.Struct):
    type: str
    time: Annotated[datetime, msgspec.Meta(tz=True)]
    data: _Data


_envelopes = msgspec.json.Decoder(_Envelope)


def record_of(record: ConsumerRecord) -> Record:
    """A record of the log; a missing key or value is an empty one."""
    key = (record.key or b"").decode("utf-8", "surrogateescape")
    return Record(record.partition, record.offset, key, record.value or b"", record.timestamp * 1000)


def fetched_of(partition: int, start: int, end: int, records: Sequence[ConsumerRecord]) -> Fetched:
    """The records of one fetch of the log, from `start` up to `end`, in the engine's own types."""
    everywhere = frozenset(record.offset for record in records if record.headers and BROADCAST_HEADER in record.headers)
    return Fetched(partition, start, end, [record_of(record) for record in records], everywhere)


def commit_of(at: TopicPartition, records: Iterable[ConsumerRecord], hidden: frozenset[int]) -> Commit:
    """Records of one topic as a commit, which has a marker where they are of the state.

    Rows of tables with a tag in `hidden` are left out. What Stockline did not write is passed over with a warning.
    """
    changes: list[tuple[bytes, bytes | None]] = []
    outputs: list[Output] = []
    touched: list[tuple[str, int]] = []
    marker = b""
    if at.topic == STATE:
        changes = [(record.key, record.value) for record in records if record.key[0] not in hidden]
        markers = [value for key, value in changes if key[0] == MARKER[0] and value is not None]
        logged = read_log_marker(markers[-1]) if markers else None
        marker = b"" if logged is None else logged.marker
    else:
        topic = TOPIC_OF[at.topic]
        for record in records:
            output = output_of(topic, record)
            if output is None:
                where = f"{at.topic}, partition {at.partition}, offset {record.offset}"
                log.warning("%s is no record of Stockline and is passed over", where)
                continue
            outputs.append(output)
            if topic == "positions":
                touched += [(output.key, offset) for offset in _touched(record)]
    return Commit(at.partition, (), changes, outputs, touched, marker, 0)


def output_of(topic: Topic, record: ConsumerRecord) -> Output | None:
    """A record of an output topic; None where another program has written there something that cannot be read."""
    try:
        key = (record.key or b"").decode("utf-8", "surrogatepass")
        found = _envelopes.decode(record.value or b"")
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    if topic == "positions":
        is_position = found.data.sku is not None and "\0" in key
        return Output(topic, key, key, record.value, found.type) if is_position else None
    if found.data.id is None:
        return None
    return Output(topic, key, found.data.id, record.value, found.type, _told(record))


def _told(record: ConsumerRecord) -> bytes | None:
    """Who has decided what is published here; None where nobody has, or another program has written something else."""
    told: bytes | None = dict(record.headers).get(TOLD_HEADER)
    if told is None:
        return None
    try:
        decision(told, None, record.value)
    except ValueError:
        return None
    return told


def folded_until(record: ConsumerRecord) -> int:
    """The offset of the log up to which the commit had folded that wrote an output; 0 where no commit wrote it."""
    found = dict(record.headers).get(UNTIL_HEADER, b"")
    return int(found) if found.isdigit() else 0


def messages_of(commit: Commit, broadcast: Sequence[Record]) -> dict[TopicPartition, list[Message]]:
    """The outputs of a commit and the records that it appends to other partitions' logs, by where they are written."""
    messages: dict[TopicPartition, list[Message]] = defaultdict(list)
    touched = touched_offsets(commit)
    until = (UNTIL_HEADER, b"%d" % commit.next_offset)
    plain = [until]
    for output in commit.outputs:
        is_position = output.topic == "positions"
        headers = [until, (TOUCHED_HEADER, touched.get(output.key, b""))] if is_position else plain
        if output.told is not None:
            headers = [until, (TOLD_HEADER, output.told)]
        at = TopicPartition(OUTPUTS[output.topic], commit.partition)
        messages[at].append((output.key.encode("utf-8", "surrogatepass"), output.value, headers))
    for record in broadcast:
        at = TopicPartition(EVENTS, record.partition)
        messages[at].append((record.key.encode("utf-8", "surrogatepass"), record.value, [BROADCAST_HEADER]))
    return messages


def _touched(record: ConsumerRecord) -> Iterable[int]:
    found = [value for name, value in record.headers if name == TOUCHED_HEADER and value]
    return offsets_in(found[0]) if found else ()
