"""The offsets of the group are committed for displays only, and must not disturb the group."""

from collections.abc import Coroutine
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import OffsetAndMetadata, TopicPartition
from aiokafka.errors import RebalanceInProgressError

from engine.bus.kafka.worker.transport import BatchThread
from engine.kafka.topic_names import EVENTS


class Member:
    """The client of a member that owns partition 0, and that is joining the group anew or is not."""

    def __init__(self, *, is_joining: bool) -> None:
        self.committed: list[dict[int, int]] = []
        self._subscription = SimpleNamespace(subscription=None)
        self._coordinator = SimpleNamespace(need_rejoin=lambda _: is_joining)

    def assignment(self) -> set[TopicPartition]:
        return {TopicPartition(EVENTS, 0)}

    async def commit(self, offsets: dict[TopicPartition, OffsetAndMetadata]) -> None:
        self.committed.append({at.partition: place.offset for at, place in offsets.items()})


class Here(BatchThread):
    """The thread of a client, in the loop of the test."""

    def __init__(self, member: Member) -> None:
        self._member = member

    def _ensure_consumer(self) -> Any:
        return self._member

    async def _on_thread(self, work: Coroutine[Any, Any, None]) -> None:
        await work


async def test_a_member_commits_what_it_owns() -> None:
    member = Member(is_joining=False)
    await Here(member).commit_offsets({0: 7, 3: 9})
    await Here(member).commit_offsets({3: 9})
    assert member.committed == [{0: 7}]


async def test_a_member_that_is_joining_commits_nothing_as_it_would_have_to_join_once_more() -> None:
    member = Member(is_joining=True)
    with pytest.raises(RebalanceInProgressError):
        await Here(member).commit_offsets({0: 7})
    assert member.committed == []
    await Here(member).commit_offsets({3: 9})
