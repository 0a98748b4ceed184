"""Signals become lines exactly once, whatever is lost, killed, deleted or done twice: many seeds, in memory."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from connectors.base import JsonObject
from connectors.orders import OrderPusher, PushSettings
from connectors.orders.decisions import by_signal
from connectors.profiles import Unreachable
from tests.simulation.order_world import SKUS, Access, Faults, Killed, OrderBook, SignalEngine

LOCATIONS = ("LDS", "MAN")


class Connector:
    """One pusher with its position, as the host keeps it; its process may be killed at any call."""

    def __init__(self, world: World, faults: Faults) -> None:
        self.position: JsonObject | None = None
        self.faults = faults
        self._world = world
        access = Access(world.book, world.draw, faults)
        settings = PushSettings(attempts=2, retry_seconds=60)
        self._pusher = OrderPusher(access, "tests/erp", settings, lambda: world.now)

    async def round(self) -> None:
        try:
            async for batch in self._pusher.pass_on(self._world.engine, self.position):
                self._maybe_killed()
                await self._world.engine.post_events(batch.events)
                self._maybe_killed()
                self.position = batch.position or self.position
        except (Killed, Unreachable):
            pass

    def _maybe_killed(self) -> None:
        if self._world.draw.random() < self.faults.killed:
            raise Killed


class World:
    def __init__(self, seed: int, writers: int, faults: Faults) -> None:
        self.draw = Random(seed)
        self.now = datetime(2026, 3, 2, tzinfo=UTC)
        self.engine = SignalEngine()
        self.book = OrderBook()
        self.deleted: set[str] = set()
        """Signals whose line a person deleted: nobody asks for it back."""
        self.unsaid: set[str] = set()
        """Signals that the engine did not know to be ordered when the state of a connector was deleted."""
        self.connectors = [Connector(self, faults) for _ in range(writers)]

    # people ---------------------------------------------------------------------------------------------------------

    def live(self) -> None:
        """Something happens in the engine or in the other system."""
        happenings = [self.opens, self.opens, self.accepts, self.amends, self.ends, self.orders, self.deletes,
                      self.edits, self.forgets, self.refuses]  # fmt: skip
        self.draw.choice(happenings)()
        self.now += timedelta(seconds=self.draw.choice((1, 90, 4000)))

    def opens(self) -> None:
        sku, location = self.draw.choice(SKUS), self.draw.choice(LOCATIONS)
        if self.engine.standing(sku, location) is None:
            self.engine.open(sku, location, self.draw.randrange(1, 50), self.draw.choice(("auto", "auto", "review")))

    def accepts(self) -> None:
        if ident := self.one("open"):
            self.asked_for_again(ident)
            self.engine.revise(ident, status="accepted", by="ann")

    def amends(self) -> None:
        if ident := self.one("open"):
            self.asked_for_again(ident)
            self.engine.revise(ident, qty=self.engine.published[ident]["qty"] + 7)

    def asked_for_again(self, ident: str) -> None:
        """What the engine knows to be deleted is written again once its signal says something else."""
        if self.engine.published[ident]["draft"] is None:
            self.deleted.discard(ident)

    def ends(self) -> None:
        if ident := self.one("open", "accepted"):
            self.engine.revise(ident, status=self.draw.choice(("withdrawn", "rejected", "expired")))

    def one(self, *statuses: str) -> str | None:
        found = [each["id"] for each in self.engine.published.values() if each["status"] in statuses]
        return self.draw.choice(found) if found else None

    def orders(self) -> None:
        """A buyer orders a draft, but none that another writer has just written twice."""
        drafts = [number for number, document in self.book.documents.items() if document.state == "draft"]
        if drafts:
            number = self.draw.choice(drafts)
            signals = [line.key.signal for line in self.book.lines() if line.document == number]
            if all(len(self.book.of(signal)) == 1 for signal in signals):
                self.book.documents[number].state = "ordered"

    def deletes(self) -> None:
        drafts = [line for line in self.book.lines() if line.state == "draft"]
        if drafts:
            line = self.draw.choice(drafts)
            known = self.engine.published[line.key.signal]["draft"]
            # Before the engine knows of it, a line that is not there and one that was never there look the same.
            if known == {"system": "erp", "document": line.document, "line": line.line}:
                self.book.remove(line)
                self.deleted.add(line.key.signal)

    def edits(self) -> None:
        """A buyer changes a quantity, which is the buyer's to change."""
        for document in self.book.documents.values():
            for line, (text, qty) in document.lines.items():
                document.lines[line] = (text, qty + 1)

    def forgets(self) -> None:
        if self.draw.random() < 0.3:
            self.connectors[0].position = None
            self.unsaid |= {
                line.key.signal
                for line in self.book.lines()
                if line.state == "ordered" and self.engine.published[line.key.signal]["status"] != "ordered"
            }

    def refuses(self) -> None:
        self.book.refuses ^= {self.draw.choice(SKUS)}

    # calm -----------------------------------------------------------------------------------------------------------

    async def calm(self) -> None:
        """The faults end, and what was refused is mended; the longest back-off passes between the rounds."""
        self.book.refuses.clear()
        for connector in self.connectors:
            connector.faults.lost = connector.faults.killed = connector.faults.moved = 0.0
        for _ in range(3):
            for connector in self.connectors:
                self.now += timedelta(hours=2)
                await connector.round()

    def audit(self) -> None:
        lines = by_signal(self.book.lines())
        for ident, signal in self.engine.published.items():
            found = lines.get(ident, [])
            assert len(found) <= 1, f"{ident} has {len(found)} lines"
            status, draft = signal["status"], signal["draft"]
            if found and found[0].state == "ordered":
                if status in ("withdrawn", "expired"):
                    # It was ordered before anything was said of it, and then the memory of its end was deleted.
                    assert ident in self.unsaid, f"{ident} is ordered, and the engine says {status}"
                else:
                    assert status in ("ordered", "rejected")
                assert draft is None
            elif found:
                assert status in ("open", "accepted"), f"{ident} is {status} and has a draft"
                assert draft == {"system": "erp", "document": found[0].document, "line": found[0].line}
                if status == "accepted" or signal["disposition"] == "auto":
                    assert found[0].key.qty == signal["qty"], f"{ident} was amended"
            else:
                assert draft is None, f"{ident} has no line, and the engine believes so"
                wanted = status == "accepted" or (status == "open" and signal["disposition"] == "auto")
                assert not wanted or ident in self.deleted, f"{ident} has no line"


@pytest.mark.parametrize("writers", [1, 2])
@pytest.mark.parametrize("seed", range(50))
async def test_every_signal_becomes_one_line(seed: int, writers: int) -> None:
    world = World(seed, writers, Faults(lost=0.04, killed=0.03, moved=0.1))
    for _ in range(60):
        for _ in range(world.draw.randrange(4)):
            world.live()
        await asyncio.gather(*(connector.round() for connector in world.connectors))
    await world.calm()
    world.audit()
    assert world.engine.count("signal.drafted") > 0


@pytest.mark.parametrize("seed", range(20))
async def test_one_writer_keeps_one_draft_for_a_supplier_and_location(seed: int) -> None:
    world = World(seed, 1, Faults(lost=0.1, killed=0.1))
    for _ in range(40):
        for happens in (world.opens, world.accepts, world.amends):
            happens()
        await world.connectors[0].round()
    await world.calm()
    drafts = Counter((document.supplier, document.location) for document in world.book.documents.values())
    assert set(drafts.values()) == {1}
    assert sum(len(document.lines) for document in world.book.documents.values()) >= 2 * len(drafts)


async def test_a_world_at_rest_is_left_alone() -> None:
    world = World(7, 1, Faults())
    for _ in range(30):
        world.live()
        await world.connectors[0].round()
    await world.calm()
    said, lines = dict(world.engine.said), world.book.lines()
    world.connectors[0].position = None
    await world.connectors[0].round()
    # Only what a person has deleted is asked for again, once all memory of that is lost.
    again = {line.key.signal for line in world.book.lines()} - {line.key.signal for line in lines}
    assert again <= world.deleted
    assert len(world.engine.said) - len(said) == len(again)
