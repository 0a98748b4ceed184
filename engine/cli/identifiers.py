"""`stockline identifiers`: the names of partners, checked, and those that are missing."""

from pathlib import Path
from typing import Annotated

import typer

from connectors.client import DEFAULT_URL
from engine.cli import remote, show

identifiers = typer.Typer(no_args_is_help=True, help="What partners call our items, locations, suppliers and units.")


@identifiers.command()
def check(file: Annotated[Path, typer.Argument(metavar="FILE", help="Rows of partner,kind,theirs,ours.")]) -> None:
    """Read a mapping and count its rows; exit 2, with every wrong line, where it is not right."""
    from connectors.identifiers import read_rows

    typer.echo(f"{file}: {len(read_rows(file))} rows")


@identifiers.command()
def missing(
    file: Annotated[Path | None, typer.Argument(metavar="[FILE]", help="Only what this mapping lacks.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = 1000,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    url: remote.Url = DEFAULT_URL,
) -> None:
    """Show what the dead letters miss as rows to paste into a mapping; exit 1 if there is anything."""
    from connectors.identifiers import Mapping, read_rows, written
    from connectors.identifiers.missing import missing_of

    mapping = Mapping() if file is None else read_rows(file)
    found = remote.ask(url, lambda client: missing_of(client, mapping, limit))
    if as_json:
        show.rows([{**row._asdict(), "dead_letters": count} for row, count in found.most_common()], (), as_json)
    else:
        typer.echo(written(row for row, _ in found.most_common()), nl=False)
    raise typer.Exit(int(bool(found)))
