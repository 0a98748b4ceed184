"""Creates the topics of the contract where they are missing, and checks their settings; an error says what to do."""

import asyncio
import time
from collections.abc import Mapping
from typing import Any

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, RecordListTooLargeError, TopicAlreadyExistsError, for_code
from msgspec import Struct

from engine.bus.kafka.topic_ids import topic_ids
from engine.core.errors import EnvironmentFailure, UsageError
from engine.core.topics import DEFAULT_PARTITIONS
from engine.core.values import DAY
from engine.kafka.connection import MAX_RECORD_BYTES, UNDERWAY_BYTES, Connection
from engine.kafka.topic_names import DECLARED, EVENTS, PROCESSES, TOPICS

DEFAULT_REPLICATION = 3
VISIBLE_SECONDS = 30.0

MAX_IN_BYTES = 16 << 20
"""The longest record of `stockline.events`: longer than any event that is taken, so that it becomes a dead letter."""

DAY_MS = DAY // 1000

MAX_REQUEST = "socket.request.max.bytes"
LEAST_REQUEST_BYTES = UNDERWAY_BYTES + (1 << 20)

COMPACTED = {
    "min.cleanable.dirty.ratio": "0.3",
    "segment.ms": str(DAY_MS),
    # A worker that was away for less than this learns of every deletion.
    "delete.retention.ms": str(7 * DAY_MS),
}
SIGNS_OF_LIFE = {
    "cleanup.policy": "compact,delete",
    "min.cleanable.dirty.ratio": "0.3",
    # Only closed segments are compacted, and every process writes every few seconds.
    "segment.ms": str(DAY_MS // 144),
}


class Topics(Struct, frozen=True):
    """The topics that were found.

    Attributes:
        partitions: how many partitions each of them has.
        ids: topic -> its identity.
        kept_ms: topic -> for how many milliseconds it keeps a record; less than 0 for ever.
    """

    partitions: int
    ids: Mapping[str, str]
    kept_ms: Mapping[str, int]

    def id_of(self, topic: str) -> str:
        """The identity of a topic."""
        return self.ids[topic]


def wanted_config(topic: str) -> dict[str, str]:
    """The settings with which a topic is made: cleanup and retention by the contract, and room for its longest record.

    The broker stamps the arrival of events, because the clocks of producers would give no order of arrival, and that of
    signs of life, because the clocks of several machines would not tell who is alive.
    """
    config = {"max.message.bytes": str(MAX_IN_BYTES if topic == EVENTS else MAX_RECORD_BYTES)}
    kept_days = DECLARED[topic].kept_days
    if kept_days is None:
        config |= {"cleanup.policy": "compact"} | COMPACTED
    else:
        config |= {"cleanup.policy": "delete", "retention.ms": str(kept_days * DAY_MS)}
    if topic == PROCESSES:
        config |= SIGNS_OF_LIFE
    if topic in (EVENTS, PROCESSES):
        config["message.timestamp.type"] = "LogAppendTime"
    return config


async def ensure_topics(connection: Connection) -> Topics:
    """Make the topics that are missing, then check all.

    Raises:
        UsageError: the topics are not set up as the engine needs them; the message says what to do.
        EnvironmentFailure: the cluster cannot be reached.
    """
    async with connection.started_admin() as admin:
        with connection.translated("topics cannot be prepared"):
            found = await _partitions(admin)
            if missing := [topic for topic in TOPICS if topic not in found]:
                partitions = found.get(EVENTS) or connection.settings.partitions or DEFAULT_PARTITIONS
                await _create(admin, connection, {topic: wanted_config(topic) for topic in missing}, partitions)
                found = await _until_visible(admin, TOPICS)
            return await _checked(admin, connection, found)


async def ensure_side_topic(connection: Connection, topic: str) -> None:
    """Make a topic of one partition beside those of the log where it is missing. Raises as `ensure_topics`."""
    async with connection.started_admin() as admin:
        with connection.translated(f"{topic} cannot be prepared"):
            [described] = await admin.describe_topics([topic])
            if described["error_code"]:
                await _create(admin, connection, {topic: wanted_config(topic)}, 1)
                await _until_visible(admin, [topic])


async def existing_topics(connection: Connection) -> Topics:
    """Check the topics without making any; UsageError where one is missing."""
    async with connection.started_admin() as admin:
        with connection.translated("topics cannot be looked up"):
            found = await _partitions(admin)
            if missing := [topic for topic in TOPICS if topic not in found]:
                raise UsageError(
                    f"Kafka at {connection.address} has no topic {missing[0]}: start `stockline worker --kafka "
                    f"{connection.address}` first, which makes it"
                )
            return await _checked(admin, connection, found)


async def _partitions(admin: AIOKafkaAdminClient) -> dict[str, int]:
    described = await admin.describe_topics(TOPICS)
    return {topic["topic"]: len(topic["partitions"]) for topic in described if not topic["error_code"]}


async def _create(
    admin: AIOKafkaAdminClient, connection: Connection, missing: Mapping[str, dict[str, str]], partitions: int
) -> None:
    """Make topics, each with its settings."""
    brokers = len((await admin.describe_cluster())["brokers"])
    copies = connection.settings.replication or min(brokers, DEFAULT_REPLICATION)
    safe = {"min.insync.replicas": "2"} if copies > 2 else {}
    made = [NewTopic(topic, partitions, copies, topic_configs=config | safe) for topic, config in missing.items()]
    answer = await admin.create_topics(made)
    for topic, code, *said in answer.topic_errors:
        error = for_code(code)
        if code and error is not TopicAlreadyExistsError:
            detail = f"{error.__name__}: {said[0] if said else ''}"
            raise EnvironmentFailure(f"Kafka at {connection.address} does not make the topic {topic}: {detail}")


async def _until_visible(admin: AIOKafkaAdminClient, topics: list[str]) -> dict[str, int]:
    """The topics, once every broker that is asked knows them with leaders."""
    deadline = time.monotonic() + VISIBLE_SECONDS
    while True:
        described = [topic for topic in await admin.describe_topics(topics) if not topic["error_code"]]
        led = all(part["leader"] >= 0 for topic in described for part in topic["partitions"])
        if len(described) == len(topics) and led:
            return {topic["topic"]: len(topic["partitions"]) for topic in described}
        if time.monotonic() > deadline:
            raise EnvironmentFailure("the topics were made but have no leaders yet; look at the brokers' logs")
        await asyncio.sleep(0.1)


async def _checked(admin: AIOKafkaAdminClient, connection: Connection, found: Mapping[str, int]) -> Topics:
    partitions = found[EVENTS]
    wanted = connection.settings.partitions or partitions
    for topic, count in found.items():
        if count != partitions:
            raise UsageError(
                f"{topic} has {count} partitions and {EVENTS} has {partitions}, but a sku must be in the same "
                f"partition of all: delete {topic} and start again, which makes it with {partitions} "
                "(it is filled anew only where the events are still there), or begin in a new cluster"
            )
    if wanted != partitions:
        raise UsageError(
            f"{EVENTS} has {partitions} partitions, not {wanted}; the number is fixed when the topics are made: leave "
            "STOCKLINE_PARTITIONS out, or begin in a new cluster"
        )
    kept_ms = await _check_configs(admin, connection.address)
    await _check_brokers(admin)
    return Topics(partitions, await topic_ids(admin, TOPICS), kept_ms)


async def _check_configs(admin: AIOKafkaAdminClient, address: str) -> dict[str, int]:
    """Check the settings of the topics; for how many milliseconds each topic keeps a record."""
    resources = [ConfigResource(ConfigResourceType.TOPIC, topic) for topic in TOPICS]
    kept_ms: dict[str, int] = {}
    for answer in await admin.describe_configs(resources):
        for _code, _said, _kind, topic, entries in answer.resources:
            kept_ms[topic] = _check_config(address, topic, {entry[0]: entry[1] for entry in entries})
    return kept_ms


async def _check_brokers(admin: AIOKafkaAdminClient) -> None:
    """Refuse brokers that break off a request which holds a part of a transaction.

    A user who may not see the brokers' settings goes on without the check.
    """
    names = [str(broker["node_id"]) for broker in (await admin.describe_cluster())["brokers"]]
    asked = [ConfigResource(ConfigResourceType.BROKER, name, {MAX_REQUEST: ""}) for name in names]
    for answer in await admin.describe_configs(asked):
        for code, _said, _kind, name, entries in answer.resources:
            room = {entry[0]: int(entry[1]) for entry in entries if not code}
            if room.get(MAX_REQUEST, LEAST_REQUEST_BYTES) < LEAST_REQUEST_BYTES:
                raise UsageError(
                    f"broker {name} has {MAX_REQUEST}={room[MAX_REQUEST]}, which must be at least "
                    f"{LEAST_REQUEST_BYTES}: raise it in the broker's server.properties and restart the broker"
                )


def _check_config(address: str, topic: str, config: Mapping[str, Any]) -> int:
    """Refuse settings with which the engine would lose data; a longer retention is welcome, and returned."""
    wanted = wanted_config(topic)
    for name in ("cleanup.policy", "message.timestamp.type"):
        if name in wanted and config.get(name) != wanted[name]:
            found = f"{name}={config.get(name)}, which must be {wanted[name]}"
            raise _wrong(address, topic, found, f"{name}={wanted[name]}")
    kept, least = int(config.get("retention.ms", -1)), int(wanted.get("retention.ms", -1))
    if least >= 0 and 0 <= kept < least:
        found = f"retention.ms={kept}, which must be at least {least}"
        raise _wrong(address, topic, found, f"retention.ms={least}")
    needed = int(wanted["max.message.bytes"])
    for name in ("max.message.bytes", "segment.bytes"):
        if (room := int(config.get(name, needed))) < needed:
            raise _wrong(address, topic, f"{name}={room}, which must be at least {needed}", f"{name}={needed}")
    return kept


def not_taken(address: str, at: TopicPartition, length: int, error: KafkaError) -> UsageError:
    """The error for records that a broker refuses for their length: a person must raise the topic's limit."""
    name = "segment.bytes" if isinstance(error, RecordListTooLargeError) else "max.message.bytes"
    wanted = f"{name}={wanted_config(at.topic)['max.message.bytes']}"
    return UsageError(
        f"Kafka at {address} does not take {length} bytes for {at.topic}, partition {at.partition}, whose "
        f"{name} was lowered; nothing of the commit was written. {_command(address, at.topic, wanted)}; then start "
        "the workers again"
    )


def _wrong(address: str, topic: str, found: str, setting: str) -> UsageError:
    return UsageError(f"{topic} has {found}: {_command(address, topic, setting)}")


def _command(address: str, topic: str, setting: str) -> str:
    return (
        f"kafka-configs --bootstrap-server {address} --alter --entity-type topics --entity-name {topic} "
        f"--add-config {setting}"
    )
