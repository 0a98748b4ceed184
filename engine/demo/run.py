"""Runs `stockline demo`: starts an engine, replays the period against it, and compares it with a nightly batch."""

import asyncio
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from connectors.client import EngineClient, EngineUnreachable, Patience
from connectors.retail.invoices import read_invoices
from engine.core.errors import EnvironmentFailure, UsageError
from engine.demo.figures import RunFigures, Summary, buying_figures, run_figures
from engine.demo.options import DemoOptions
from engine.demo.progress import Display, display_for
from engine.demo.summary import print_summary
from engine.demo.world.closed_loop import ClosedLoop
from engine.demo.world.nightly import Outcome, run_nightly
from engine.demo.world.plan import Period, Plan, build_plan
from engine.processes.child import ChildEngine, free_port


def run(options: DemoOptions) -> int:
    """Run the demo and print its summary.

    Returns the exit code: 0, or 1 if the engine's figures do not agree with what was sent. Raises `UsageError` for a
    period without data or a directory that is in use, `EnvironmentFailure` if the engine ends before the run does.
    """
    period, started = Period(*options.period), time.monotonic()
    with _data_directory(options.data) as directory, display_for(sys.stderr) as display:
        display.say("Reading the invoices and deriving policies")
        plan = build_plan(read_invoices(), period, options.seed)
        with ChildEngine(directory, free_port(options.port)) as engine:
            display.say(f"{len(plan.lines):,} invoice lines, {plan.size[1]:,} rows; the page is at {engine.url}/")
            figures, outcome = asyncio.run(_replay(plan, engine, display))
            display.say("The same demand with a nightly batch")
            summary: Summary = {
                **figures,
                "engine": buying_figures(outcome),
                "nightly_batch": buying_figures(run_nightly(plan)),
                "url": f"{engine.url}/",
                "wall_seconds": round(time.monotonic() - started, 1),
            }
            display.close()
            _show(summary, options)
            if not options.exit and sys.stdout.isatty():
                _stay(engine)
    return 0 if summary["agrees"] else 1


async def _replay(plan: Plan, engine: ChildEngine, display: Display) -> tuple[RunFigures, Outcome]:
    async with EngineClient(engine.url, Patience(seconds=10)) as client:
        try:
            report = await ClosedLoop(plan, client).run(display.show)
            return await run_figures(plan, client, report), report.outcome
        except EngineUnreachable as error:
            raise EnvironmentFailure(f"the engine fell silent ({error}): {engine.last_words()}") from error


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


def _show(summary: Summary, options: DemoOptions) -> None:
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
