"""The commands that look: positions, signals, alerts, dead letters, and why a signal is what it is."""

from collections.abc import Sequence
from typing import Annotated, Any
from urllib.parse import quote

import typer

from connectors.client import DEFAULT_URL
from engine.cli import remote, show
from engine.core.errors import UsageError

Sku = Annotated[str | None, typer.Option(help="Only this SKU.")]
Location = Annotated[str | None, typer.Option(help="Only this location.")]
Status = Annotated[str | None, typer.Option(help="Only with this status.")]
Search = Annotated[str | None, typer.Option("--search", "-q", help="Only where a name holds this text.")]
Where = Annotated[
    list[str] | None, typer.Option(metavar="FIELD=VALUE", help="Any other filter; FIELD.min and FIELD.max are bounds.")
]
Sort = Annotated[str | None, typer.Option(help="The field to order by; -FIELD for descending.")]
Limit = Annotated[int, typer.Option(min=1, help="How many at most.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object a line, with every field.")]

POSITION = (
    "sku", "location", "available", "held", "reserved", "sellable", "on_order", "in_transit", "position", "updated",
)  # fmt: skip
SIGNAL = ("id", "sku", "location", "qty", "due", "status", "disposition", "supplier", "updated")
ALERT = ("id", "kind", "severity", "status", "sku", "location", "updated")
DEAD_LETTER = ("id", "arrived", "reason", "place", "event_source", "event_id", "detail")


def positions(
    sku: Sku = None,
    location: Location = None,
    search: Search = None,
    where: Where = None,
    sort: Sort = None,
    limit: Limit = 100,
    as_json: AsJson = False,
    url: remote.Url = DEFAULT_URL,
) -> None:
    """Show stock and inventory positions."""
    filters = _filters(where, sku=sku, location=location, q=search, sort=sort)
    _list(url, "/v1/positions", filters, limit, POSITION, as_json)


def signals(
    sku: Sku = None,
    location: Location = None,
    status: Status = None,
    search: Search = None,
    where: Where = None,
    sort: Sort = None,
    limit: Limit = 100,
    as_json: AsJson = False,
    url: remote.Url = DEFAULT_URL,
) -> None:
    """Show replenishment signals, newest first."""
    filters = _filters(where, sku=sku, location=location, status=status, q=search, sort=sort)
    _list(url, "/v1/signals", filters, limit, SIGNAL, as_json)


def alerts(
    sku: Sku = None,
    location: Location = None,
    status: Status = None,
    kind: Annotated[str | None, typer.Option(help="Only of this kind.")] = None,
    search: Search = None,
    where: Where = None,
    sort: Sort = None,
    limit: Limit = 100,
    as_json: AsJson = False,
    url: remote.Url = DEFAULT_URL,
) -> None:
    """Show alerts, newest first."""
    filters = _filters(where, sku=sku, location=location, status=status, kind=kind, q=search, sort=sort)
    _list(url, "/v1/alerts", filters, limit, ALERT, as_json)


dead_letters = typer.Typer(invoke_without_command=True, help="Show refused records, newest first; replay one.")


@dead_letters.callback()
def list_dead_letters(
    context: typer.Context,
    reason: Annotated[str | None, typer.Option(help="Only with this reason.")] = None,
    search: Search = None,
    where: Where = None,
    sort: Sort = None,
    limit: Limit = 100,
    as_json: AsJson = False,
    url: remote.Url = DEFAULT_URL,
) -> None:
    """Show refused records, newest first; replay one."""
    if context.invoked_subcommand is None:
        filters = _filters(where, reason=reason, q=search, sort=sort)
        _list(url, "/v1/dead-letters", filters, limit, DEAD_LETTER, as_json)


@dead_letters.command()
def replay(
    letter: Annotated[str, typer.Argument(metavar="ID", help="The dead letter.")],
    as_json: AsJson = False,
    url: remote.Url = DEFAULT_URL,
) -> None:
    """Take a refused record again, now that the cause is gone; exit 1 when it is refused again."""
    path = f"/v1/dead-letters/{quote(letter, safe='')}"
    # Asked for first: a replay is a call that a client repeats, and an id that is not there deserves a plain answer.
    remote.thing(url, "v1", "dead-letters", letter)
    receipt = remote.ask(url, lambda client: client.replay_dead_letter(letter))
    if as_json:
        show.rows([receipt], (), as_json=True)
    for refusal in receipt["refused"]:
        show.remark(f"{path} was refused again: {refusal['reason']}: {refusal['detail']}")
    if receipt["refused"]:
        raise typer.Exit(1)
    if not as_json:
        typer.echo(f"{letter} was taken")


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


def _filters(where: Sequence[str] | None, **named: str | None) -> list[tuple[str, str]]:
    pairs = [(name, value) for name, value in named.items() if value is not None]
    for condition in where or ():
        field, equals, value = condition.partition("=")
        if not (field and equals):
            raise UsageError(f"--where takes FIELD=VALUE, not {condition}")
        pairs.append((field, value))
    return pairs


def _list(url: str, path: str, filters: remote.Pairs, limit: int, columns: Sequence[str], as_json: bool) -> None:
    items, total = remote.things(url, path, filters, limit)
    show.rows(items, columns, as_json)
    if total is not None and total > len(items):
        show.remark(f"{len(items)} of {total}; --limit shows more")
