"""The follower of the public topics leaves no connection behind."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest

from engine.bus.kafka.web.follower import Follower


class SilentClient:
    """A client whose broker never answers."""

    def __init__(self) -> None:
        self.stopped = False

    async def start(self) -> None:
        await asyncio.Event().wait()

    async def stop(self) -> None:
        self.stopped = True


class SilentConnection:
    def __init__(self) -> None:
        self.clients: list[SilentClient] = []

    def consumer(self, isolation_level: str) -> SilentClient:
        assert isolation_level == "read_uncommitted"
        self.clients.append(SilentClient())
        return self.clients[-1]


async def test_a_question_that_is_given_up_leaves_no_connection_behind() -> None:
    connection = SilentConnection()
    follower = Follower(cast(Any, connection), cast(Any, None), lambda *_: None, cast(Any, None))
    for _ in range(2):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await follower._asker()  # noqa: SLF001 - only through a broker would it be reached otherwise
    assert [client.stopped for client in connection.clients] == [True, True]
