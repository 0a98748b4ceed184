"""The figures of a run: what was sent, beside what the engine found, and the two ways of buying side by side."""

from collections import Counter
from datetime import date
from typing import Literal, TypedDict

from connectors.base import JsonObject
from connectors.client import EngineClient
from engine.core.outcomes import Reason
from engine.demo.world.closed_loop import LoopReport
from engine.demo.world.judge import DriftFigures
from engine.demo.world.nightly import Outcome
from engine.demo.world.plan import Plan
from engine.demo.world.stock import Counters

CROSSED: tuple[Reason, ...] = ("unknown_signal", "signal_closed")
"""The rejections of answers to a signal that was withdrawn before they arrived; they are no error."""

ANSWERS = ("signal.accepted", "signal.rejected", "signal.ordered")


class EventFigures(TypedDict):
    """Events by type."""

    sent: dict[str, int]
    applied: dict[str, int]


class DuplicateFigures(TypedDict):
    """Repeated events."""

    sent: int
    found: int


class DeadLetterFigures(TypedDict):
    """Events that are wrong on purpose, and dead letters, by reason."""

    sent: dict[str, int]
    found: dict[str, int]


class SignalFigures(TypedDict):
    """Signals by disposition and status, and the planner's decisions."""

    opened: int
    auto: int
    review: int
    amended: int
    withdrawn: int
    status: dict[str, int]
    planner: dict[str, int]


class RunFigures(TypedDict):
    """The figures of a run against the engine; `period` is its first and last day in ISO 8601."""

    period: list[str]
    seed: str
    skus: int
    rows: int
    sent: int
    events: EventFigures
    late: int
    duplicates: DuplicateFigures
    dead_letters: DeadLetterFigures
    agrees: bool
    signals: SignalFigures
    alerts: dict[str, dict[str, int]]
    drift: DriftFigures
    world: dict[str, object]
    events_per_second: int
    events_per_second_engine: int
    replay_seconds: float
    chunks: int


class BuyingFigures(TypedDict):
    """The service, the stock and the orders of one way of buying; rates are shares between 0 and 1."""

    fill_rate: float
    lines_in_full: float
    value_fill_rate: float
    units_demanded: int
    units_served: int
    average_stock_units: int
    average_stock_value_gbp: int
    orders: int


class Summary(RunFigures):
    """The demo's summary, as `--json` prints it."""

    engine: BuyingFigures
    nightly_batch: BuyingFigures
    url: str
    wall_seconds: float


async def run_figures(plan: Plan, client: EngineClient, report: LoopReport) -> RunFigures:
    """The figures of a finished run; asks the engine for what it found."""
    kpis = await client.kpis()
    signals = [signal async for signal in client.signals()]
    skus, rows = plan.size
    return {
        "period": [date.fromordinal(plan.first).isoformat(), date.fromordinal(plan.last).isoformat()],
        "seed": plan.seed,
        "skus": skus,
        "rows": rows,
        "sent": report.sent,
        "events": {"sent": report.by_type, "applied": kpis["events"]},
        "late": report.late,
        "duplicates": {"sent": report.duplicates, "found": kpis["duplicates"]},
        "dead_letters": {"sent": report.spoiled, "found": kpis["dead_letters"]},
        "agrees": _agrees(kpis, report),
        "signals": _signal_figures(signals, kpis, report),
        "alerts": kpis["alerts"],
        "drift": report.verdict.figures(),
        "world": {**_plain(report.counters), "balance_reports": report.reports, **report.extra},
        "events_per_second": round(report.sent / report.seconds),
        "events_per_second_engine": round(report.sent / report.engine_seconds),
        "replay_seconds": round(report.seconds, 1),
        "chunks": report.chunks,
    }


def buying_figures(outcome: Outcome) -> BuyingFigures:
    """The figures of one way of buying."""
    service, stock = outcome.service, outcome.stock
    return {
        "fill_rate": round(service.fill_rate, 5),
        "lines_in_full": round(service.line_fill_rate, 5),
        "value_fill_rate": round(service.value_served / max(service.value_demanded, 0.01), 5),
        "units_demanded": service.demanded,
        "units_served": service.served,
        "average_stock_units": round(stock.units),
        "average_stock_value_gbp": round(stock.value),
        "orders": outcome.orders,
    }


def _plain(counters: Counters) -> dict[str, object]:
    return {name: dict(value) if isinstance(value, Counter) else value for name, value in vars(counters).items()}


def _agrees(kpis: JsonObject, report: LoopReport) -> bool:
    """Whether every event that was sent was applied, recognised as a duplicate, or rejected for the planted reason."""
    letters = kpis["dead_letters"]
    crossed = sum(letters.get(reason, 0) for reason in CROSSED)
    spoiled = {reason: count for reason, count in letters.items() if reason not in CROSSED}
    missing = {kind: count - kpis["events"].get(kind, 0) for kind, count in report.by_type.items()}
    answers = sum(missing.pop(kind, 0) for kind in ANSWERS)
    # An answer that was rejected is rejected again when it is repeated; any other repeat is a duplicate.
    rejected_again = crossed - answers
    repeats: int = kpis["duplicates"] + rejected_again
    all_applied = not any(missing.values()) and answers >= 0 and rejected_again >= 0
    return all_applied and repeats == report.duplicates and spoiled == report.spoiled


def _signal_figures(signals: list[JsonObject], kpis: JsonObject, report: LoopReport) -> SignalFigures:
    statuses: dict[str, int] = {}
    for signal in signals:
        statuses[signal["status"]] = statuses.get(signal["status"], 0) + 1
    return {
        "opened": len(signals),
        "auto": _of_disposition(signals, "auto"),
        "review": _of_disposition(signals, "review"),
        "amended": sum(kpis["signals"]["amended"].values()),
        "withdrawn": statuses.get("withdrawn", 0),
        "status": statuses,
        "planner": dict(report.counters.reviewed),
    }


def _of_disposition(signals: list[JsonObject], disposition: Literal["auto", "review"]) -> int:
    return sum(signal["disposition"] == disposition for signal in signals)
