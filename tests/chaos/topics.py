"""Reads topics as an outside consumer would: committed records only."""

import json
from typing import Any, NamedTuple

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from tests.chaos.oracle import LogRecord


async def read_all(address: str, topic: str) -> list[ConsumerRecord]:
    """Every committed record of a topic as of now, partition by partition in order.

    A commit is answered before the marks of its transaction are in the topic, and until then a reader of committed
    records is told an end that lies before them. So the ends are asked for with the transactions that are under way.
    """
    consumer = AIOKafkaConsumer(
        bootstrap_servers=address, isolation_level="read_committed", auto_offset_reset="earliest",
        enable_auto_commit=False, max_partition_fetch_bytes=8 << 20,
    )  # fmt: skip
    asker = AIOKafkaConsumer(bootstrap_servers=address, isolation_level="read_uncommitted", enable_auto_commit=False)
    try:
        await consumer.start()
        await asker.start()
        found: list[ConsumerRecord] = []
        places = [
            TopicPartition(topic, p)
            for p in sorted(consumer.partitions_for_topic(topic) or await _known(consumer, topic))
        ]
        ends = await asker.end_offsets(places)
        starts = await consumer.beginning_offsets(places)
        for place in places:
            if starts[place] < ends[place]:
                found += await _read(consumer, place, starts[place], ends[place])
        return found
    finally:
        await asker.stop()
        await consumer.stop()


async def _read(consumer: AIOKafkaConsumer, place: TopicPartition, start: int, end: int) -> list[ConsumerRecord]:
    """The committed records of a partition from the offset `start` to before `end`."""
    found: list[ConsumerRecord] = []
    consumer.assign([place])
    consumer.seek(place, start)
    while await consumer.position(place) < end:
        fetched = await consumer.getmany(place, timeout_ms=500)
        found += [record for record in fetched.get(place, []) if record.offset < end]
    return found


async def _known(consumer: AIOKafkaConsumer, topic: str) -> set[int]:
    await consumer._client._wait_on_metadata(topic)  # noqa: SLF001
    return consumer.partitions_for_topic(topic) or set()


async def read_log(address: str) -> list[LogRecord]:
    """The whole of `stockline.events`."""
    return [LogRecord(r.partition, r.offset, r.key, r.value) for r in await read_all(address, "stockline.events")]


class Out(NamedTuple):
    """What the engine has said: latest positions by sku, signals by sku in order, ids of dead letters in order."""

    positions: dict[str, dict[str, Any]]
    signals: dict[str, list[tuple[str, int, int]]]
    dead_letters: list[str]


async def read_outputs(address: str) -> Out:
    """All that came out."""
    positions: dict[str, dict[str, Any]] = {}
    for record in await read_all(address, "stockline.positions"):
        data = json.loads(record.value)["data"]
        positions[data["sku"]] = data
    signals: dict[str, list[tuple[str, int, int]]] = {}
    for record in await read_all(address, "stockline.signals"):
        event = json.loads(record.value)
        data = event["data"]
        signals.setdefault(data["sku"], []).append((event["type"], data["revision"], data["qty"]))
    letters = [json.loads(record.value)["data"]["id"] for record in await read_all(address, "stockline.dead-letters")]
    return Out(positions, signals, letters)


async def lag(address: str) -> tuple[int, int]:
    """(folded, in the log), as the group tells it."""
    admin = AIOKafkaAdminClient(bootstrap_servers=address)
    consumer = AIOKafkaConsumer(bootstrap_servers=address, enable_auto_commit=False)
    await admin.start()
    await consumer.start()
    try:
        places = [TopicPartition("stockline.events", p) for p in range(8)]
        ends = await consumer.end_offsets(places)
        told = await admin.list_consumer_group_offsets("stockline", partitions=places)
        return sum(max(0, each.offset) for each in told.values()), sum(ends.values())
    finally:
        await consumer.stop()
        await admin.close()
