"""Where others fold: what a submission answers at once."""

from collections.abc import Sequence
from typing import Any, cast

from engine.bus.cluster import Appended
from engine.bus.memory.bus import MemoryBus
from engine.bus.point import Point
from engine.bus.single import Record
from engine.core.rules import Rules
from engine.core.values import partition_of
from engine.runtime.cluster.service import Following, ReaderService
from engine.runtime.subscriptions import Broadcaster
from tests.unit.test_refused_records import refused

NOBODY_LISTENS = Broadcaster(Point("log", {}), cast(Any, None))


class Log:
    """Takes what is appended, and gives it no place."""

    def __init__(self) -> None:
        self.values: list[bytes] = []
        self.keys: list[tuple[int, str]] = []

    async def append(self, records: Sequence[Record], everywhere: frozenset[int]) -> Sequence[Appended]:
        self.values += [record.value for record in records]
        self.keys += [(record.partition, record.key) for record in records]
        return [Appended(record.partition, record.offset) for record in records]

    async def ends(self) -> dict[int, int]:
        return {}

    folded = ends

    async def caught_up(self) -> None: ...


async def test_what_is_refused_is_named_and_nothing_is_said_of_repeats() -> None:
    log = Log()
    reader = ReaderService(MemoryBus(2), log, log, Following(log.caught_up, NOBODY_LISTENS, dict), Rules())
    items = [b'{"specversion":"1.0","id":"a-1","source":"s","type":"stock.teleported"}', b'{"id":"a-2","source":', b"x"]
    receipt = await reader.submit(items)
    assert [(each.index, each.id) for each in receipt.refused] == [(0, "a-1"), (1, "a-2"), (2, None)]
    assert (receipt.accepted, receipt.duplicates) == (0, None)
    assert log.values == items


async def test_a_record_that_a_connector_refused_lies_in_the_partition_of_its_source() -> None:
    log = Log()
    reader = ReaderService(MemoryBus(8), log, log, Following(log.caught_up, NOBODY_LISTENS, dict), Rules())
    receipt = await reader.submit([refused(str(number), f"edi/{number}") for number in range(3)])
    assert (receipt.accepted, receipt.refused) == (3, [])
    assert log.keys == [(partition_of(name, 8), name) for name in ("edi/0", "edi/1", "edi/2")]
