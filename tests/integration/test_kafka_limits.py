"""A real Kafka against what is too long: records that fit no dead letter, limits that were lowered, short requests."""

import asyncio
import json
import resource
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient

from tests.chaos.topics import lag, read_all
from tests.integration.process import Workers, event, stockline
from tests.integration.test_descriptors import most_since, said_within
from tests.integration.test_kafka import STORY, web
from tests.integration.test_kafka import folded as fold_story
from tests.real.kafka import Broker
from tests.real.kafka_for_tests import configure, wipe

pytestmark = [pytest.mark.real, pytest.mark.slow]

EVENTS = "stockline.events"
DEAD_LETTERS = "stockline.dead-letters"
MIB = 1 << 20
PATIENCE_SECONDS = 240.0
PATIENT = {"STOCKLINE_REQUEST_TIMEOUT_MS": "60000", "STOCKLINE_TRANSACTION_TIMEOUT_MS": "120000"}
"""For a worker that must not lose a partition, however slow the broker is with what is so long."""
SITE = event("location.defined", "l1", "2026-01-01T00:00:00Z", location="LDS", time_zone="Europe/London")


async def produce(kafka: str, key: bytes, *values: bytes) -> None:
    """Write records as somebody else's producer, which packs them."""
    producer = AIOKafkaProducer(bootstrap_servers=kafka, max_request_size=256 * MIB, compression_type="gzip")
    await producer.start()
    for value in values:
        await producer.send_and_wait(EVENTS, value, key, 0)
    await producer.stop()


async def lower(kafka: str, topic: str, **settings: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    await configure(admin, topic, settings)
    await admin.close()


def folded(kafka: str) -> None:
    """Wait until nothing is left to fold."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    done = end = 0
    while time.monotonic() < deadline:
        done, end = asyncio.run(lag(kafka))
        if done >= end:
            return
        time.sleep(0.2)
    raise TimeoutError(f"{done} of {end} are folded")


def letters(kafka: str) -> list[dict[str, Any]]:
    return [json.loads(record.value)["data"] for record in asyncio.run(read_all(kafka, DEAD_LETTERS))]


def test_what_foreign_producers_write_never_stops_a_partition(kafka: str, tmp_path: Path) -> None:
    asyncio.run(wipe(kafka))
    with Workers(kafka, tmp_path / "rows", 1, **PATIENT) as workers, web(kafka, tmp_path / "view") as engine:
        workers.wait_owned()
        asyncio.run(produce(kafka, b"zeros", b"\0" * (40 * MIB)))
        asyncio.run(produce(kafka, b"\xff" * (30 * MIB), json.dumps(SITE).encode()))
        folded(kafka)
        (letter,) = letters(kafka)
        assert (letter["reason"], letter.get("raw"), letter.get("raw_base64")) == ("too_large", None, None)
        assert f"its {40 * MIB} bytes are too many to be kept here, SHA-256 " in letter["detail"]
        long = engine.call("POST", "/v1/events", b"x" * (16 * MIB), "application/x-ndjson")
        assert (long.status, long.json["accepted"], long.json["refused"][0]["reason"]) == (202, 0, "too_large")
        engine.send(*STORY)
        assert engine.get("/v1/sync?wait=100")["lag"] == 0
        assert engine.get("/v1/positions/85123A/LDS")["available"] == 40
        assert "owned anew" not in workers.said()
        assert workers.stop() == 0
    copies = [record for record in asyncio.run(read_all(kafka, EVENTS)) if record.value == json.dumps(SITE).encode()]
    assert sorted(len(record.key) for record in copies) == [len(SITE["source"])] * 7 + [30 * MIB]


def test_more_dead_letters_than_one_commit_holds_are_written_in_several(kafka: str, tmp_path: Path) -> None:
    asyncio.run(wipe(kafka))
    with Workers(kafka, tmp_path / "first") as workers:
        workers.wait_owned()
        assert workers.stop() == 0
    asyncio.run(produce(kafka, b"junk", *(b"%03d" % n + b"\xff" * (250 << 10) for n in range(150))))
    with Workers(kafka, tmp_path / "rows") as workers:
        workers.wait_owned()
        folded(kafka)
        assert workers.stop() == 0
    places = [letter["place"] for letter in letters(kafka)]
    assert len(places) == len(set(places)) == 150
    audited = stockline("audit", "--kafka", kafka, "--json")
    assert (audited.returncode, json.loads(audited.stdout)["differences"]) == (0, []), audited


def test_a_limit_that_is_lowered_under_workers_ends_them_with_the_command(kafka: str, tmp_path: Path) -> None:
    asyncio.run(wipe(kafka))
    with Workers(kafka, tmp_path / "rows", 2) as workers:
        workers.wait_owned()
        asyncio.run(lower(kafka, DEAD_LETTERS, **{"max.message.bytes": "100000", "cleanup.policy": "delete"}))
        asyncio.run(produce(kafka, b"junk", b"junk" * 50_000))
        assert workers.wait() == 2
        command = f"--entity-type topics --entity-name {DEAD_LETTERS} --add-config max.message.bytes={24 * MIB}"
        assert f"kafka-configs --bootstrap-server {kafka} --alter {command}" in workers.said()
    assert letters(kafka) == []


def test_a_worker_without_file_descriptors_says_so_seldom_and_goes_on(kafka: str, tmp_path: Path) -> None:
    asyncio.run(wipe(kafka))
    with Workers(kafka, tmp_path / "rows") as workers, web(kafka, tmp_path / "view") as engine:
        workers.wait_owned()
        before, hard = resource.prlimit(workers.process.pid, resource.RLIMIT_NOFILE)
        began = time.monotonic()
        resource.prlimit(workers.process.pid, resource.RLIMIT_NOFILE, (20, hard))
        said_within(workers.said, "raise LimitNOFILE")
        time.sleep(4)
        said = workers.said()
        assert 1 <= said.count("all 20 file descriptors are in use") <= most_since(began)
        assert "Traceback" not in said
        resource.prlimit(workers.process.pid, resource.RLIMIT_NOFILE, (before, hard))
        engine.send(*STORY)
        assert engine.get("/v1/sync?wait=100")["lag"] == 0
        assert workers.stop() == 0


def test_a_broker_that_takes_short_requests_only_is_named_at_the_start(tmp_path: Path) -> None:
    settings = {"socket.request.max.bytes": str(10 * MIB)}
    with Broker(tmp_path / "kafka", settings=settings) as broker, Workers(broker.address, tmp_path / "rows") as workers:
        assert workers.wait() == 2
        assert f"broker 1 has socket.request.max.bytes={10 * MIB}, which must be at least" in workers.said()


async def make_former(kafka: str) -> None:
    """Write the markers once more, as the version before wrote them."""
    producer = AIOKafkaProducer(bootstrap_servers=kafka)
    await producer.start()
    for record in await read_all(kafka, "stockline.state"):
        if record.key[:1] == b"m":
            topic_id, end, _ = msgspec.msgpack.decode(record.value)
            former = msgspec.msgpack.encode([end, 0, "wall", {}])
            value = msgspec.msgpack.encode([topic_id, end, former])
            await producer.send_and_wait("stockline.state", value, record.key, record.partition)
    await producer.stop()


def test_rows_of_another_version_end_every_command_with_what_to_do(kafka: str, tmp_path: Path) -> None:
    asyncio.run(wipe(kafka))
    fold_story(kafka, tmp_path / "rows")
    asyncio.run(make_former(kafka))
    said = "are of another version of Stockline, and this one does not read them"
    with Workers(kafka, tmp_path / "anew") as workers, web(kafka, tmp_path / "view") as engine:
        assert workers.wait() == 2
        assert said in workers.said()
        assert engine.process.wait(PATIENCE_SECONDS) == 2
        assert said in engine.errors()
    audited = stockline("audit", "--kafka", kafka)
    assert (audited.returncode, said in audited.stderr.decode()) == (2, True)
