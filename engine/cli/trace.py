"""The command that tells what led to something, and what it led to."""

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any
from urllib.parse import urlencode

import typer

from connectors.client import DEFAULT_URL
from engine.cli import remote, show
from engine.cli.filters import AsJson

WIDTH = 80


def trace(
    signal: Annotated[str | None, typer.Option(help="Begin with this signal.")] = None,
    order: Annotated[str | None, typer.Option(help="Begin with this purchase order.")] = None,
    line: Annotated[str | None, typer.Option(help="Only this line of the order.")] = None,
    shipment: Annotated[str | None, typer.Option(help="Begin with this shipment.")] = None,
    receipt: Annotated[str | None, typer.Option(help="Begin with this receipt.")] = None,
    event: Annotated[str | None, typer.Option(help="Begin with this event, SOURCE/ID.")] = None,
    version: Annotated[str | None, typer.Option(help="Begin with this forecast of the row.")] = None,
    sku: Annotated[str | None, typer.Option(help="The row; alone all that is known of it.")] = None,
    location: Annotated[str | None, typer.Option(help="The row's location.")] = None,
    events: Annotated[int | None, typer.Option(min=1, help="How many of the last events of a row to read.")] = None,
    as_json: AsJson = False,
    url: remote.Url = DEFAULT_URL,
) -> None:
    """Say what led to a signal, order, shipment, receipt or forecast, and what it led to."""
    given = {
        "signal": signal, "order": order, "line": line, "shipment": shipment, "receipt": receipt, "event": event,
        "version": version, "sku": sku, "location": location, "events": events,
    }  # fmt: skip
    pairs = urlencode({name: value for name, value in given.items() if value is not None})
    found: dict[str, Any] = remote.ask(url, lambda client: client.get(f"/v1/trace?{pairs}"))
    if as_json:
        show.document(found)
        return
    for sentence in found["summary"]:
        typer.echo(textwrap.fill(show.cell(sentence), WIDTH, break_on_hyphens=False))
    for text in _nodes(found):
        typer.echo(text)
    for text in _remarks(found["truncated"]):
        show.remark(text)


def _nodes(found: Mapping[str, Any]) -> Iterator[str]:
    """Each thing in a few lines, `*` before those that were asked for, and below it what it led to."""
    names = {node["key"]: f"{node['kind']} {node['id']}" for node in found["nodes"]}
    for node in found["nodes"]:
        mark = "*" if node["key"] in found["start"] else " "
        at = (node["time"] or "")[:16].replace("T", " ")
        status = f"  {node['status']}" if node["status"] else ""
        yield ""
        yield show.cell(f"{mark} {names[node['key']]}{status}")
        yield from _wrapped(f"{at}  {node['sku']} at {node['location']}: {node['sentence']}".strip())
        for edge in found["edges"]:
            if edge["from"] == node["key"]:
                yield from _wrapped(f"{edge['why']}: {names[edge['to']]}", "-> ")


def _wrapped(text: str, mark: str = "") -> Sequence[str]:
    """A text in lines of 80 columns; no line ends within a name that has a hyphen, so that it can be copied."""
    first, others = f"    {mark}", " " * (4 + len(mark))
    return textwrap.wrap(show.cell(text), WIDTH, initial_indent=first, subsequent_indent=others, break_on_hyphens=False)


def _remarks(cut: Mapping[str, Any]) -> Iterator[str]:
    """What the answer leaves out."""
    if cut["forward"] or cut["backward"]:
        yield "there is more than is told: begin with one of the last things"
    if cut["rows"]:
        yield f"{cut['rows']} more rows know it: --sku and --location choose one"
    if cut["events"]:
        yield "older events of the row were not read: --events reads more"
    if cut["trimmed"]:
        yield "older events of the row are deleted"
