"""The commands that show positions, signals, alerts and dead letters, and why a signal is what it is."""

import json
from collections.abc import Callable, Sequence
from typing import Annotated, Any

import typer

from connectors.client import DEFAULT_URL
from engine.cli import remote, show
from engine.cli.filters import Filters, Location, Sku, Status, with_filters

POSITION = (
    "sku", "location", "available", "held", "reserved", "sellable", "on_order", "in_transit", "position", "updated",
)  # fmt: skip
SIGNAL = ("id", "sku", "location", "qty", "due", "status", "disposition", "supplier", "updated")
ALERT = ("id", "kind", "severity", "status", "sku", "location", "updated")
DEAD_LETTER = ("id", "arrived", "reason", "place", "event_source", "event_id", "read_at", "detail")


@with_filters
def positions(filters: Filters, sku: Sku = None, location: Location = None) -> None:
    """Show stock and inventory positions."""
    _list("/v1/positions", POSITION, filters, filters.query(sku=sku, location=location))


@with_filters
def list_signals(
    filters: Filters, context: typer.Context, sku: Sku = None, location: Location = None, status: Status = None
) -> None:
    """Show replenishment signals, newest first; answer them."""
    if context.invoked_subcommand is None:
        _list("/v1/signals", SIGNAL, filters, filters.query(sku=sku, location=location, status=status))


@with_filters
def list_alerts(
    filters: Filters,
    context: typer.Context,
    sku: Sku = None,
    location: Location = None,
    status: Status = None,
    kind: Annotated[str | None, typer.Option(help="Only of this kind.")] = None,
) -> None:
    """Show alerts, newest first; answer them."""
    if context.invoked_subcommand is None:
        _list("/v1/alerts", ALERT, filters, filters.query(sku=sku, location=location, status=status, kind=kind))


@with_filters
def list_dead_letters(
    filters: Filters,
    context: typer.Context,
    reason: Annotated[str | None, typer.Option(help="Only with this reason.")] = None,
) -> None:
    """Show refused records, newest first; replay them."""
    if context.invoked_subcommand is None:
        _list("/v1/dead-letters", DEAD_LETTER, filters, filters.query(reason=reason), with_read_at)


def with_read_at(letter: dict[str, Any]) -> dict[str, Any]:
    """The letter with where a connector read the record, such as the file and the line, which the record says."""
    try:
        data = json.loads(letter["raw"])["data"]
        return {**letter, "read_at": data["place"]} if "connector" in data else letter
    except (ValueError, TypeError, LookupError):
        return letter


def explain(
    signal: Annotated[str, typer.Argument(help="The signal's id.")],
    as_json: Annotated[bool, typer.Option("--json", help="The signal as JSON.")] = False,
    url: remote.Url = DEFAULT_URL,
) -> None:
    """Say why a signal is what it is: the sentence, the ledger of terms, the events."""
    found = remote.thing(url, "v1", "signals", signal)
    if as_json:
        show.document(found)
        return
    explanation = found["explanation"]
    typer.echo(f"{found['id']}  revision {found['revision']}  {found['status']}  {found['disposition']}")
    typer.echo(explanation.get("sentence", ""))
    for reason in found["reasons"]:
        typer.echo(f"for review: {reason}")
    for note in explanation.get("notes", []):
        typer.echo(f"note: {note}")
    typer.echo()
    show.rows([_term(term) for term in explanation.get("terms", [])], ("term", "value", "unit", "source"), False)
    events: Sequence[str] = explanation.get("events", [])
    typer.echo(f"\n{len(events)} {'event' if len(events) == 1 else 'events'}")
    for event in events:
        typer.echo(f"  {event}")


def _term(term: dict[str, Any]) -> dict[str, Any]:
    return {**term, "value": str(term.get("value"))}


def _list(
    path: str,
    columns: Sequence[str],
    filters: Filters,
    query: remote.Pairs,
    shown: Callable[[dict[str, Any]], dict[str, Any]] = lambda item: item,
) -> None:
    """Print what a call lists; in a table each item is as it is `shown`."""
    items, total = remote.things(filters.url, path, query, filters.limit)
    show.rows(items if filters.as_json else [shown(item) for item in items], columns, filters.as_json)
    if total is not None and total > len(items):
        show.remark(f"{len(items)} of {total}; --limit shows more")
