"""How much of a transaction is under way at once."""

import asyncio
from itertools import accumulate

import pytest

from engine.bus.kafka.worker.transaction import Room

LENGTH = 100


@pytest.mark.parametrize("lengths", [[30] * 20, [1, 99, 1, 99], [250, 10, 10, 250], [100] * 3])
async def test_no_more_is_under_way_than_there_is_room_for(lengths: list[int]) -> None:
    room = Room(LENGTH)
    moves: list[int] = []

    async def send(length: int) -> None:
        async with room.taken(length):
            moves.append(length)
            await asyncio.sleep(0)
            moves.append(-length)

    async with asyncio.timeout(30):
        await asyncio.gather(*(send(length) for length in lengths))
    assert sum(moves) == 0
    assert all(under_way <= max(LENGTH, *lengths) for under_way in accumulate(moves))
    longest = max(lengths)
    if longest > LENGTH:
        assert moves[moves.index(longest) + 1] == -longest, "what is longer than the room is alone"


async def test_what_fails_gives_its_room_back() -> None:
    room = Room(LENGTH)
    with pytest.raises(ValueError, match="as asked"):
        async with room.taken(LENGTH):
            raise ValueError("as asked")
    async with asyncio.timeout(30), room.taken(LENGTH):
        pass
