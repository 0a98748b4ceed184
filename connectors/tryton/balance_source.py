"""The source of balances: what the ERP's done moves amount to, reported to be compared with what the log amounts to.

Tryton's own stock report has a resolution of a day, so it is not asked. All done moves are read again and added up, as
they are in the database now: also where somebody changed or deleted them behind the ERP's back. A move that the source
of moves has not reached yet is left out, so the sum is that of one moment although its pages were read one after the
other; one that it should have reached and never told, because it was committed later than the overlap allows, is
counted.
"""

import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

from connectors.base import JsonObject
from connectors.mapping.values import Unreadable
from connectors.ports import Batch
from connectors.tryton import moves
from connectors.tryton.changes import changed_at, stamps
from connectors.tryton.move_source import FIELDS, MODEL, MoveSource, Told, translate
from connectors.tryton.wire import moment, stamp
from connectors.tryton.world import Erp, World

BATCH: Final = 1000
TICK: Final = timedelta(microseconds=1)

Row = tuple[str, str]


class BalanceSource:
    """Reports every balance once an interval, as of the newest move that the source of moves has told."""

    def __init__(self, erp: Erp, source: MoveSource) -> None:
        self._erp = erp
        self._source = source

    async def pull(self, position: JsonObject | None) -> AsyncIterator[Batch]:
        """All balances, where the last report is an interval old. Nothing is said before moves were told."""
        kept, told = position or {}, self._source.told
        elapsed = time.time() - kept.get("ended", 0)
        if told is None or told.newest is None or 0 <= elapsed < self._erp.profile.balances_seconds:
            return
        at = told.newest
        if "at" in kept:
            # Of two reports of one moment only one counts: the later one is of a later moment.
            at = max(at, moment(kept["at"]) + TICK)
        world = await self._erp.world()
        sums, unreadable = await self._sums(world, told)
        # A row of which every move is gone is 0, and not unknown.
        for sku, location in kept.get("rows", []):
            sums[sku, location].add(False, 0)
        lines = [_report(world, row, total, at) for row, total in sorted(sums.items())]
        position = {"at": stamp(at), "ended": time.time(), "rows": [list(row) for row in sorted(sums)]}
        skipped = {"cannot be translated": unreadable} if unreadable else {}
        for start in range(0, len(lines), BATCH):
            done = start + BATCH >= len(lines)
            yield Batch(lines[start : start + BATCH], (), position if done else None, skipped if done else {})

    async def replay(self, record: bytes) -> Sequence[bytes]:
        """No report is ever kept back, so there is none to be told again: raises `Unreadable`."""
        raise Unreadable(f"a balance is not kept ({len(record)} bytes): the next report tells it")

    async def _sums(self, world: World, told: Told) -> tuple[dict[Row, "_Total"], int]:
        sums: dict[Row, _Total] = defaultdict(_Total)
        unreadable = 0
        async for record in self._moves(told):
            try:
                move = translate(world, record, {}, {})
            except Unreadable:
                unreadable += 1
                continue
            for change in moves.changes(move):
                sums[move.sku, change.location].add(change.is_held, change.qty)
        return sums, unreadable

    async def _moves(self, told: Told) -> AsyncIterator[JsonObject]:
        """The moves of which the balances are made, as the ERP has them now."""
        client, page = self._erp.client, self._erp.profile.page
        assert told.newest is not None
        reached, last = told.newest - self._erp.profile.overlap, 0
        while True:
            domain = [["id", ">", last], ["state", "in", ["done", "cancelled"]], ["company", "=", client.company]]
            rows = await client.search_read(MODEL, domain, [*FIELDS, *stamps(client)], ((("id", "ASC"),), page))
            for row in _counted(rows, told, reached):
                yield row
            if len(rows) < page:
                return
            last = rows[-1]["id"]


class _Total:
    """On hand and held of a row."""

    def __init__(self) -> None:
        self.on_hand = 0
        self.held = 0

    def add(self, is_held: bool, qty: int) -> None:
        """Take a change of the row."""
        self.on_hand += qty
        if is_held:
            self.held += qty


def _counted(rows: Sequence[JsonObject], told: Told, reached: datetime) -> Iterator[JsonObject]:
    """The moves that were done when the source of moves had told what it has told."""
    for row in rows:
        is_told, is_reversed = row["id"] in told.done, row["id"] in told.reversed
        is_late = changed_at(row) < reached
        if row["state"] == "done":
            counts = not is_reversed if is_told else is_late
        else:
            counts = is_told and not is_reversed and not is_late
        if counts:
            yield row


def _report(world: World, row: Row, total: _Total, at: datetime) -> bytes:
    (sku, location), moment_ = row, stamp(at)
    data = {"sku": sku, "location": location, "on_hand": total.on_hand, "held": total.held}
    name = f"balance-{sku}-{location}-{moment_}-{total.on_hand}-{total.held}"
    return world.naming.event(name[:256], "balance.reported", at, data)
