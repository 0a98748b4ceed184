"""`stockline signals accept ID ...` and its like: the answers of a person to signals and alerts."""

import getpass
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any

import typer

from connectors.client import DEFAULT_URL, EngineClient, EngineRefused
from engine.cli import look, remote, show
from engine.cli.filters import AsJson
from engine.core.errors import UsageError
from engine.core.topics import Topic

signals = typer.Typer(invoke_without_command=True, help="Show replenishment signals, newest first; answer them.")
alerts = typer.Typer(invoke_without_command=True, help="Show alerts, newest first; answer them.")
signals.callback()(look.list_signals)
alerts.callback()(look.list_alerts)

Ids = Annotated[list[str], typer.Argument(metavar="ID", help="What is answered, one after the other.")]
By = Annotated[str | None, typer.Option(help="Who answers.", show_default="your login name")]
Reason = Annotated[str | None, typer.Option(help="Why.")]
Note = Annotated[str | None, typer.Option(help="What to remember of it.")]


def _moment(text: str) -> str:
    """The time, as it was given; raises UsageError where it is none, or has no offset."""
    try:
        has_offset = datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        has_offset = False
    if not has_offset:
        raise UsageError(f"--until is a time with an offset, such as 2026-03-03T08:00:00Z, not {text}")
    return text


Until = Annotated[
    str, typer.Option(metavar="TIME", callback=_moment, help="With an offset, such as 2026-03-03T08:00:00Z.")
]
To = Annotated[str, typer.Option(metavar="NAME", help="Who owns them from now on.")]
Answer = dict[str, object]


@signals.command()
def accept(
    ids: Ids,
    qty: Annotated[int | None, typer.Option(min=1, help="In place of what is proposed, in base units.")] = None,
    reason: Reason = None,
    by: By = None,
    as_json: AsJson = False,
    url: remote.Url = DEFAULT_URL,
) -> None:
    """Accept signals: their goods are to be ordered; exit 1 where one cannot be accepted any more."""
    if qty is not None and len(ids) > 1:
        raise UsageError("--qty is the quantity of one signal; accept the others by a command of their own")
    _answer("signals", ids, "accept", {"by": by, "qty": qty, "reason": reason}, url, as_json)


@signals.command()
def reject(
    ids: Ids, reason: Reason = None, by: By = None, as_json: AsJson = False, url: remote.Url = DEFAULT_URL
) -> None:
    """Reject signals: their goods are not to be ordered; exit 1 where one cannot be rejected any more."""
    _answer("signals", ids, "reject", {"by": by, "reason": reason}, url, as_json)


@signals.command("reopen")
def reopen_signals(
    ids: Ids, reason: Reason = None, by: By = None, as_json: AsJson = False, url: remote.Url = DEFAULT_URL
) -> None:
    """Undo acceptances or rejections that were not ordered yet; exit 1 where there is none to undo."""
    _answer("signals", ids, "reopen", {"by": by, "reason": reason}, url, as_json)


@signals.command("snooze")
def snooze_signals(
    ids: Ids, until: Until, note: Note = None, by: By = None, as_json: AsJson = False, url: remote.Url = DEFAULT_URL
) -> None:
    """Show signals as snoozed until then, or until they ask for more; exit 1 where one is closed."""
    _answer("signals", ids, "snooze", {"by": by, "until": until, "note": note}, url, as_json)


@signals.command("assign")
def assign_signals(
    ids: Ids, to: To, note: Note = None, by: By = None, as_json: AsJson = False, url: remote.Url = DEFAULT_URL
) -> None:
    """Say who owns signals; exit 1 where one is closed."""
    _answer("signals", ids, "assign", {"by": by, "to": to, "note": note}, url, as_json)


@alerts.command()
def acknowledge(
    ids: Ids, note: Note = None, by: By = None, as_json: AsJson = False, url: remote.Url = DEFAULT_URL
) -> None:
    """Say that somebody has seen alerts; exit 1 where one is not open."""
    _answer("alerts", ids, "acknowledge", {"by": by, "note": note}, url, as_json)


@alerts.command()
def resolve(ids: Ids, note: Note = None, by: By = None, as_json: AsJson = False, url: remote.Url = DEFAULT_URL) -> None:
    """Say that the causes of alerts are gone; exit 1 where one is resolved already."""
    _answer("alerts", ids, "resolve", {"by": by, "note": note}, url, as_json)


@alerts.command("reopen")
def reopen_alerts(
    ids: Ids, note: Note = None, by: By = None, as_json: AsJson = False, url: remote.Url = DEFAULT_URL
) -> None:
    """Take acknowledgements of alerts back; exit 1 where there is none to take back."""
    _answer("alerts", ids, "reopen", {"by": by, "note": note}, url, as_json)


@alerts.command("snooze")
def snooze_alerts(
    ids: Ids, until: Until, note: Note = None, by: By = None, as_json: AsJson = False, url: remote.Url = DEFAULT_URL
) -> None:
    """Show alerts as snoozed until then, or until they get worse; exit 1 where one is resolved."""
    _answer("alerts", ids, "snooze", {"by": by, "until": until, "note": note}, url, as_json)


@alerts.command("assign")
def assign_alerts(
    ids: Ids, to: To, note: Note = None, by: By = None, as_json: AsJson = False, url: remote.Url = DEFAULT_URL
) -> None:
    """Say who owns alerts; exit 1 where one is resolved."""
    _answer("alerts", ids, "assign", {"by": by, "to": to, "note": note}, url, as_json)


def _answer(table: Topic, ids: Sequence[str], verb: str, given: Answer, url: str, as_json: bool) -> None:
    """Give things an answer, one after the other; what is refused costs only itself, and the exit code is 1 then."""
    body = {name: value for name, value in (given | {"by": given["by"] or getpass.getuser()}).items() if value}

    async def answer(client: EngineClient) -> int:
        refused = 0
        for name in ids:
            try:
                thing = await client.answer(table, name, verb, body)
            except EngineRefused as error:
                if error.status == 400:
                    raise
                refused += 1
                show.remark(f"{name}: {error}")
            else:
                _print(thing, as_json)
        return refused

    if remote.ask(url, answer):
        raise typer.Exit(1)


def _print(thing: Mapping[str, Any], as_json: bool) -> None:
    if as_json:
        show.rows([thing], (), as_json=True)
        return
    said = [f"{thing['id']} is {thing['status']}"]
    if "qty" in thing:
        said.append(f"{thing['qty']} of {thing['sku']} at {thing['location']}")
    if "owner" in thing:
        said.append(f"it is {thing['owner']}'s")
    if "snoozed_until" in thing:
        said.append(f"snoozed until {thing['snoozed_until']}")
    typer.echo(", ".join(said))
