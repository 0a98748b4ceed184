"""Topics that are set up wrongly, made again or trimmed: the commands stop, and say what to do."""

import asyncio
import json
from collections.abc import Awaitable
from pathlib import Path

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic, RecordsToDelete

from tests.integration.process import Workers, event, stockline
from tests.integration.test_kafka import NOW, ROW, Change, changed, folded, produce


def made(topic: str, partitions: int, **config: str) -> Change:
    return lambda admin: admin.create_topics([NewTopic(topic, partitions, 1, topic_configs=config)])


LARGE = {"max.message.bytes": str(64 << 20)}


EVENTS = {**LARGE, "message.timestamp.type": "LogAppendTime", "retention.ms": str(14 * 86_400_000)}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ([made("stockline.events", 4, **EVENTS), made("stockline.signals", 6, **LARGE)], "has 6 partitions and"),
        ([made("stockline.events", 8, **LARGE)], "message.timestamp.type=CreateTime, which must be LogAppendTime"),
        ([made("stockline.state", 8, **LARGE)], "cleanup.policy=delete, which must be compact"),
        (
            [made("stockline.signals", 8, **LARGE, **{"retention.ms": "1000"})],
            "retention.ms=1000, which must be at least",
        ),
    ],
)
def test_topics_that_are_set_up_wrongly_stop_with_what_to_do(
    fresh: str, tmp_path: Path, changes: list[Change], said: str
) -> None:
    changed(fresh, *changes)
    with Workers(fresh, tmp_path / "rows", 2) as workers:
        assert workers.wait() == 2
        assert said in workers.said()


def deleted(topic: str) -> Change:
    return lambda admin: admin.delete_topics([topic])


def made_again(topic: str) -> Change:
    async def make(admin: AIOKafkaAdminClient) -> None:
        config = EVENTS if topic.endswith("events") else {**LARGE, "cleanup.policy": "compact"}
        for _ in range(50):
            answer = await admin.create_topics([NewTopic(topic, 8, 1, topic_configs=config)])
            if not answer.topic_errors[0][1]:
                return
            await asyncio.sleep(0.2)

    return make


def trimmed(admin: AIOKafkaAdminClient) -> Awaitable[object]:
    places = {TopicPartition("stockline.events", partition): RecordsToDelete(-1) for partition in range(8)}
    deleted: Awaitable[object] = admin.delete_records(places)
    return deleted


def test_a_log_that_was_made_again_stops_with_what_to_do(fresh: str, tmp_path: Path) -> None:
    folded(fresh, tmp_path / "rows")
    changed(fresh, deleted("stockline.events"), made_again("stockline.events"))
    for data in ("rows", "anew"):
        with Workers(fresh, tmp_path / data) as workers:
            assert workers.wait() == 2
            assert "was deleted and made again" in workers.said()


def test_a_changelog_that_was_made_again_stops_with_what_to_do(fresh: str, tmp_path: Path) -> None:
    folded(fresh, tmp_path / "rows")
    changed(fresh, deleted("stockline.state"), made_again("stockline.state"))
    with Workers(fresh, tmp_path / "rows") as workers:
        assert workers.wait() == 2
        assert "is a cache of another stockline.state" in workers.said()
    with Workers(fresh, tmp_path / "anew") as workers:
        assert workers.wait() == 2
        assert "the changelog was lost" in workers.said()


def test_a_log_that_is_trimmed_past_the_marker_stops_with_what_to_do(fresh: str, tmp_path: Path) -> None:
    folded(fresh, tmp_path / "rows")
    more = [(4, b"85123A", json.dumps(event("stock.issued", f"x{n}", NOW, **ROW, qty=1)).encode()) for n in range(5)]
    asyncio.run(produce(fresh, "stockline.events", more))
    changed(fresh, trimmed)
    with Workers(fresh, tmp_path / "rows") as workers:
        assert workers.wait() == 2
        assert "events between were deleted before they were folded" in workers.said()
    audited = stockline("audit", "--kafka", fresh)
    assert audited.returncode == 2
    assert b"Begin with the rows of an audit" in audited.stderr
