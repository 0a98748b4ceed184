"""The source of one table: pages of new rows, in the order in which they may be read."""

import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from connectors.base import JsonObject
from connectors.database.client import Client
from connectors.database.lag import Held, age_of
from connectors.database.profile import TableProfile
from connectors.database.rows import RowTranslation
from connectors.database.watermark import AT, DOCUMENT, KEY, Pages, Place, place_in, position_of
from connectors.mapping.values import Unreadable
from connectors.ports import Batch, UntranslatedRecord

MAX_KNOWN = 100_000
"""So many rows of an overlap are remembered; those beyond are posted again, and the log recognises them."""

Row = Mapping[str, Any]


class TableSource:
    """Reads one table."""

    def __init__(self, table: TableProfile, client: Client, translate: RowTranslation) -> None:
        self._table = table
        self._client = client
        self._translate = translate
        self._held = Held()
        self._posted: dict[Place, int] = {}
        """The rows of the last round with a digest of what they held: the next one need not post them again."""

    async def pull(self, position: JsonObject | None) -> AsyncIterator[Batch]:
        """The rows that are new since `position`, page by page; raises as `connectors.ports.Source.pull` says."""
        server = await self._client.server()
        latest = place_in(position, server)
        # The log may be another one, which lacks what was posted before.
        known = {} if position is None else self._posted
        self._posted = {}
        pages = Pages(self._table, await self._client.columns(self._table.table))
        statement, is_last = pages.first(latest), False
        while not is_last and (rows := await self._client.rows(*statement)):
            is_last = len(rows) < self._table.page
            last = _place(rows[-1])
            # A round by time begins before its position, which never goes back.
            latest = last if latest is None or not pages.by_time else max(last, latest)
            yield self._batch([row for row in rows if known.get(_place(row)) != _digest(row)], latest, server)
            self._remember(rows, pages)
            statement = pages.after(last)
        yield Batch(lag_seconds=await self._held_up(pages))

    async def _held_up(self, pages: Pages) -> float:
        """For how long rows have waited for the end of a transaction, where all others are read."""
        held = [] if pages.by_time else await self._client.rows(*pages.held())
        return self._held.seconds(held[0][AT] if held else None)

    async def replay(self, record: bytes) -> Sequence[bytes]:
        """The event of a row that could not be translated before; raises `Unreadable` if it still cannot."""
        translated = self._translate(record)
        return [] if isinstance(translated, str) else [translated]

    def _batch(self, rows: Sequence[Row], latest: Place, server: str) -> Batch:
        events: list[bytes] = []
        untranslated: list[UntranslatedRecord] = []
        skipped: Counter[str] = Counter()
        for row in rows:
            document = (row[DOCUMENT] or "").encode()
            try:
                translated = self._translate(document)
            except Unreadable as error:
                untranslated.append(self._translate.untranslated(document, row[KEY], error))
                continue
            if isinstance(translated, str):
                skipped[translated] += 1
            else:
                events.append(translated)
        # The pages that follow are younger than this one.
        lag = age_of(events, time.time())
        return Batch(events, untranslated, position_of(latest, server), skipped, lag)

    def _remember(self, rows: Sequence[Row], pages: Pages) -> None:
        if pages.by_time and len(self._posted) < MAX_KNOWN:
            self._posted |= {_place(row): _digest(row) for row in rows}


def _place(row: Row) -> Place:
    return Place(row[AT], tuple(row[KEY]))


def _digest(row: Row) -> int:
    return hash(row[DOCUMENT])
