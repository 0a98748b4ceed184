"""A service in memory for tests of HTTP and commands: events are decoded for real, their effects are a few lines."""

import asyncio
import base64
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from engine.bus.memory.bus import is_of
from engine.bus.single import Commit, Output, Record
from engine.columns.columns import Columns
from engine.core import events
from engine.core.decisions import Decision, Index, decided_thing, decision, index_names, told_by
from engine.core.outcomes import Rejection
from engine.core.outputs import Alert, DeadLetter, Position, Signal, envelope
from engine.core.payloads import ClockAcceptedData, PolicySetData
from engine.core.rules import Rules
from engine.core.topics import OUTPUT_TOPICS, Topic
from engine.core.values import instant, moment, row_key, stable_id
from engine.runtime.balances import PastBalances, balances_as_of
from engine.runtime.submission import Progress, RejectedEvent, Submission
from engine.runtime.supplied import SupplierReader
from engine.runtime.waiting import Batch
from tables.stores.memory import MemoryFamily

NOW = 1_772_442_845_000_000


class FakeReadModel:
    def __init__(self) -> None:
        self.tables: dict[Topic, dict[str, bytes]] = {topic: {} for topic in OUTPUT_TOPICS}
        self.log: dict[str, list[Record]] = {}
        self.past: list[bytes] = []
        self.decided: list[Decision] = []

    def revisions(self, topic: Topic, name: str, until: int) -> Iterator[bytes]:
        return (value for value in reversed(self.past) if is_of(value, name, until))

    def decisions(self, index: Index, name: str, before: str | None = None) -> Iterator[Decision]:
        for each in reversed(self.decided):
            if (index, name) in index_names(each) and (before is None or each.place < before):
                yield each

    def latest(self, topic: Topic, name: str) -> bytes | None:
        return self.tables[topic].get(name)

    def things(self, topic: Topic, after: str = "") -> Iterator[tuple[str, bytes]]:
        for name in sorted(self.tables[topic]):
            if name > after:
                yield name, self.tables[topic][name]

    def count(self, topic: Topic) -> int:
        return len(self.tables[topic])

    def history(self, topic: Topic, partition: int, since: int = 0) -> Iterator[bytes]:
        yield from ()

    def sequence(self, topic: Topic, partition: int) -> int:
        return 0

    def first(self, topic: Topic, partition: int) -> int:
        return 0

    def row_events(self, key: str, before: int | None, limit: int) -> list[Record]:
        records = [record for record in self.log.get(key, []) if before is None or record.offset < before]
        return records[::-1][:limit]


class FakeBus:
    partitions = 8
    log_id = "log-of-the-fake"

    def __init__(self) -> None:
        self.published = FakeReadModel()
        self.state = MemoryFamily()

    def marker(self, partition: int) -> bytes | None:
        return None


class FakeSubscription:
    def __init__(self, topics: frozenset[Topic]) -> None:
        self.topics = topics
        self.queue: asyncio.Queue[Batch | BaseException] = asyncio.Queue()
        self.closed = False

    async def batches(self) -> AsyncGenerator[Batch, None]:
        while True:
            item = await self.queue.get()
            if isinstance(item, BaseException):
                raise item
            yield item

    def close(self) -> None:
        self.closed = True


class FakeService:
    def __init__(self) -> None:
        self.bus = FakeBus()
        self.submitted: list[list[bytes]] = []
        self.subscriptions: list[FakeSubscription] = []
        self.error: Exception | None = None
        self.broken: BaseException | None = None
        self.waits_for: str | None = None
        self.applied = 0
        self.time = NOW
        self.published = 0
        self.columns = Columns(self.bus, lambda _marker: 0, lambda _at: 0.0)
        self.columns.load()

    def start(self) -> None: ...

    def stop(self) -> None: ...

    async def decide(self, item: bytes) -> Submission:
        return await self.submit([item])

    async def submit(self, items: Sequence[bytes]) -> Submission:
        if self.error is not None:
            raise self.error
        self.submitted.append(list(items))
        submission = Submission(0, [])
        for index, item in enumerate(items):
            outcome = events.decode(item)
            rejected = outcome if isinstance(outcome, Rejection) else self._take(outcome)
            if rejected is None:
                submission.accepted += 1
                continue
            name = None if isinstance(outcome, Rejection) else outcome.id
            submission.refused.append(RejectedEvent(index, name, rejected.reason, rejected.detail))
            self.bury(item, rejected)
        self.applied += submission.accepted
        return submission

    def _take(self, event: events.Event) -> Rejection | None:
        told = told_by(event)
        if told is None:
            return self._apply(event)
        name = decided_thing(event)
        tables = self.bus.published.tables
        things = tables["signals" if name in tables["signals"] else "alerts"]
        before = things[name]
        rejected = self._apply(event)
        if rejected is None:
            self.bus.published.decided.append(decision(told, before, things[name]))
        return rejected

    def _apply(self, event: events.Event) -> Rejection | None:
        if isinstance(event, events.GoodsReceived):
            self.receive(event.data.sku, event.data.location, event.data.qty, instant(event.time))
            self.bus.published.log.setdefault(row_key(event.data.sku, event.data.location), []).append(
                Record(0, self.applied, event.data.sku, events.encode(event), NOW)
            )
        if isinstance(event, events.SignalAccepted | events.SignalRejected):
            return self._answer_signal(event)
        if isinstance(event, events.AlertAcknowledged | events.AlertResolved):
            status = "acknowledged" if isinstance(event, events.AlertAcknowledged) else "resolved"
            alert = self.thing("alerts", event.data.alert, Alert)
            alert.status, alert.by, alert.updated = status, event.data.by, event.time
            self.publish("alerts", "alert.updated", alert.id, alert)
        return None

    def _answer_signal(self, event: events.SignalAccepted | events.SignalRejected) -> Rejection | None:
        signal = self.thing("signals", event.data.signal, Signal)
        if signal.status != "open":
            return Rejection("signal_closed", f"the signal is {signal.status}")
        signal.status = "accepted" if isinstance(event, events.SignalAccepted) else "rejected"
        signal.by, signal.note, signal.updated = event.data.by, event.data.reason, event.time
        signal.qty = event.data.qty or signal.qty
        self.publish("signals", "signal.amended", signal.id, signal)
        return None

    def bury(self, item: bytes, rejected: Rejection, source: str | None = None) -> None:
        letters = self.bus.published.tables["dead-letters"]
        name = stable_id("dead", str(len(letters)))
        try:
            raw, encoded = item.decode(), None
        except UnicodeDecodeError:
            raw, encoded = None, base64.b64encode(item).decode()
        letter = DeadLetter(
            id=name, reason=rejected.reason, detail=rejected.detail, place="stockline.events/0/0",
            arrived=moment(NOW + len(letters)), raw=raw, raw_base64=encoded,
            event_source=source,
        )  # fmt: skip
        self.publish("dead-letters", "event.refused", name, letter)

    def thing(self, topic: Topic, name: str, kind: type[Any]) -> Any:
        return msgspec.convert(msgspec.json.decode(self.bus.published.tables[topic][name])["data"], kind)

    def publish(self, topic: Topic, kind: str, name: str, data: Signal | Alert | Position | DeadLetter) -> None:
        self.published += 1
        value = envelope(kind, f"{name}/{self.published}", self.time, data)
        self.bus.published.tables[topic][name] = value
        self.bus.published.past.append(value)
        output = Output(topic, name, name, value, kind)
        self.columns.feed.committed([Commit(0, (), (), [output], (), b"", 0)])
        for subscription in self.subscriptions:
            if topic in subscription.topics:
                subscription.queue.put_nowait(Batch([output], None))

    def receive(self, sku: str, location: str, qty: int, at: int = NOW) -> None:
        key = row_key(sku, location)
        known = key in self.bus.published.tables["positions"]
        row = self.thing("positions", key, Position) if known else None
        available = qty + (row.available if row else 0)
        position = Position(
            sku=sku, location=location, available=available, held=0, on_hand=available, reserved=0, sellable=available,
            on_order=0, in_transit=0, position=available, version=1 + (row.version if row else 0), updated=moment(at),
        )  # fmt: skip
        self.publish("positions", "position.changed", key, position)

    def open_signal(self, name: str, sku: str = "A", location: str = "L", **given: Any) -> None:
        fields = {
            "status": "open", "revision": 1, "disposition": "review", "reasons": ["no limits"], "qty": 120,
            "due": moment(NOW).date(), "supplier": None, "opened": moment(NOW), "updated": moment(NOW),
            "explanation": {
                "sentence": "Order 120 of A: position 40 is at or below 50.",
                "terms": [
                    {"term": "position", "value": 40, "unit": "each", "source": "row"},
                    {"term": "min", "value": 50},
                ],
                "events": ["wms/leeds/7"],
            },
            **given,
        }  # fmt: skip
        self.publish("signals", "signal.opened", name, Signal(id=name, sku=sku, location=location, **fields))

    def open_alert(self, name: str, sku: str = "A", location: str = "L", **given: Any) -> None:
        fields = {
            "kind": "negative_stock", "severity": "warning", "status": "open", "opened": moment(NOW),
            "updated": moment(NOW), "evidence": {"available": -3}, **given,
        }  # fmt: skip
        self.publish("alerts", "alert.opened", name, Alert(id=name, sku=sku, location=location, **fields))

    async def subscribe(
        self, topics: frozenset[Topic], since: str | None = None, conflate: bool = False
    ) -> FakeSubscription:
        self.subscriptions.append(FakeSubscription(topics))
        return self.subscriptions[-1]

    def progress(self) -> Progress:
        return Progress(self.applied, self.applied)

    def offsets(self) -> list[Progress]:
        return [self.progress()]

    def unread(self) -> Mapping[str, Sequence[int]]:
        return {}

    async def wait(self, seconds: float) -> Progress:
        await asyncio.sleep(0)
        return self.progress()

    def now(self) -> int:
        return self.time

    def row_detail(self, sku: str, location: str, days: int) -> dict[str, Any] | None:
        value = self.bus.published.latest("positions", row_key(sku, location))
        if value is None:
            return None
        return {**msgspec.json.decode(value)["data"], "projection": [{"day": 0}] * days, "alerts": []}

    def balances_as_of(self, sku: str, location: str, at: int) -> PastBalances | None:
        return balances_as_of(self.bus, Rules(), (sku, location), at)

    def policy_effect(self, policy: PolicySetData) -> dict[str, object] | None:
        if self.row_detail(policy.sku, policy.location, 0) is None:
            return None
        return {"before": None, "after": {"s": 1}, "position": 0}

    def try_out(self, items: Sequence[bytes]) -> Submission:
        submission = Submission(0, [])
        for index, item in enumerate(items):
            outcome = events.decode(item)
            if isinstance(outcome, Rejection):
                submission.refused.append(RejectedEvent(index, None, outcome.reason, outcome.detail))
            else:
                submission.accepted += 1
        return submission

    def supplied(self) -> SupplierReader:
        return SupplierReader(self.bus, Rules(), self.time)

    def kpis(self, days: int | None = None) -> dict[str, Any]:
        return {"rows": len(self.bus.published.tables["positions"]), "events": {"applied": self.applied}, "days": days}

    def trouble(self) -> str | None:
        return self.waits_for

    async def accept_clock(self, by: str) -> ClockAcceptedData | None:
        if self.waits_for is None:
            return None
        self.waits_for = None
        return ClockAcceptedData(at=moment(NOW), jumped_seconds=7200, by=by)

    def failure(self) -> BaseException | None:
        return self.broken
