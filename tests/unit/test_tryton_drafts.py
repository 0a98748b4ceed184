"""Lines that leave drafts of a Tryton which, as on SQLite, lets two writers that read the same moment both write."""

from __future__ import annotations

import asyncio
from copy import deepcopy
from datetime import date
from typing import Any, cast

import pytest

from connectors.orders import Key, OrderLine
from connectors.tryton.orders import PURCHASE, TrytonOrders
from connectors.tryton.wire import TrytonRefused
from connectors.tryton.world import Erp

DRAFT = 4


class Client:
    """Tryton with one draft of `lines`. Whoever writes lines waits until `writers` have read."""

    company = 1

    def __init__(self, lines: list[int], writers: int) -> None:
        self.client = self
        self.drafts: dict[int, dict[str, Any]] = {
            DRAFT: {"id": DRAFT, "state": "draft", "lines": lines, "_timestamp": "1.0"}
        }
        self.deleted: list[str] = []
        self._together = asyncio.Barrier(writers)

    async def read(self, _model: str, ids: list[int], _fields: list[str]) -> list[dict[str, Any]]:
        return [deepcopy(self.drafts[each]) for each in ids if each in self.drafts]

    async def call(self, method: str, ids: list[int], *values: Any, context: dict[str, Any]) -> None:
        assert context["_timestamp"] == {f"{PURCHASE},{DRAFT}": "1.0"}
        if method == f"model.{PURCHASE}.write":
            await self._together.wait()
        if ids[0] not in self.drafts:
            raise TrytonRefused("AccessError", "the record does not exist")
        if method == f"model.{PURCHASE}.delete":
            self.deleted.append(method)
            del self.drafts[ids[0]]
            return
        ((verb, gone),) = values[0]["lines"]
        assert verb == "delete"
        draft = self.drafts[ids[0]]
        draft["lines"] = [each for each in draft["lines"] if each not in gone]

    def line(self, number: int) -> OrderLine:
        key = Key(f"s{number}", 36, date(2026, 3, 20))
        return OrderLine(key, str(DRAFT), str(number), "draft", "ALPHA", "NORTH")

    async def without(self, *numbers: int) -> None:
        """Each line is removed by a connector of its own, all at once."""
        each = (TrytonOrders(cast(Erp, self)).remove_line(self.line(number)) for number in numbers)
        await asyncio.gather(*each)


@pytest.mark.parametrize("lines", [[8], [8, 9], [7, 8, 9]])
async def test_whoever_empties_a_draft_removes_it(lines: list[int]) -> None:
    client = Client(lines, len(lines))
    await client.without(*lines)
    assert client.drafts == {}
    assert len(client.deleted) == 1, "the others find that it is not there any more"


async def test_a_draft_with_another_line_stays() -> None:
    client = Client([7, 8, 9], 2)
    await client.without(8, 9)
    assert client.drafts[DRAFT]["lines"] == [7]
