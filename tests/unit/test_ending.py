"""A task that loses a cancellation is ended all the same."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from engine import aio as ending
from engine.aio import end


async def stubborn(times: int) -> None:
    """Catches so many cancellations."""
    for _ in range(times):
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
    await asyncio.Event().wait()


@pytest.mark.parametrize("times", [0, 1, 3])
async def test_a_task_is_cancelled_until_it_ends(times: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ending, "AGAIN_SECONDS", 0.01)
    task = asyncio.create_task(stubborn(times))
    await asyncio.sleep(0)
    async with asyncio.timeout(30):
        await end(task)
    assert task.cancelled()


async def test_a_task_that_has_failed_or_ended_is_let_go() -> None:
    async def fail() -> None:
        raise ValueError("as asked")

    for task in (asyncio.create_task(fail()), asyncio.create_task(asyncio.sleep(0))):
        await asyncio.wait([task])
        await end(task)
