"""Change polling: the records of a model that were stamped since the last time, with an overlap.

Tryton stamps a record when its transaction begins, and shows it when that one commits. A poll for what is newer than
the newest stamp seen would lose what committed late, so each poll begins `overlap` before it: at least as long as the
ERP's longest transaction. What was read there before, with the same stamp, is left out again.

Pages follow each other by (stamp, id), never by offset, so that rows that change in between are not skipped. A server
before 8.0 has no single stamp: it is polled by the moment of creation, and then by that of the last change.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from connectors.base import Json, JsonObject
from connectors.tryton.client import TrytonClient
from connectors.tryton.wire import moment, stamp

MAX_SEEN: Final = 20_000
"""So many records of the overlap are remembered; of more all are read again, which costs time and changes nothing."""


def stamps(client: TrytonClient) -> tuple[str, ...]:
    """The fields that say when a record was last changed."""
    return ("last_modified_at",) if client.version >= (8, 0) else ("create_date", "write_date")


def changed_at(record: JsonObject) -> datetime:
    """The moment of a record's last change."""
    at: datetime = record.get("last_modified_at") or record.get("write_date") or record["create_date"]
    return at


@dataclass(frozen=True)
class Poll:
    """What is polled: the model, the fields of its records, a domain that all of them meet."""

    model: str
    fields: Sequence[str]
    domain: Sequence[Json] = ()


@dataclass(frozen=True)
class Page:
    """Changed records, the position after them, and the newest stamp seen so far (None: there is no record)."""

    records: list[JsonObject]
    position: JsonObject
    newest: datetime | None


class Changes:
    """Polls one model; `page` records at a time, each poll beginning `overlap` before the newest one."""

    def __init__(self, client: TrytonClient, poll: Poll, page: int, overlap: timedelta) -> None:
        self._client = client
        self._poll = poll
        self._page = page
        self._overlap = overlap

    async def pages(self, position: JsonObject | None) -> AsyncIterator[Page]:
        """The records that have changed since `position`, by page; a page may be empty."""
        kept = dict(position or {})
        for field in stamps(self._client):
            async for records, cursor in self._by(field, kept.get(field)):
                kept = {**kept, field: cursor}
                yield Page(records, kept, _newest(kept))

    async def _by(self, field: str, cursor: JsonObject | None) -> AsyncIterator[tuple[list[JsonObject], JsonObject]]:
        since = None if cursor is None else moment(cursor["since"])
        seen: dict[str, str] = {} if cursor is None else dict(cursor["seen"])
        domain: list[Json] = [[field, "!=", None]] if since is None else [[field, ">=", since - self._overlap]]
        while True:
            rows = await self._read(field, domain)
            if rows:
                last = rows[-1][field]
                since = last if since is None else max(since, last)
            fresh = [row for row in rows if seen.get(str(row["id"])) != stamp(row[field])]
            seen |= {str(row["id"]): stamp(row[field]) for row in fresh}
            if since is not None:
                yield fresh, {"since": stamp(since), "seen": self._recent(seen, since)}
            if len(rows) < self._page:
                return
            last, number = rows[-1][field], rows[-1]["id"]
            domain = ["OR", [[field, ">", last]], [[field, "=", last], ["id", ">", number]]]

    async def _read(self, field: str, domain: list[Json]) -> list[JsonObject]:
        wanted = [*self._poll.fields, *stamps(self._client)]
        order = (((field, "ASC"), ("id", "ASC")), self._page)
        whole = [domain, list(self._poll.domain)] if self._poll.domain else domain
        # A record that is set inactive has changed too.
        return await self._client.search_read(self._poll.model, whole, wanted, order, {"active_test": False})

    def _recent(self, seen: dict[str, str], since: datetime) -> dict[str, str]:
        earliest = stamp(since - self._overlap)
        recent = {number: at for number, at in seen.items() if at >= earliest}
        return recent if len(recent) <= MAX_SEEN else {}


def _newest(position: JsonObject) -> datetime | None:
    found = [moment(cursor["since"]) for cursor in position.values()]
    return max(found, default=None)
