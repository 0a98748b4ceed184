"""The closed loop: it sends the events of a stretch of simulated time, reads the engine's signals, and answers them.

The answers are events of the next stretch.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from connectors.client import EngineClient
from engine.demo.world.agenda import Agenda
from engine.demo.world.buyers import SignalBuyer
from engine.demo.world.calendar import HOUR, at_local, is_working_day
from engine.demo.world.erp import Erp, PlantedError
from engine.demo.world.judge import Judge, Verdict
from engine.demo.world.master import publish_master_data, publish_policies
from engine.demo.world.nightly import Outcome, outcome_of
from engine.demo.world.outlet import Outlet
from engine.demo.world.plan import Plan
from engine.demo.world.planning import Forecaster
from engine.demo.world.shop import Shop
from engine.demo.world.stock import Counters

BATCH_EVENTS = 4000
SPOILED_A_DAY = 1


@dataclass
class Status:
    """The progress of a run: the simulated moment in microseconds UTC, the share of the period, and counts so far.

    `seconds` is wall time since the start; `findings` counts the planted errors.
    """

    now: int
    share: float
    sent: int
    seconds: float
    open_signals: int
    orders: int
    findings: int

    @property
    def rate(self) -> float:
        """Events sent a second of wall time."""
        return self.sent / self.seconds if self.seconds else 0.0


@dataclass
class LoopReport:
    """A finished run: the counts of what was sent, which the engine's figures should show, and its outcome.

    `seconds` is the wall time of the replay, `engine_seconds` the part of it that waited for the engine.
    """

    sent: int
    by_type: dict[str, int]
    duplicates: int
    late: int
    spoiled: dict[str, int]
    refused_at_once: dict[str, int]
    seconds: float
    engine_seconds: float
    chunks: int
    outcome: Outcome
    verdict: Verdict
    counters: Counters
    reports: int
    extra: dict[str, int] = field(default_factory=dict)


OnStatus = Callable[[Status], None]


class ClosedLoop:
    """Replays a plan against an engine that runs with `--clock log`, in stretches of `chunk_hours`."""

    def __init__(self, plan: Plan, client: EngineClient, chunk_hours: int = 3) -> None:
        self._plan = plan
        self._client = client
        self._chunk = chunk_hours * HOUR
        self._agenda = Agenda(at_local(plan.first, 5))
        self._outlet = Outlet(self._agenda, plan.seed)
        self._shop = Shop(plan, self._agenda, self._outlet.emit)
        self._forecaster = Forecaster(plan, self._agenda, self._outlet.emit, self._shop.counters)
        self._erp = Erp(self._shop)
        self._buyer = SignalBuyer(self._shop)
        self._judge = Judge()
        self._sent = self._chunks = self._drifts = 0
        self._refused: dict[str, int] = {}
        self._engine_seconds = 0.0
        self._open_signals = 0

    @property
    def planted(self) -> list[PlantedError]:
        """The errors that were planted in the ERP's balances so far."""
        return self._erp.planted

    async def run(self, on_status: OnStatus) -> LoopReport:
        """Run the whole period; `on_status` is called after every stretch."""
        started = time.monotonic()
        self._open()
        until = self._agenda.now + 1
        while self._agenda.now < self._shop.end:
            self._agenda.advance(until)
            await self._exchange()
            on_status(self._status(time.monotonic() - started))
            # Nights and weekends without an action are skipped.
            until = min(max(self._agenda.now, self._agenda.next or self._shop.end) + self._chunk, self._shop.end)
        return self._report(time.monotonic() - started)

    def _open(self) -> None:
        publish_master_data(self._plan, self._outlet.emit, self._shop.start)
        self._shop.open()
        self._forecaster.open(self._shop.start)
        publish_policies(self._plan.rows, self._outlet.emit, self._shop.start)
        self._erp.open()
        keys = sorted(self._plan.rows)
        for day in range(self._plan.first, self._plan.last + 1):
            sku, location = keys[day * 7919 % len(keys)]
            if is_working_day(day):
                for _ in range(SPOILED_A_DAY):
                    at = at_local(day, 11, 11)
                    self._agenda.put(at, self._outlet.spoil, at, sku, location)
            elif day % 7 == 0:
                at = at_local(day, 12)
                self._agenda.put(at, self._outlet.contradict, at, sku, location)

    async def _exchange(self) -> None:
        started = time.monotonic()
        lines, reports = self._outlet.take(), self._erp.reports
        for first in range(0, len(lines), BATCH_EVENTS):
            receipt = await self._client.post_events(lines[first : first + BATCH_EVENTS])
            for rejected in receipt.refused:
                reason = rejected.reason.partition(":")[0]
                self._refused[reason] = self._refused.get(reason, 0) + 1
        self._sent += len(lines)
        self._chunks += 1
        while (await self._client.sync(30))["lag"]:
            pass
        signals = [signal async for signal in self._client.signals(status="open")]
        self._open_signals = len(signals)
        if reports != self._drifts:
            self._drifts = reports
            self._judge.observe([alert async for alert in self._client.alerts(kind="balance_drift", status="open")])
        self._engine_seconds += time.monotonic() - started
        self._buyer.see(signals)

    def _status(self, seconds: float) -> Status:
        share = (self._agenda.now - self._shop.start) / (self._shop.end - self._shop.start)
        orders = self._shop.counters.orders
        return Status(self._agenda.now, share, self._sent, seconds, self._open_signals, orders, len(self.planted))

    def _report(self, seconds: float) -> LoopReport:
        outlet = self._outlet
        # What is still on the agenda at the end was never sent.
        return LoopReport(
            sent=self._sent,
            by_type=dict(outlet.by_type.most_common()),
            duplicates=outlet.duplicates,
            late=outlet.late,
            spoiled=dict(outlet.spoiled),
            refused_at_once=self._refused,
            seconds=seconds,
            engine_seconds=self._engine_seconds,
            chunks=self._chunks,
            outcome=outcome_of(self._shop),
            verdict=self._judge.verdict(error for error in self.planted if error.moments),
            counters=self._shop.counters,
            reports=self._erp.reports,
            extra={"outage_nights": int(bool(self._erp.outage_day))},
        )
