"""The contract of a cluster on a real Kafka."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from engine.bus.kafka.codec import messages_of
from engine.bus.kafka.snapshot import Snapshot
from engine.bus.kafka.topics import Topics, ensure_topics, wanted_config
from engine.bus.kafka.worker.cache import Cache, CacheSettings
from engine.bus.kafka.worker.group import KafkaCluster
from engine.bus.single import Output, Record
from engine.core.errors import Corrupt, UsageError
from engine.core.topics import Topic
from engine.kafka.connection import MAX_RECORD_BYTES, Connection
from engine.kafka.topic_names import EVENTS, STATE
from engine.settings import load_kafka
from tests.chaos.topics import read_all
from tests.contract.test_cluster import ROW, ClusterSuite, commit, events
from tests.real.kafka_for_tests import configure, wipe

# Faust, mode and the clients leave timers and sockets to the collector.
pytestmark = [
    pytest.mark.real,
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]

_groups = count()


class KafkaPlace:
    """The topics of one test, in a group of its own; every cluster has its own directory, as on another machine."""

    def __init__(self, connection: Connection, topics: Topics, path: Path) -> None:
        self.connection = connection
        self.topics = topics
        self._path = path
        self._directories = count()

    @asynccontextmanager
    async def cluster(self) -> AsyncIterator[KafkaCluster]:
        directory = self._path / f"machine-{next(self._directories)}"
        yield KafkaCluster(self.connection, self.topics, CacheSettings(directory, 16, 1))

    async def write(self, records: Sequence[Record]) -> None:
        producer = AIOKafkaProducer(bootstrap_servers=self.connection.address)
        await producer.start()
        for record in records:
            await producer.send_and_wait(EVENTS, record.value, record.key.encode(), record.partition)
        await producer.stop()

    async def outputs(self, topic: Topic, partition: int) -> list[bytes]:
        found = await read_all(self.connection.address, f"stockline.{topic}")
        return [record.value for record in found if record.partition == partition]


async def configure_state(connection: Connection, settings: dict[str, str]) -> None:
    async with connection.started_admin() as admin:
        await configure(admin, STATE, settings)


class TestKafkaCluster(ClusterSuite):
    @pytest.fixture(autouse=True)
    def address(self, kafka: str) -> None:
        self._address = kafka

    @asynccontextmanager
    async def build(self, path: Path) -> AsyncIterator[KafkaPlace]:
        await wipe(self._address)
        settings = load_kafka(
            kafka=self._address, group=f"test-{next(_groups)}", partitions=4, session_timeout_ms=12_000
        )
        connection = Connection(settings)
        yield KafkaPlace(connection, await ensure_topics(connection), path)

    async def test_a_cache_that_is_ahead_of_the_broker_stops_with_what_to_do(self, place: KafkaPlace) -> None:
        await place.write(events(0, b"one"))
        async with place.cluster() as cluster:
            owned: Any = await cluster.own(0)
            await owned.commit(commit(changes=[(b"s-row", b"1")]), [])
            owned._cache.restore([], 10_000)  # noqa: SLF001
            await owned.close()
            with pytest.raises(UsageError, match="the broker has lost committed data"):
                await cluster.own(0)

    async def test_a_log_that_has_lost_its_end_stops_with_what_to_do(self, place: KafkaPlace) -> None:
        await place.write(events(0, b"one"))
        async with place.cluster() as cluster:
            owned = await cluster.own(0)
            await owned.commit(commit(0, 50), [])
            await owned.close()
            with pytest.raises(UsageError, match="the broker has lost events"):
                await cluster.own(0)

    async def test_what_is_far_longer_than_a_batch_is_written_and_comes_back(self, place: KafkaPlace) -> None:
        await place.write(events(0, b"one"))
        rows = [(b"s-%d" % n, bytes([n]) * (8 << 20)) for n in range(6)]
        letter = Output("dead-letters", "erp", "0-0", b"x" * (MAX_RECORD_BYTES - 1_000), "event.refused")
        short = [Output("signals", ROW, f"s-{n}", b"%d" % n, "signal.raised") for n in range(50_000)]
        async with place.cluster() as cluster:
            owned = await cluster.own(0)
            await owned.commit(commit(changes=rows, outputs=[letter, *short]), [])
            await owned.close()
        async with place.cluster() as elsewhere:
            owned = await elsewhere.own(0)
            assert list(owned.state.scan(b"s", b"t")) == rows
            await owned.close()
        assert await place.outputs("dead-letters", 0) == [letter.value]
        assert await place.outputs("signals", 0) == [output.value for output in short]

    @pytest.mark.parametrize("setting", ["max.message.bytes", "segment.bytes"])
    async def test_a_topic_whose_limit_is_lowered_says_how_to_raise_it(self, place: KafkaPlace, setting: str) -> None:
        await place.write(events(0, b"one"))
        async with place.cluster() as cluster:
            owned = await cluster.own(0)
            await configure_state(place.connection, wanted_config(STATE) | {setting: str(1 << 20)})
            raised = f"--entity-name {STATE} --add-config {setting}={MAX_RECORD_BYTES}"
            with pytest.raises(UsageError, match=raised):
                await owned.commit(commit(changes=[(b"s-row", b"x" * (2 << 20))]), [])
            await owned.close()
            with pytest.raises(UsageError, match=f"{STATE} has {setting}=1048576, which must be at least"):
                await ensure_topics(place.connection)
            await configure_state(place.connection, wanted_config(STATE))
            owned = await cluster.own(0)
            assert (owned.marker, owned.state.get(b"s-row")) == (None, None)
            await owned.close()

    async def test_a_cache_that_is_damaged_while_it_is_restored_is_made_anew(
        self, place: KafkaPlace, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await place.write(events(0, b"one"))
        async with place.cluster() as cluster:
            owned = await cluster.own(0)
            await owned.commit(commit(changes=[(b"s-row", b"1")]), [])
            await owned.close()
            with monkeypatch.context() as damaged:
                damaged.setattr(Cache, "marker", lambda *_: (_ for _ in ()).throw(Corrupt("a block")))
                with pytest.raises(Corrupt):
                    await cluster.own(0)
            owned = await cluster.own(0)
            assert owned.state.get(b"s-row") == b"1"
            await owned.close()

    async def test_a_snapshot_waits_for_the_outputs_of_the_commits_that_it_holds(
        self, place: KafkaPlace, tmp_path: Path
    ) -> None:
        """As where the mark of a commit has come into the changelog, and not yet into the topic of an output."""
        await place.write(events(0, b"one"))
        async with place.cluster() as cluster:
            owned = await cluster.own(0)
            await owned.commit(commit(), [])
            await owned.close()
        told = b'{"type":"signal.opened","time":"2026-01-01T00:00:00Z","data":{"id":"s-1"}}'
        late = commit(outputs=[Output("signals", ROW, "s-1", told, "signal.opened")])
        [(at, [(key, value, headers)])] = messages_of(late, []).items()
        async with AIOKafkaProducer(bootstrap_servers=self._address, transactional_id="late") as producer:
            await producer.begin_transaction()
            await producer.send_and_wait(at.topic, value, key, at.partition, headers=headers)
            (tmp_path / "snapshot").mkdir()
            how = (None, lambda _: None)
            taking = asyncio.create_task(Snapshot.take(place.connection, place.topics, tmp_path / "snapshot", how))
            await asyncio.sleep(2)
            assert not taking.done()
            await producer.commit_transaction()
        snapshot = await taking
        try:
            assert snapshot.published.latest("signals", "s-1") == told
        finally:
            snapshot.close()
