"""`stockline dead-letters`: refused records, and taking them again once their cause is gone."""

from collections.abc import Sequence
from typing import Annotated, NamedTuple

import typer

from connectors.base import Json, JsonObject
from connectors.client import DEFAULT_URL, EngineClient, EngineRefused
from engine.cli import look, remote, show
from engine.cli.filters import AsJson
from engine.core.errors import UsageError

COLUMNS = ("id", "reason", "event_source", "event_id", "arrived", "read_at", "detail")

dead_letters = typer.Typer(invoke_without_command=True, help="Show refused records, newest first; replay them.")
dead_letters.callback()(look.list_dead_letters)


class Replayed(NamedTuple):
    """What became of a dead letter: why it was refused again, or None where it was taken."""

    letter: str
    refused: str | None
    answer: Json


@dead_letters.command()
def replay(
    ids: Annotated[list[str] | None, typer.Argument(metavar="ID", help="The dead letters.")] = None,
    reason: Annotated[str | None, typer.Option(help="All open ones with this reason, the oldest first.")] = None,
    source: Annotated[str | None, typer.Option(help="All open ones of this source.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = 100,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be taken, and take nothing.")] = False,
    as_json: AsJson = False,
    url: remote.Url = DEFAULT_URL,
) -> None:
    """Take refused records again, now that their cause is gone; exit 1 when one is refused again."""
    chosen = _chosen(url, ids or [], reason, source, limit)
    if dry_run:
        show.rows(chosen if as_json else [look.with_read_at(letter) for letter in chosen], COLUMNS, as_json)
        return
    outcomes = remote.ask(url, lambda client: _replayed(client, [letter["id"] for letter in chosen]))
    refused = [outcome for outcome in outcomes if outcome.refused is not None]
    if as_json:
        show.rows([{"id": outcome.letter, **outcome.answer} for outcome in outcomes], (), as_json=True)
    for outcome in refused:
        show.remark(f"{outcome.letter} was refused again: {outcome.refused}")
    if not as_json and ids and not refused:
        typer.echo(f"{', '.join(ids)} {'was' if len(ids) == 1 else 'were'} taken")
    elif not as_json and not ids:
        typer.echo(f"{len(outcomes) - len(refused)} were taken, {len(refused)} refused again")
    if refused:
        raise typer.Exit(1)


def _chosen(url: str, ids: Sequence[str], reason: str | None, source: str | None, limit: int) -> list[JsonObject]:
    """The dead letters that a command means: those it names, or all of a reason and a source.

    They are asked for before anything is taken, so that an id that is none costs nothing.
    """
    given = {"reason": reason, "event_source": source}
    filters = [(name, value) for name, value in given.items() if value is not None]
    if bool(ids) == bool(filters):
        raise UsageError("name the dead letters, or choose them by --reason or --source")
    if ids:
        return [remote.thing(url, "v1", "dead-letters", name) for name in ids]
    found, total = remote.things(url, "/v1/dead-letters", [*filters, ("status", "open"), ("sort", "arrived")], limit)
    if total is not None and total > len(found):
        show.remark(f"{len(found)} of {total}; --limit takes more")
    return found


async def _replayed(client: EngineClient, letters: Sequence[str]) -> list[Replayed]:
    outcomes = []
    for letter in letters:
        try:
            answer = await client.replay_dead_letter(letter)
        except EngineRefused as error:
            if error.status not in (404, 409):
                raise
            outcomes.append(Replayed(letter, str(error), {"accepted": 0, "refused": [{"detail": str(error)}]}))
        else:
            why = [f"{each['reason']}: {each['detail']}" for each in answer["refused"]]
            outcomes.append(Replayed(letter, why[0] if why else None, answer))
    return outcomes
