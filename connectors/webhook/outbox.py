"""The outbox: what each subscriber is still to be told, the newest state of each row, in a small SQLite database.

It may be lost: then every state is told again, which the ids make harmless. A transaction keeps the two tables true to
each other, so a crash loses nothing of one that the other has. Its size is bounded by the rows of the engine, because
a newer state takes the place of the older one that waits.
"""

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from connectors.changes import TABLES, Change, Table, table_of
from connectors.webhook.profile import Subscriber

FILE: Final = "outbox.db"
_SCHEMA: Final = """
    CREATE TABLE IF NOT EXISTS taken (
        subscriber TEXT, kind TEXT, key TEXT, version INTEGER, PRIMARY KEY (subscriber, kind, key)) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS waiting (
        subscriber TEXT, kind TEXT, key TEXT, version INTEGER, data TEXT, attempts INTEGER, due REAL,
        PRIMARY KEY (subscriber, kind, key)) WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS waiting_due ON waiting (subscriber, due);
    CREATE TABLE IF NOT EXISTS log (id TEXT);
"""


@dataclass(frozen=True)
class Notification:
    """A state that a subscriber is to be told, and how often that was tried."""

    change: Change
    attempts: int


class Outbox:
    """What waits for each subscriber of a profile, and the latest version that was taken for it: a `ChangeReader`."""

    def __init__(self, folder: Path, subscribers: Sequence[Subscriber]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._subscribers = subscribers
        self._database = sqlite3.connect(folder / FILE, isolation_level=None)
        try:
            # What is not on disk after a crash of the machine is found again, so a commit need not wait for the disk.
            self._database.executescript(f"PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; {_SCHEMA}")
        except sqlite3.Error:
            self._database.close()
            raise

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    async def begin(self, log_id: str | None) -> None:
        """Forget what was taken from another log: its versions begin again. What waits is told anew from the lists."""
        found = self._database.execute("SELECT id FROM log").fetchone()
        if found == (log_id,):
            return
        with self._transaction():
            for table in ("taken", "waiting", "log"):
                self._database.execute(f"DELETE FROM {table}")
            self._database.execute("INSERT INTO log VALUES (?)", (log_id,))

    async def take(self, changes: Sequence[Change]) -> None:
        """Note what each subscriber is to be told, unless it has taken this version or a later one."""
        with self._transaction():
            for change in changes:
                for subscriber in self._subscribers:
                    if _concerns(subscriber, change):
                        self._note(subscriber.name, change)

    def _note(self, subscriber: str, change: Change) -> None:
        name = (subscriber, change.table, change.key)
        taken = self._database.execute(
            "INSERT INTO taken VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET version = excluded.version"
            " WHERE excluded.version > taken.version",
            (*name, change.version),
        )
        if taken.rowcount:
            # The time of the next attempt stays: a row that changes often is not tried more often.
            self._database.execute(
                "INSERT INTO waiting VALUES (?, ?, ?, ?, ?, 0, 0) ON CONFLICT DO UPDATE SET"
                " version = excluded.version, data = excluded.data, attempts = 0",
                (*name, change.version, json.dumps(change.data)),
            )

    def due(self, subscriber: str, now: float, limit: int) -> list[Notification]:
        """What can be told now, what has waited longest first; one for each row."""
        found = self._database.execute(
            "SELECT kind, key, version, data, attempts FROM waiting WHERE subscriber = ? AND due <= ?"
            " ORDER BY due LIMIT ?",
            (subscriber, now, limit),
        )
        return [
            Notification(Change(kind, key, version, json.loads(data)), attempts)
            for kind, key, version, data, attempts in found
        ]

    def next_due(self, subscriber: str) -> float | None:
        """When the next notification can be told, None where nothing waits."""
        found = self._database.execute("SELECT min(due) FROM waiting WHERE subscriber = ?", (subscriber,)).fetchone()
        return None if found[0] is None else float(found[0])

    def waiting(self, subscriber: str) -> int:
        """How many rows wait for a subscriber."""
        found = self._database.execute("SELECT count(*) FROM waiting WHERE subscriber = ?", (subscriber,)).fetchone()
        return int(found[0])

    def told(self, subscriber: str, change: Change) -> None:
        """A state was told, or became a dead letter; a newer state of its row that came meanwhile still waits."""
        self._database.execute(
            "DELETE FROM waiting WHERE subscriber = ? AND kind = ? AND key = ? AND version = ?",
            (subscriber, change.table, change.key, change.version),
        )

    def failed(self, subscriber: str, change: Change, due: float) -> None:
        """An attempt failed; a newer state of the row that came meanwhile waits as long."""
        self._database.execute(
            "UPDATE waiting SET due = ?, attempts = attempts + (version = ?)"
            " WHERE subscriber = ? AND kind = ? AND key = ?",
            (due, change.version, subscriber, change.table, change.key),
        )

    def _transaction(self) -> sqlite3.Connection:
        self._database.execute("BEGIN IMMEDIATE")
        return self._database


def _concerns(subscriber: Subscriber, change: Change) -> bool:
    return change.type in subscriber.types and (not subscriber.locations or change.location in subscriber.locations)


def tables_of(subscribers: Sequence[Subscriber]) -> list[Table]:
    """The tables whose changes some subscriber is told."""
    wanted = {table_of(each) for subscriber in subscribers for each in subscriber.types}
    return [table for table in TABLES if table in wanted]
