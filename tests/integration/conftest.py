"""Fixtures of the tests that run the shipped commands."""

import asyncio

import pytest

from tests.real.kafka_for_tests import wipe
from tests.real.tryton_series import ALL_OF_THEM

# Its template takes minutes to make: `make test-erp` runs it.
collect_ignore = [] if ALL_OF_THEM else ["test_tryton_postgres.py"]


@pytest.fixture
def fresh(kafka: str) -> str:
    """A Kafka without topics of ours."""
    asyncio.run(wipe(kafka))
    return kafka
