"""Which Kafka the tests use: the one that is named, one in a container, one of their own from the jars, or none."""

import asyncio
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient

from tests.real.alone import alone
from tests.real.kafka import Broker, Missing

ADDRESS_VARIABLE = "STOCKLINE_TEST_KAFKA"
DOCKER_SECONDS = 10
IMAGE = "confluentinc/cp-kafka:8.1.0"
"""The distribution that testcontainers knows how to start; it holds Kafka 4.1."""


@contextmanager
def kafka_for_tests(data: Path) -> Iterator[str]:
    """The address of a Kafka without topics of Stockline; raises Missing where none is to be had."""
    if address := os.environ.get(ADDRESS_VARIABLE):
        with alone("kafka-of-others"):
            asyncio.run(wipe(address))
            yield address
    elif docker_answers():
        with _container() as address:
            yield address
    else:
        with Broker(data) as broker:
            yield broker.address


def docker_answers() -> bool:
    """Whether there is a Docker engine to start containers with."""
    if not shutil.which("docker"):
        return False
    try:
        asked = subprocess.run(["docker", "info"], capture_output=True, timeout=DOCKER_SECONDS)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return asked.returncode == 0


@contextmanager
def _container() -> Iterator[str]:
    from testcontainers.community.kafka import KafkaContainer

    container = KafkaContainer(IMAGE).with_kraft()
    for name in ("TRANSACTION_STATE_LOG_REPLICATION_FACTOR", "TRANSACTION_STATE_LOG_MIN_ISR"):
        container.with_env(f"KAFKA_{name}", "1")
    with container:
        yield container.get_bootstrap_server()


async def wipe(address: str) -> None:
    """Delete what former tests have left on a Kafka that is not ours: topics and groups of Stockline."""
    admin = AIOKafkaAdminClient(bootstrap_servers=address)
    try:
        await admin.start()
    except Exception as error:
        raise Missing(f"{ADDRESS_VARIABLE}={address} does not answer: {error}") from error
    try:
        if left := [topic for topic in await admin.list_topics() if topic.startswith("stockline.")]:
            await admin.delete_topics(left)
        while any(topic.startswith("stockline.") for topic in await admin.list_topics()):  # noqa: ASYNC110
            await asyncio.sleep(0.2)
    finally:
        await admin.close()
