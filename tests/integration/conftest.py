"""Fixtures of the tests that run the shipped commands."""

import asyncio

import pytest

from tests.real.kafka_for_tests import wipe


@pytest.fixture
def fresh(kafka: str) -> str:
    """A Kafka without topics of ours."""
    asyncio.run(wipe(kafka))
    return kafka
