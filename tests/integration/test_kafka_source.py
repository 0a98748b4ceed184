"""The shipped `stockline source` against a real Kafka: killed, frozen and shared, and still exactly once."""

import asyncio
import base64
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.partitioner import DefaultPartitioner

from tests.chaos.topics import read_all
from tests.integration.foreign_records import FOREIGN_PARTITIONS, MAKERS, Foreign, foreign, json_record
from tests.integration.process import COMMAND, ROOT, environment

pytestmark = [pytest.mark.real, pytest.mark.slow]

PARTITIONS = 8
RECORDS = 4_000
"""Of each topic."""
KILLS = 4
LATER = 400
"""So many of them are written only before the next process begins, so that there is work for each."""
SESSION_MS = 6_000
SECONDS = 300.0
PREPARE = (
    "import asyncio, sys; from engine.kafka.connection import Connection; from engine.settings import load_kafka;"
    "from engine.bus.kafka.topics import ensure_topics;"
    "asyncio.run(ensure_topics(Connection(load_kafka(kafka=sys.argv[1]))))"
)
PROFILE = """
name = "{feed}"
[[topics]]
topic = "{feed}.wms"
format = "json"
[[topics.rules]]
when = {{ kind = "OUT" }}
type = "stock.issued"
[topics.rules.data]
sku = {{ column = "item.sku" }}
location = "LDS"
qty = {{ column = "qty", as = "integer" }}
[[topics.rules]]
when = {{ kind = "NOTE" }}
skip = "a note"
[[topics]]
topic = "{feed}.structured"
format = "cloudevents"
[[topics]]
topic = "{feed}.binary"
format = "cloudevents"
"""


@pytest.fixture(scope="module")
def cluster(kafka: str) -> str:
    """A Kafka with the topics of Stockline."""
    subprocess.run([sys.executable, "-c", PREPARE, kafka], cwd=ROOT, env=environment(), check=True)
    return kafka


class Feed:
    """Topics of another team and the command that reads them."""

    def __init__(self, kafka: str, name: str, folder: Any) -> None:
        self.kafka, self.name = kafka, name
        self.profile = folder / f"{name}.toml"
        self.profile.write_text(PROFILE.format(feed=name))
        self.log = folder / f"{name}.log"
        self.running: list[subprocess.Popen[bytes]] = []

    async def make_topics(self) -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=self.kafka)
        await admin.start()
        try:
            await admin.create_topics([NewTopic(f"{self.name}.{topic}", FOREIGN_PARTITIONS, 1) for topic in MAKERS])
        finally:
            await admin.close()

    async def write(self, records: dict[str, list[Foreign]]) -> None:
        async with AIOKafkaProducer(bootstrap_servers=self.kafka) as producer:
            sent = [
                await producer.send(f"{self.name}.{topic}", record.value, None, record.partition, None, record.headers)
                for topic, many in records.items()
                for record in many
            ]
            await asyncio.gather(*sent)

    def start(self, *arguments: str) -> "subprocess.Popen[bytes]":
        # Small fetches: many transactions, so that the moment of a kill falls into one.
        settings = {"STOCKLINE_SESSION_TIMEOUT_MS": str(SESSION_MS), "STOCKLINE_FETCH_BYTES": str(4 << 10)}
        command = [*COMMAND, "source", "--kafka", self.kafka, "--profile", str(self.profile), *arguments]
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                command, cwd=ROOT, env=environment() | settings, stdout=subprocess.PIPE, stderr=log
            )
        self.running.append(process)
        return process

    def finish(self) -> dict[str, Any]:
        """Read on to the end in a process that ends by itself; its report."""
        out, _ = (process := self.start("--once", "--json")).communicate(timeout=SECONDS)
        assert process.returncode == 0, self.log.read_text()
        report: dict[str, Any] = json.loads(out)
        return report

    def end(self) -> None:
        for process in self.running:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
                process.wait()
            assert process.stdout is not None
            process.stdout.close()


@pytest.fixture
def feed(cluster: str, tmp_path: Any, request: pytest.FixtureRequest) -> Iterator[Feed]:
    # A name of its own also on a Kafka that former runs have left topics on.
    made = Feed(cluster, f"{request.node.name.split('_')[1]}-{time.time_ns() // 10**6}", tmp_path)
    yield made
    made.end()


async def written(kafka: str) -> int:
    """How much was written to the events, committed or not."""
    async with AIOKafkaConsumer(bootstrap_servers=kafka) as consumer:
        places = [TopicPartition("stockline.events", partition) for partition in range(PARTITIONS)]
        return sum((await consumer.end_offsets(places)).values())


async def started(feed: Feed) -> "subprocess.Popen[bytes]":
    """A process that has begun to write events."""
    before, deadline = await written(feed.kafka), time.monotonic() + SECONDS
    process = feed.start()
    while await written(feed.kafka) <= before:
        assert process.poll() is None, feed.log.read_text()
        assert time.monotonic() < deadline, feed.log.read_text()
        await asyncio.sleep(0.02)
    return process


def portions(records: dict[str, list[Foreign]], later: int) -> list[dict[str, list[Foreign]]]:
    """The records in their order: most of them, then as many portions that are to be written `later`."""
    cuts = [RECORDS - LATER * n for n in range(later, -1, -1)]
    return [{topic: many[a:b] for topic, many in records.items()} for a, b in pairwise([0, *cuts])]


async def check_exactly_once(feed: Feed, records: dict[str, list[Foreign]]) -> None:
    """Every event once and in its place, every poison record once as a dead letter, and nothing else of this feed."""
    expected, poison = expectations(feed, records)
    assert await events_found(feed) == expected
    letters = await read_all(feed.kafka, "stockline.dead-letters")
    dead = [json.loads(letter.value)["data"] for letter in letters]
    mine = [letter for letter in dead if letter["place"].startswith(feed.name)]
    assert Counter((letter["place"], exact(letter)) for letter in mine) == poison
    assert len({letter["id"] for letter in mine}) == len(mine)


def expectations(feed: Feed, records: dict[str, list[Foreign]]) -> tuple[Counter[str], Counter[tuple[str, bytes]]]:
    """The names of the events that should follow, and the place and bytes of every dead letter."""
    expected, poison = Counter[str](), Counter[tuple[str, bytes]]()
    for topic, many in records.items():
        offsets = [0] * FOREIGN_PARTITIONS
        for record in many:
            place = f"{record.partition}-{offsets[record.partition]}"
            offsets[record.partition] += 1
            if record.becomes is None:
                poison[f"{feed.name}.{topic}/{place.replace('-', '/')}", record.value] += 1
            else:
                name = f"kafka/{feed.name}/{feed.name}.wms {place}" if record.becomes == "by place" else record.becomes
                expected[name] += PARTITIONS if record.kind == "location.defined" else 1
    return expected, poison


async def events_found(feed: Feed) -> Counter[str]:
    """The names of the feed's events in the log; each must be in its partition, in the order of its sku."""
    found, last = Counter[str](), dict[tuple[str, str], int]()
    partitioner = DefaultPartitioner()
    for record in await read_all(feed.kafka, "stockline.events"):
        event = json.loads(record.value)
        if feed.name not in event["source"]:
            continue
        found[f"{event['source']} {event['id']}"] += 1
        if event["type"] == "location.defined":
            assert record.headers == (("stockline-broadcast", b"all"),)
            continue
        sku, qty = event["data"]["sku"], event["data"]["qty"]
        assert record.key == sku.encode()
        assert record.partition == partitioner(record.key, list(range(PARTITIONS)), list(range(PARTITIONS)))
        assert last.get((event["source"], sku), 0) < qty, "the order of a sku is lost"
        last[event["source"], sku] = qty
    return found


def exact(letter: dict[str, str]) -> bytes:
    return letter["raw"].encode() if "raw" in letter else base64.b64decode(letter["raw_base64"])


async def test_killed_under_load(feed: Feed) -> None:
    chance = random.Random(seed := int(os.environ.get("STOCKLINE_TEST_SEED", "7")))
    print(f"seed {seed}")
    records = {topic: foreign(feed.name, topic, RECORDS) for topic in MAKERS}
    *before_kills, last = portions(records, KILLS)
    await feed.make_topics()
    for portion in before_kills:
        await feed.write(portion)
        process = await started(feed)
        await asyncio.sleep(chance.uniform(0, 0.4))
        assert process.poll() is None, feed.log.read_text()
        process.send_signal(signal.SIGKILL)
        process.wait()
    await feed.write(last)
    report = await asyncio.to_thread(feed.finish)
    assert report["translated"]
    await check_exactly_once(feed, records)
    assert await asyncio.to_thread(feed.finish) == report | {
        "translated": 0, "refused": 0, "skipped": 0, "refused_by_reason": {}, "skipped_by_reason": {}
    }  # fmt: skip


async def test_frozen_and_overtaken(feed: Feed) -> None:
    records = {topic: foreign(feed.name, topic, RECORDS) for topic in MAKERS}
    first, for_the_heir, for_all = portions(records, 2)
    await feed.make_topics()
    await feed.write(first)
    zombie = await started(feed)
    zombie.send_signal(signal.SIGSTOP)
    await feed.write(for_the_heir)
    heir = await started(feed)
    zombie.send_signal(signal.SIGCONT)
    await feed.write(for_all)
    # Both go on; the group shares the partitions anew while there is still work.
    report = await asyncio.to_thread(feed.finish)
    assert report["refused_by_reason"].keys() <= {"untranslatable", "not_json", "not_utf8", "invalid_event"}
    for process in (zombie, heir):
        process.terminate()
        assert process.wait(SECONDS) == 0, feed.log.read_text()
    await check_exactly_once(feed, records)


async def test_others_transactions(feed: Feed) -> None:
    """What others have aborted is not there; their marks, which have offsets too, do not hold up the end."""
    records = {topic: foreign(feed.name, topic, 10) for topic in MAKERS}
    records["wms"].append(Foreign(0, json.dumps({"kind": "NOTE"}).encode(), []))
    await feed.make_topics()
    await feed.write(records)
    records["wms"].pop()
    async with AIOKafkaProducer(bootstrap_servers=feed.kafka, transactional_id="others") as producer:
        await producer.begin_transaction()
        await producer.send_and_wait(f"{feed.name}.wms", json_record(feed.name, 0, 0).value, None, 0)
        await producer.abort_transaction()
    report = await asyncio.to_thread(feed.finish)
    assert report == {
        "translated": 30, "refused": 0, "skipped": 1, "refused_by_reason": {}, "skipped_by_reason": {"a note": 1}
    }  # fmt: skip
    await check_exactly_once(feed, records)


def test_a_missing_topic_is_a_wrong_usage(feed: Feed) -> None:
    process = feed.start("--once")
    assert process.wait(120) == 2
    assert f"there is no topic {feed.name}.wms" in feed.log.read_text()
