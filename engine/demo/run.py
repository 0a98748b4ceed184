"""The run behind `stockline demo`: engine, replay, comparison, figures."""

import asyncio
import json
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

from connectors.client import EngineClient, EngineUnreachable, Patience
from connectors.retail.invoices import read_invoices
from engine.core.errors import EnvironmentFailure, UsageError
from engine.core.outcomes import Reason
from engine.demo.options import DemoOptions
from engine.demo.progress import Display, display_for
from engine.demo.summary import print_summary
from engine.demo.world.closed_loop import ClosedLoop, LoopReport
from engine.demo.world.nightly import Outcome, run_nightly
from engine.demo.world.plan import Period, Plan, build_plan
from engine.demo.world.stock import Counters
from engine.processes.child import ChildEngine, free_port

CROSSED: tuple[Reason, ...] = ("unknown_signal", "signal_closed")
"""Rejections of answers that met a signal which had been withdrawn meanwhile: nobody's fault."""

ANSWERS = ("signal.accepted", "signal.rejected", "signal.ordered")


def run(options: DemoOptions) -> int:
    """Run the demo and print its summary; 0, or 1 when the engine's figures do not agree with what was sent."""
    period, started = Period(*options.period), time.monotonic()
    with _data_directory(options.data) as directory, display_for(sys.stderr) as display:
        display.say("Reading the invoices and deriving policies")
        plan = build_plan(read_invoices(), period, options.seed)
        with ChildEngine(directory, free_port(options.port)) as engine:
            display.say(f"{len(plan.lines):,} invoice lines, {plan.size[1]:,} rows; the page is at {engine.url}/")
            summary = asyncio.run(_replay(plan, engine, display))
            display.say("The same demand with a nightly batch")
            summary.update(comparison(summary.pop("outcome"), run_nightly(plan)))
            summary.update(url=f"{engine.url}/", wall_seconds=round(time.monotonic() - started, 1))
            display.close()
            _show(summary, options)
            if not options.exit and sys.stdout.isatty():
                _stay(engine)
    return 0 if summary["agrees"] else 1


async def _replay(plan: Plan, engine: ChildEngine, display: Display) -> dict[str, Any]:
    async with EngineClient(engine.url, Patience(seconds=10)) as client:
        try:
            report = await ClosedLoop(plan, client).run(display.show)
            return await summarise(plan, client, report)
        except EngineUnreachable as error:
            raise EnvironmentFailure(f"the engine fell silent ({error}): {engine.last_words()}") from error


async def summarise(plan: Plan, client: EngineClient, report: LoopReport) -> dict[str, Any]:
    """The figures of a run: what was sent beside what the engine found."""
    kpis = await client.kpis()
    signals = [signal async for signal in client.signals()]
    events = kpis["events"]
    skus, rows = plan.size
    return {
        "period": [date.fromordinal(plan.first).isoformat(), date.fromordinal(plan.last).isoformat()],
        "seed": plan.seed,
        "skus": skus,
        "rows": rows,
        "sent": report.sent,
        "events": {"sent": report.by_type, "applied": events},
        "late": report.late,
        "duplicates": {"sent": report.duplicates, "found": kpis["duplicates"]},
        "dead_letters": {"sent": report.spoiled, "found": kpis["dead_letters"]},
        "agrees": _agrees(events, kpis, report),
        "signals": _signal_figures(signals, kpis, report),
        "alerts": kpis["alerts"],
        "drift": report.verdict.as_dict(),
        "world": {**_plain(report.counters), "balance_reports": report.reports, **report.extra},
        "events_per_second": round(report.sent / report.seconds),
        "events_per_second_engine": round(report.sent / report.engine_seconds),
        "replay_seconds": round(report.seconds, 1),
        "chunks": report.chunks,
        "outcome": report.outcome,
    }


def _plain(counters: Counters) -> dict[str, Any]:
    return {name: dict(value) if isinstance(value, Counter) else value for name, value in vars(counters).items()}


def _agrees(events: dict[str, int], kpis: dict[str, Any], report: LoopReport) -> bool:
    """Whether every event sent was applied, recognised as a repeat, or refused for the reason that it was given."""
    letters = kpis["dead_letters"]
    crossed = sum(letters.get(reason, 0) for reason in CROSSED)
    spoiled = {reason: count for reason, count in letters.items() if reason not in CROSSED}
    missing = {kind: count - events.get(kind, 0) for kind, count in report.by_type.items()}
    answers = sum(missing.pop(kind, 0) for kind in ANSWERS)
    # An answer that was refused is refused again when it is sent again; else a repeat is a duplicate.
    refused_again = crossed - answers
    repeats = kpis["duplicates"] + refused_again
    all_applied = not any(missing.values()) and answers >= 0 and refused_again >= 0
    return all_applied and repeats == report.duplicates and spoiled == report.spoiled


def _signal_figures(signals: list[dict[str, Any]], kpis: dict[str, Any], report: LoopReport) -> dict[str, Any]:
    statuses: dict[str, int] = {}
    for signal in signals:
        statuses[signal["status"]] = statuses.get(signal["status"], 0) + 1
    return {
        "opened": len(signals),
        "auto": sum(signal["disposition"] == "auto" for signal in signals),
        "review": sum(signal["disposition"] == "review" for signal in signals),
        "amended": sum(kpis["signals"]["amended"].values()),
        "withdrawn": statuses.get("withdrawn", 0),
        "status": statuses,
        "planner": dict(report.counters.reviewed),
    }


def comparison(engine: Outcome, nightly: Outcome) -> dict[str, Any]:
    """The two ways of buying, side by side."""
    return {"engine": _figures(engine), "nightly_batch": _figures(nightly)}


def _figures(outcome: Outcome) -> dict[str, Any]:
    return {
        "fill_rate": round(outcome.service.fill_rate, 5),
        "lines_in_full": round(outcome.service.line_fill_rate, 5),
        "value_fill_rate": round(outcome.service.value_served / max(outcome.service.value_demanded, 0.01), 5),
        "units_demanded": outcome.service.demanded,
        "units_served": outcome.service.served,
        "average_stock_units": round(outcome.stock.units),
        "average_stock_value_gbp": round(outcome.stock.value),
        "orders": outcome.orders,
    }


@contextmanager
def _data_directory(wanted: Path | None) -> Iterator[Path]:
    if wanted is not None:
        if wanted.exists() and (not wanted.is_dir() or any(wanted.iterdir())):
            raise UsageError(f"{wanted} is not empty; the demo starts from nothing")
        wanted.mkdir(parents=True, exist_ok=True)
        yield wanted.resolve()
        return
    parent = Path(tempfile.mkdtemp(prefix="stockline-demo-"))
    try:
        yield parent / "data"
    finally:
        shutil.rmtree(parent, ignore_errors=True)


def _show(summary: dict[str, Any], options: DemoOptions) -> None:
    if options.as_json:
        print(json.dumps(summary, indent=2), flush=True)
    else:
        print_summary(summary, sys.stdout)


def _stay(engine: ChildEngine) -> None:
    print(f"\nThe page stays at {engine.url}/ until you press Ctrl+C.", flush=True)
    try:
        while engine.running:
            time.sleep(0.5)
    except KeyboardInterrupt:
        print()
