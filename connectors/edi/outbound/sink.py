"""The sink: a round reads what has changed, gives each due document a number, and lays down what has one.

    1. follow    rows that have changed are merged into the journal
    2. signals   where no other system orders, signals become orders of the log, which the next round reads
    3. decide    each due document, its number and the state that it tells become one transaction of the journal
    4. deliver   documents are laid into the folder, each whole, in the order of their numbers
    5. answer    files that came in are read: receipts for them, and what they say of our documents

A crash between any two steps repeats the later ones. Only a crash between laying a file down and noting it lays the
same bytes down again, under the same name and number.
"""

import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from hashlib import sha256

from connectors.base import JsonObject
from connectors.client import EngineClient
from connectors.edi.outbound.documents import ForecastItem
from connectors.edi.outbound.due import Terms, document_due
from connectors.edi.outbound.incoming import received
from connectors.edi.outbound.journal import Journal
from connectors.edi.outbound.kept import SentDocument, utc_now
from connectors.edi.outbound.naming import Documents, record_of
from connectors.edi.outbound.ordering import ordered_signals
from connectors.edi.outbound.profile import Profile
from connectors.edi.outbound.rows import Rows, path_of
from connectors.edi.reader import EdiReader
from connectors.folder.places import Entry, Place, disk_failure
from connectors.mapping.documents import parsed_object
from connectors.mapping.values import Unreadable
from connectors.ports import Batch, Finding, Tools, UntranslatedRecord

SHOWN = 5


@dataclass(frozen=True)
class Folders:
    """Where documents are laid down, and where what came in lies; None where nothing is answered."""

    out: Place
    received: Place | None


class Outgoing:
    """What goes out to one partner: a sink, and a source of nothing by which dead letters are replayed."""

    def __init__(self, profile: Profile, tools: Tools, journal: Journal, folders: Folders) -> None:
        self._profile, self._tools, self._journal, self._folders = profile, tools, journal, folders
        self._documents = Documents(profile, tools.identifiers)
        self._terms = Terms(profile.suppliers, profile.since)
        self._rows = Rows(journal, self._terms, profile.forecasts)
        self.reader: EdiReader | None = None
        """Reads what came in; set before the first round where it is answered."""

    async def pass_on(self, engine: EngineClient, position: JsonObject | None) -> AsyncIterator[Batch]:
        """A round; see the module. Raises `Unreachable`, `EngineUnreachable` and `UsageError`."""
        self._journal.must_know(int((position or {}).get("number", 0)))
        await self._rows.follow(engine)
        if self._profile.orders_from == "signals":
            yield Batch(await ordered_signals(engine, self._profile.suppliers, self._profile.event_source))
            await self._rows.follow(engine)
        yield Batch(untranslated=[*self._decide_orders(), *await self._decide_forecasts(engine)])
        await self.deliver()
        yield Batch(position={"number": self._journal.last_number})
        # Last, because a folder of what came in that is not there may not hold up what goes out.
        await self._answer()
        await self.deliver()
        yield Batch(position={"number": self._journal.last_number})

    async def deliver(self) -> None:
        """Lay down what has a number and was not laid down yet, in the order of the numbers."""
        for document in self._journal.undelivered():
            draft = self._tools.folder / "document"
            try:
                draft.write_bytes(document.text)
            except OSError as error:
                raise disk_failure(draft, error) from error
            await self._folders.out.put(draft, self._profile.out, self.name_of(document))
            self._journal.delivered(document.number, utc_now())

    def name_of(self, document: SentDocument) -> str:
        """The name of its file: it follows from the number, so laying it down again replaces it."""
        return f"{self._profile.name}-{document.number:09}-{document.kind}{self._profile.suffix}"

    def _decide_orders(self) -> list[UntranslatedRecord]:
        """Number what is due of orders that are quiet; what cannot be written waits, and is a dead letter."""
        refused: list[UntranslatedRecord] = []
        for order in self._journal.orders_waiting(time.time() - self._profile.gather_seconds):
            try:
                self._decide(order)
            except Unreadable as error:
                record = record_of(order)
                refused.append(UntranslatedRecord.of(error, _identity("order", order, error), record, f"order {order}"))
        return refused

    def _decide(self, order: str) -> None:
        document, now = document_due(self._journal.lines_of(order), self._terms), utc_now()
        with self._journal.transaction():
            if document is not None:
                self._journal.add(self._documents.order(document, now), now)
                self._journal.lines_sent(document.changes)
            self._journal.looked_at(order)

    async def _decide_forecasts(self, engine: EngineClient) -> list[UntranslatedRecord]:
        """Number one schedule of all forecasts that are others than were sent."""
        due = self._journal.rows_with_forecast_due()
        items: list[ForecastItem] = []
        named, refused = [], []
        for row in due:
            forecast = (await engine.get(path_of(row.sku, row.location)))["forecast"]
            try:
                items.append(self._documents.forecast_item(row.sku, row.location, forecast or {"buckets": []}))
                named.append(row)
            except Unreadable as error:
                name = f"{row.sku} at {row.location}"
                record = record_of(name)
                refused.append(UntranslatedRecord.of(error, _identity("forecast", name, error), record, name))
        if items:
            now = utc_now()
            with self._journal.transaction():
                self._journal.add(self._documents.forecast(items, now), now)
                for row in named:
                    self._journal.keep_row(replace(row, sent=row.forecast))
        return refused

    async def _answer(self) -> None:
        """Read the files that came in since: receipts for their groups, and what they say of our documents."""
        place, reader = self._folders.received, self.reader
        if place is None or reader is None:
            return
        for entry in sorted(await place.files()):
            stamp = f"{entry.size} {entry.changed}"
            if not entry.name.endswith(".receipt.json") and not self._journal.has_received(entry.name, stamp):
                await self._read(place, entry, reader, stamp)

    async def _read(self, place: Place, entry: Entry, reader: EdiReader, stamp: str) -> None:
        copy = self._tools.folder / "received"
        if await place.fetch(entry.name, copy) is None:
            return
        found = received(copy.read_bytes(), reader, self._profile.standard, self._profile.theirs.id)
        now = utc_now()
        with self._journal.transaction():
            for answer in found.answers:
                if answer.group.isdecimal():
                    self._journal.answered(int(answer.group), answer.state)
            for group, is_test in found.groups:
                self._journal.add(self._documents.receipt(group, is_test, now), now)
            self._journal.received(entry.name, stamp)

    def pull(self, _position: JsonObject | None, /) -> AsyncIterator[Batch]:
        """Nothing is read from a partner here: his files are read by a folder connector."""
        return _nothing()

    async def replay(self, record: bytes) -> Sequence[bytes]:
        """Nothing is to be posted: an order that could not be written is looked at again in every round.

        Raises `Unreadable` while it still cannot be written.
        """
        order = str(parsed_object(record).get("name"))
        document = document_due(self._journal.lines_of(order), self._terms)
        if document is not None:
            self._documents.order(document, utc_now()).write(1)
        return ()

    def findings(self) -> list[Finding]:
        """What waits, and what has no receipt although it is overdue, or was rejected."""
        if not self._journal.has_begun:
            return [Finding("the journal", True, "there is none yet: it begins with the first round")]
        waiting, last = self._journal.undelivered(), self._journal.last_number
        found = [Finding("the journal", True, f"the last control number is {last}, {len(waiting)} files wait")]
        before = utc_now() - timedelta(hours=self._profile.overdue_hours)
        late = self._journal.unanswered(before)
        shown = ", ".join(f"{each.number} ({each.kind} {each.name}{_told(each)})" for each in late[:SHOWN])
        detail = f"{len(late)} without one for {self._profile.overdue_hours:g} h, or rejected" if late else "none lacks"
        return [*found, Finding("receipts of the partner", not late, f"{detail}: {shown}" if late else detail)]


def _told(document: SentDocument) -> str:
    return f", {document.answer}" if document.answer else ""


def _identity(kind: str, name: str, error: Unreadable) -> str:
    """The id of a dead letter: the same document with another fault is another one."""
    return sha256(f"{kind} {name} {error}".encode()).hexdigest()[:32]


async def _nothing() -> AsyncIterator[Batch]:
    nothing: Sequence[Batch] = ()
    for batch in nothing:
        yield batch
