"""Prints the demo's summary as tables."""

from collections.abc import Iterable, Mapping
from typing import TextIO

from rich.console import Console
from rich.table import Table

from engine.demo.figures import SignalFigures, Summary
from engine.demo.world.judge import DriftFigures

NAMES = {
    "not_posted": "event not posted",
    "posted_twice": "event posted twice",
    "unit_factor": "case taken for a piece",
    "flipped_sign": "sign flipped",
    "transfer_leg": "a transfer's leg missing",
    "cut_off": "on the wrong side of the cut-off",
}


def print_summary(summary: Summary, out: TextIO) -> None:
    """Print the summary to `out`, 110 columns wide unless it is a terminal."""
    console = Console(file=out, highlight=False, width=None if out.isatty() else 110)
    first, last = summary["period"]
    console.print()
    console.print(f"[bold]{first} to {last}: {summary['rows']:,} rows of {summary['skus']:,} skus[/bold]")
    console.print(
        f"{summary['sent']:,} events in {summary['replay_seconds']} s: {summary['events_per_second']:,} a second "
        f"with the simulation, {summary['events_per_second_engine']:,} while the engine was asked; "
        f"{summary['wall_seconds']} s in all"
    )
    console.print(_events(summary))
    console.print(_accuracy(summary))
    console.print(_signals(summary["signals"]))
    console.print(_alerts(summary["alerts"]))
    console.print(_drift(summary["drift"]))
    console.print(_service(summary))


def _table(title: str, columns: Iterable[str]) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", header_style="dim", box=None, pad_edge=False)
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number else "left", min_width=26 if not number else 0)
    return table


def _events(summary: Summary) -> Table:
    table = _table("\nEvents", ("type", "sent", "applied"))
    sent, applied = summary["events"]["sent"], summary["events"]["applied"]
    for kind, count in sent.items():
        table.add_row(kind, f"{count:,}", f"{applied.get(kind, 0):,}")
    return table


def _accuracy(summary: Summary) -> Table:
    table = _table("\nMishaps on the way", ("", "sent", "found"))
    duplicates, letters = summary["duplicates"], summary["dead_letters"]
    table.add_row("sent twice", f"{duplicates['sent']:,}", f"{duplicates['found']:,}")
    sent, found = letters["sent"], letters["found"]
    for reason in dict.fromkeys([*sent, *found]):
        table.add_row(f"spoiled: {reason}", f"{sent.get(reason, 0):,}", f"{found.get(reason, 0):,}")
    table.add_row("late, up to 3 hours", f"{summary['late']:,}", "")
    return table


def _signals(signals: SignalFigures) -> Table:
    table = _table("\nReplenishment signals", ("", "count"))
    counts: Mapping[str, object] = signals
    for name in ("opened", "auto", "review", "amended", "withdrawn"):
        table.add_row(name, f"{counts[name]:,}")
    for status, count in sorted(signals["status"].items()):
        if status != "withdrawn":
            table.add_row(f"now {status}", f"{count:,}")
    for decision, count in sorted(signals["planner"].items()):
        table.add_row(f"planner: {decision}", f"{count:,}")
    return table


def _alerts(alerts: Mapping[str, Mapping[str, int]]) -> Table:
    table = _table("\nAlerts", ("kind", "open", "resolved"))
    for kind, counts in sorted(alerts.items()):
        table.add_row(kind, f"{counts.get('open', 0):,}", f"{counts.get('resolved', 0):,}")
    return table


def _drift(drift: DriftFigures) -> Table:
    table = _table(
        "\nErrors planted in the ERP's balances", ("cause", "planted", "found", "right cause", "right event")
    )
    lines: list[tuple[str, Mapping[str, object]]] = [
        *((NAMES.get(cause, cause), counts) for cause, counts in drift["by_cause"].items()),
        ("[bold]all[/bold]", drift),
    ]
    for name, counts in lines:
        table.add_row(name, *(f"{counts[column]:,}" for column in ("planted", "found", "right_cause", "right_event")))
    table.add_row(f"false alarms: {drift['false_alarms']} of {drift['alarms']}")
    return table


def _service(summary: Summary) -> Table:
    table = _table("\nThe same demand and suppliers", ("", "by the engine's signals", "by a nightly batch"))
    rows = (
        ("units served at once", "fill_rate", "{:.2%}"),
        ("lines served in full", "lines_in_full", "{:.2%}"),
        ("sales value served at once", "value_fill_rate", "{:.2%}"),
        ("average stock, units", "average_stock_units", "{:,}"),
        ("average stock, GBP", "average_stock_value_gbp", "{:,}"),
        ("orders", "orders", "{:,}"),
    )
    sides: tuple[Mapping[str, object], ...] = (summary["engine"], summary["nightly_batch"])
    for name, field, form in rows:
        table.add_row(name, *(form.format(side[field]) for side in sides))
    return table
