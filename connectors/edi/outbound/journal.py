"""What was sent to a partner, under which control number, and what he answered: a SQLite database.

A document, its number and the state that it tells are one transaction, so numbers have no gap and never get another
content, and a crash repeats no document. Every commit waits for the disk. Unlike a position it cannot be found again:
it belongs into the backup.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from functools import cached_property
from pathlib import Path
from typing import Final

from connectors.edi.outbound.due import LineChange
from connectors.edi.outbound.kept import Draft, Row, SentDocument
from connectors.edi.outbound.lines import Line, LineKey, LineState, Ordered
from connectors.edi.outbound.writing import GREATEST_CONTROL
from connectors.profiles import Unreachable
from engine.core.errors import UsageError

_SCHEMA: Final = """
    CREATE TABLE IF NOT EXISTS documents (
        number INTEGER PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL, made TEXT NOT NULL, text BLOB NOT NULL,
        delivered TEXT, answer TEXT);
    CREATE TABLE IF NOT EXISTS lines (
        "order" TEXT, line TEXT, sku TEXT, location TEXT, state TEXT NOT NULL, altered REAL NOT NULL, sent TEXT,
        was_sent INTEGER NOT NULL DEFAULT 0, PRIMARY KEY ("order", line, sku, location)) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS waiting (name TEXT PRIMARY KEY) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS rows (
        sku TEXT, location TEXT, version INTEGER NOT NULL, newest TEXT NOT NULL, supplier TEXT, forecast TEXT,
        sent TEXT, PRIMARY KEY (sku, location)) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS received (name TEXT PRIMARY KEY, stamp TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS log (id TEXT);
"""
_PENDING: Final = "delivered IS NULL"


class Journal:
    """The journal in a file. One process has it open at a time: the host's lock on the connector sees to it."""

    def __init__(self, path: Path, first_number: int = 1) -> None:
        self._path = path
        self._first = first_number

    @cached_property
    def _database(self) -> sqlite3.Connection:
        """The database, opened or begun when it is first needed. Raises `UsageError`."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            database = sqlite3.connect(self._path, isolation_level=None)
            database.executescript(f"PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; {_SCHEMA}")
        except (OSError, sqlite3.Error) as error:
            raise UsageError(f"cannot use the journal {self._path}: {error}; restore it from a backup") from None
        return database

    @property
    def has_begun(self) -> bool:
        """Whether there is a file."""
        return self._path.exists()

    def close(self) -> None:
        """Close the file."""
        if "_database" in self.__dict__:
            self._database.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of what is written in it, or nothing. Raises `Unreachable` where the disk fails."""
        try:
            self._database.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            raise Unreachable(f"the journal {self._path} cannot be written: {error}") from None
        try:
            yield
            self._database.execute("COMMIT")
        except sqlite3.Error as error:
            self._roll_back()
            raise Unreachable(f"the journal {self._path} cannot be written: {error}") from None
        except BaseException:
            self._roll_back()
            raise

    def _roll_back(self) -> None:
        if self._database.in_transaction:
            self._database.execute("ROLLBACK")

    # documents --------------------------------------------------------------------------------------------------------

    @property
    def last_number(self) -> int:
        """The last control number that was given; `first_number` - 1 before the first."""
        found = self._database.execute("SELECT max(number) FROM documents").fetchone()[0]
        return self._first - 1 if found is None else int(found)

    def must_know(self, number: int) -> None:
        """Raises `UsageError` where numbers are missing that were given before: the journal is an old copy, or new."""
        if number > self.last_number:
            raise UsageError(
                f"the journal {self._path} knows control numbers up to {self.last_number}, but {number} was given "
                f"before: restore the journal, or begin a new one with first_number = {number + 1} or higher"
            )

    def add(self, draft: Draft, now: datetime) -> SentDocument:
        """Give a document the next number; within a transaction. Raises `Unreadable` from `draft.write`."""
        number = self.last_number + 1
        if number > GREATEST_CONTROL:
            raise UsageError(f"the control numbers are used up: {GREATEST_CONTROL} was the last one")
        made = SentDocument(number, draft.kind, draft.name, now, draft.write(number))
        self._database.execute(
            "INSERT INTO documents (number, kind, name, made, text) VALUES (?, ?, ?, ?, ?)",
            (number, made.kind, made.name, now.isoformat(), made.text),
        )
        return made

    def undelivered(self) -> list[SentDocument]:
        """What has a number and has not been laid down yet, by number."""
        return self._documents(_PENDING)

    def delivered(self, number: int, now: datetime) -> None:
        """A document was laid down for the partner."""
        with self.transaction():
            self._database.execute("UPDATE documents SET delivered = ? WHERE number = ?", (now.isoformat(), number))

    def answered(self, number: int, answer: str) -> bool:
        """Keep what the partner's receipt says of a number, within a transaction; False for one that is not known."""
        return self._database.execute("UPDATE documents SET answer = ? WHERE number = ?", (answer, number)).rowcount > 0

    def unanswered(self, before: datetime) -> list[SentDocument]:
        """Documents that were made before a time and have no receipt, or that were rejected; receipts get none."""
        return self._documents(
            "kind <> 'receipt' AND (answer = 'rejected' OR (answer IS NULL AND made < ?))", before.isoformat()
        )

    def documents(self) -> list[SentDocument]:
        """All documents, by number."""
        return self._documents("1")

    def _documents(self, condition: str, *values: str) -> list[SentDocument]:
        found = self._database.execute(
            f"SELECT number, kind, name, made, text, answer FROM documents WHERE {condition} ORDER BY number",
            values,
        )
        return [
            SentDocument(number, kind, name, datetime.fromisoformat(made), text, answer)
            for number, kind, name, made, text, answer in found
        ]

    # order lines ------------------------------------------------------------------------------------------------------

    def line(self, key: LineKey) -> Line:
        """What is known of a line."""
        found = self._lines('"order" = ? AND line = ? AND sku = ? AND location = ?', *key)
        return found[0] if found else Line(key, LineState())

    def lines_of(self, order: str) -> list[Line]:
        """The lines of an order."""
        return self._lines('"order" = ?', order)

    def keep_line(self, key: LineKey, state: LineState, now: float) -> None:
        """Keep what is known of a line; its order is looked at again."""
        self._database.execute(
            'INSERT INTO lines ("order", line, sku, location, state, altered) VALUES (?, ?, ?, ?, ?, ?)'
            " ON CONFLICT DO UPDATE SET state = excluded.state, altered = excluded.altered",
            (*key, json.dumps(state.as_json()), now),
        )
        self._database.execute("INSERT OR IGNORE INTO waiting VALUES (?)", (key.order,))

    def orders_waiting(self, quiet_since: float) -> list[str]:
        """The orders that are to be looked at, and of which nothing has altered since a time."""
        return [
            name
            for (name,) in self._database.execute(
                'SELECT name FROM waiting WHERE (SELECT max(altered) FROM lines WHERE "order" = name) <= ?'
                " ORDER BY name",
                (quiet_since,),
            )
        ]

    def looked_at(self, order: str) -> None:
        """An order needs nothing until one of its lines alters."""
        self._database.execute("DELETE FROM waiting WHERE name = ?", (order,))

    def lines_sent(self, changes: Iterable[LineChange]) -> None:
        """Keep what the partner now has of some lines; within the transaction of the document that told it."""
        for change in changes:
            sent = None if change.action == "delete" else json.dumps([*change.ordered[:2], str(change.ordered.due)])
            self._database.execute(
                'UPDATE lines SET sent = ?, was_sent = 1 WHERE "order" = ? AND line = ? AND sku = ? AND location = ?',
                (sent, *change.key),
            )

    def _lines(self, condition: str, *values: str) -> list[Line]:
        found = self._database.execute(
            f'SELECT "order", line, sku, location, state, sent, was_sent FROM lines WHERE {condition}',
            values,
        )
        return [
            Line(LineKey(*key), LineState.of(json.loads(state)), _ordered(sent), bool(was_sent))
            for *key, state, sent, was_sent in found
        ]

    # rows -------------------------------------------------------------------------------------------------------------

    def begin(self, view: str) -> None:
        """A round begins with this view of the engine: its log, and what the profile sends of it.

        With another view than before rows are read from their beginning, and all orders are looked at again. What was
        sent stays sent.
        """
        if self._database.execute("SELECT id FROM log").fetchone() == (view,):
            return
        with self.transaction():
            self._database.execute("UPDATE rows SET version = 0, newest = ''")
            self._database.execute('INSERT OR IGNORE INTO waiting SELECT DISTINCT "order" FROM lines')
            self._database.execute("DELETE FROM log")
            self._database.execute("INSERT INTO log VALUES (?)", (view,))

    def versions(self) -> dict[tuple[str, str], int]:
        """How far each row was read."""
        found = self._database.execute("SELECT sku, location, version FROM rows")
        return {(sku, location): version for sku, location, version in found}

    def row(self, sku: str, location: str) -> Row:
        """What is known of a row."""
        found = self._rows("sku = ? AND location = ?", sku, location)
        return found[0] if found else Row(sku, location)

    def rows_with_forecast_due(self) -> list[Row]:
        """Rows whose forecast in force is another one than was sent."""
        return self._rows("forecast IS NOT NULL AND forecast IS NOT sent")

    def keep_row(self, row: Row) -> None:
        """Keep what is known of a row, within a transaction."""
        self._database.execute(
            "INSERT OR REPLACE INTO rows VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                row.sku, row.location, row.version, row.newest, row.supplier and json.dumps(row.supplier), row.forecast,
                row.sent,
            ),
        )  # fmt: skip

    def _rows(self, condition: str, *values: str) -> list[Row]:
        found = self._database.execute(f"SELECT * FROM rows WHERE {condition} ORDER BY sku, location", values)
        return [
            Row(sku, location, version, newest, None if supplier is None else tuple(json.loads(supplier)), *rest)
            for sku, location, version, newest, supplier, *rest in found
        ]

    # what came in -----------------------------------------------------------------------------------------------------

    def has_received(self, name: str, stamp: str) -> bool:
        """Whether a file was read before as it is now."""
        found = self._database.execute("SELECT stamp FROM received WHERE name = ?", (name,)).fetchone()
        return found is not None and str(found[0]) == stamp

    def received(self, name: str, stamp: str) -> None:
        """A file was read; within the transaction of the receipts for it."""
        self._database.execute("INSERT OR REPLACE INTO received VALUES (?, ?)", (name, stamp))


def _ordered(kept: str | None) -> Ordered | None:
    if kept is None:
        return None
    qty, uom, due = json.loads(kept)
    return Ordered(qty, uom, date.fromisoformat(due))
