"""Which Kafka the tests use: the one that is named, one in a container, one of their own from the jars, or none."""

import asyncio
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError
from ruamel.yaml import YAML

from tests.real.alone import alone
from tests.real.kafka import READY_SECONDS, ROOT, Broker, Missing, free_port

ADDRESS_VARIABLE = "STOCKLINE_TEST_KAFKA"
DOCKER_SECONDS = 10
APPLIED_SECONDS, WIPED_SECONDS = 60.0, 120.0
DOCKER = "unix:///var/run/docker.sock"


@contextmanager
def kafka_for_tests(data: Path) -> Iterator[str]:
    """The address of a Kafka without topics of Stockline; raises Missing where none is to be had."""
    if address := os.environ.get(ADDRESS_VARIABLE):
        with alone("kafka-of-others"):
            asyncio.run(wipe(address))
            yield address
    elif docker_answers():
        with container_for_tests() as address:
            yield address
    else:
        with Broker(data) as broker:
            yield broker.address


def docker_answers() -> bool:
    """Whether there is a Docker engine to start containers with."""
    engine = urlsplit(os.environ.get("DOCKER_HOST") or DOCKER)
    is_file = engine.scheme == "unix"
    # Docker's own client leaves a socket open where nobody listens.
    with socket.socket(socket.AF_UNIX if is_file else socket.AF_INET) as probe:
        probe.settimeout(DOCKER_SECONDS)
        try:
            probe.connect(engine.path if is_file else (engine.hostname, engine.port))
        except OSError:
            return False
    return True


@contextmanager
def container_for_tests() -> Iterator[str]:
    """The address of the Kafka of docker-compose.yml, in a container of testcontainers; raises Missing."""
    from docker.errors import DockerException
    from testcontainers.core.container import DockerContainer

    service = YAML(typ="safe").load(ROOT / "docker-compose.yml")["services"]["kafka"]
    port = free_port()
    address = f"127.0.0.1:{port}"
    container = DockerContainer(service["image"])
    container.with_envs(**service["environment"] | {"KAFKA_ADVERTISED_LISTENERS": f"PLAINTEXT://{address}"})
    # `with_bind_ports` would publish it on every address of the machine.
    cast(dict[str, object], container.ports)["9092/tcp"] = ("127.0.0.1", port)
    try:
        container.start()
        asyncio.run(_answer(address))
        yield address
    except DockerException as error:
        raise Missing(f"no container of {service['image']}: {error}") from error
    finally:
        container.stop()


async def _answer(address: str) -> None:
    """Wait until a Kafka that was just started answers; raises Missing."""
    deadline = time.monotonic() + READY_SECONDS
    while True:
        admin = AIOKafkaAdminClient(bootstrap_servers=address)
        try:
            await admin.start()
            return
        except KafkaError as error:
            if time.monotonic() > deadline:
                raise Missing(f"Kafka in a container did not answer within {READY_SECONDS:g} s: {error}") from error
            await asyncio.sleep(0.5)
        finally:
            await admin.close()


async def configure(admin: AIOKafkaAdminClient, topic: str, settings: dict[str, str]) -> None:
    """Set the settings of a topic; what is left out gets its default. Returns once the broker goes by them."""
    await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, settings)])
    deadline = time.monotonic() + APPLIED_SECONDS
    while not settings.items() <= (await _settings_of(admin, topic)).items():
        assert time.monotonic() < deadline, f"{topic} does not get {settings}"
        await asyncio.sleep(0.05)
    # What it tells it applies a moment later.
    await asyncio.sleep(0.5)


async def _settings_of(admin: AIOKafkaAdminClient, topic: str) -> dict[str, str]:
    [answer] = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])
    [(_code, _said, _kind, _topic, entries)] = answer.resources
    return {entry[0]: entry[1] for entry in entries}


async def wipe(address: str) -> None:
    """Delete what former tests have left on a Kafka that is not ours: topics and groups of Stockline."""
    admin = AIOKafkaAdminClient(bootstrap_servers=address)
    try:
        await admin.start()
    except Exception as error:
        raise Missing(f"{ADDRESS_VARIABLE}={address} does not answer: {error}") from error
    try:
        deadline = time.monotonic() + WIPED_SECONDS
        # A topic that a killed process had asked for may come after the others are gone.
        while left := [topic for topic in await admin.list_topics() if topic.startswith("stockline.")]:
            assert time.monotonic() < deadline, f"{address} keeps {left}"
            await admin.delete_topics(left)
            await asyncio.sleep(0.2)
    finally:
        await admin.close()
