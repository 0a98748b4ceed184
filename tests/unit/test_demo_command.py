"""The demo command around its run: options, data directory, figures, summary."""

import io
import json
from collections import Counter
from datetime import date
from itertools import takewhile
from pathlib import Path

import pytest

from connectors.client import EngineClient
from connectors.retail.invoices import read_invoices
from engine.core.errors import UsageError
from engine.demo import run as demo_run
from engine.demo.figures import BuyingFigures, RunFigures, Summary, buying_figures, run_figures
from engine.demo.options import DemoOptions
from engine.demo.progress import display_for
from engine.demo.summary import print_summary
from engine.demo.world.calendar import at_local
from engine.demo.world.closed_loop import ClosedLoop, Status
from engine.demo.world.nightly import run_nightly
from engine.demo.world.plan import Period, build_plan
from engine.processes.child import free_port
from tests.unit.fake_engine import fake_engine

PERIOD = Period(date(2011, 1, 10), date(2011, 1, 12))


async def summary_of_a_short_run() -> tuple[Summary, RunFigures]:
    end = at_local(date(2011, 1, 13).toordinal())
    lines = (line for line in takewhile(lambda line: line.at < end, read_invoices()) if sum(line.sku.encode()) % 9 == 0)
    plan = build_plan(lines, PERIOD, "test")
    async with fake_engine() as engine, EngineClient(engine.url) as client:
        report = await ClosedLoop(plan, client).run(lambda _status: None)
        figures = await run_figures(plan, client, report)
        engine.duplicates += 1
        other = await run_figures(plan, client, report)
    ways: tuple[BuyingFigures, BuyingFigures] = buying_figures(report.outcome), buying_figures(run_nightly(plan))
    place = "http://127.0.0.1:1/"
    return {**figures, "engine": ways[0], "nightly_batch": ways[1], "url": place, "wall_seconds": 1.0}, other


async def test_the_summary_holds_what_was_sent_against_what_was_found() -> None:
    summary, other = await summary_of_a_short_run()
    assert summary["agrees"]
    assert not other["agrees"]
    assert summary["events"]["sent"] == summary["events"]["applied"]
    assert summary["signals"]["opened"] == summary["signals"]["auto"] + summary["signals"]["review"] > 0
    assert summary["signals"]["amended"] == 3
    assert json.loads(json.dumps(summary)) == summary
    acknowledged = summary["world"]["acknowledged"]
    assert isinstance(acknowledged, dict)
    assert acknowledged["accepted"] > 10
    out = io.StringIO()
    print_summary(summary, out)
    text = out.getvalue()
    for word in ("stock.issued", "planted", "false alarms", "units served at once"):
        assert word in text
    assert str(summary["url"]) not in text, "the page has ended, unless it stays and says so"


@pytest.mark.parametrize(
    ("options", "last"),
    [
        (DemoOptions(), date(2011, 5, 31)),
        (DemoOptions(months=7), date(2011, 9, 30)),
        (DemoOptions(first=date(2011, 1, 31), months=1), date(2011, 2, 27)),
        (DemoOptions(first=date(2011, 3, 5), last=date(2011, 3, 6)), date(2011, 3, 6)),
    ],
)
def test_the_period_runs_to_the_end_of_its_last_month(options: DemoOptions, last: date) -> None:
    assert options.period[1] == last


@pytest.mark.parametrize(
    "options",
    [
        DemoOptions(months=8),
        DemoOptions(first=date(2010, 12, 5)),
        DemoOptions(first=date(2011, 3, 5), last=date(2011, 3, 4)),
    ],
)
def test_days_without_data_are_wrong_usage(options: DemoOptions) -> None:
    with pytest.raises(UsageError, match="2011-09-30"):
        demo_run.run(options)


def test_a_directory_that_is_in_use_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    with pytest.raises(UsageError, match="not empty"):
        demo_run.run(DemoOptions(data=tmp_path))
    assert (tmp_path / "mine").read_text() == "mine"


def test_a_port_that_is_taken_gives_way_to_another() -> None:
    port = free_port(0)
    assert free_port(port) == port


def test_plain_progress_ends_with_the_last_state() -> None:
    out = io.StringIO()
    with display_for(out) as display:
        display.say("Begins")
        display.show(Status(at_local(date(2011, 3, 1).toordinal()), 0.5, 10, 1.0, 0, 0, 0))
        display.show(Status(at_local(date(2011, 3, 2).toordinal()), 1.0, 1000, 2.0, 4, 5, 6))
    lines = out.getvalue().splitlines()
    assert lines[0] == "Begins"
    assert lines[-1] == "Wed 02 Mar 2011  100%  1,000 events, 500/s, 5 orders, 4 signals open, 6 ERP errors planted"
    assert Counter(lines).total() == 2
