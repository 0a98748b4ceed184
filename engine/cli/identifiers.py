"""`stockline identifiers`: the names of partners, checked, and those that are missing."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from connectors.client import DEFAULT_URL
from engine.cli import remote, show

if TYPE_CHECKING:
    from connectors.identifiers import Mapping

identifiers = typer.Typer(no_args_is_help=True, help="What partners call our items, locations, suppliers and units.")


@identifiers.command()
def check(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="Rows of partner,kind,theirs,ours; or a profile, for its table.")
    ],
) -> None:
    """Read a mapping and count its rows; exit 2, with what is wrong, where it is not right."""
    typer.echo(f"{file}: {len(_mapping(file))} rows")


@identifiers.command()
def missing(
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="Only what this mapping, or this profile's, lacks.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = 1000,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    url: remote.Url = DEFAULT_URL,
) -> None:
    """Show what the dead letters miss as rows to paste into a mapping; exit 1 if there is anything."""
    from connectors.identifiers import Mapping, written
    from connectors.identifiers.missing import missing_of

    mapping = Mapping() if file is None else _mapping(file)
    found = remote.ask(url, lambda client: missing_of(client, mapping, limit))
    if as_json:
        show.rows([{**row._asdict(), "dead_letters": count} for row, count in found.most_common()], (), as_json)
    else:
        typer.echo(written(row for row, _ in found.most_common()), nl=False)
    raise typer.Exit(int(bool(found)))


def _mapping(file: Path) -> "Mapping":
    """The mapping of a file of rows, or the one that the profile of a connector names."""
    from connectors.host.loading import load
    from connectors.host.names import present_mapping
    from connectors.identifiers import read_rows

    return asyncio.run(present_mapping(load(file).profile)) if file.suffix == ".toml" else read_rows(file)
