"""`stockline connectors`: list, check, run, watch and repair the connections to other systems."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.cli import logs, show
from engine.processes.lifecycle import live

if TYPE_CHECKING:
    from connectors.host.health import Health

connectors = typer.Typer(no_args_is_help=True, help="Connections to other systems: list, check, run, watch, repair.")

Profiles = Annotated[list[Path], typer.Argument(metavar="PROFILE...", help="Profiles in TOML, one a connector.")]
State = Annotated[Path | None, typer.Option(help="Where positions are kept.", show_default="stockline-connectors")]
AsJson = Annotated[bool, typer.Option("--json", help="As JSON.")]


@connectors.command()
def run(
    profiles: Profiles,
    once: Annotated[bool, typer.Option("--once", help="One round of each source and sink, then a report.")] = False,
    state: State = None,
    as_json: AsJson = False,
) -> None:
    """Run connectors until interrupted; what befalls one costs the others nothing.

    Exit 1 when records or events were refused, 2 when a connector needs a person, 3 when the environment failed.
    """
    # What runs is imported here, so that the other commands start without it.
    from connectors.host import Options, load_all
    from connectors.host import run as run_host
    from connectors.host.host import DEFAULT_STATE

    loaded = load_all(profiles)
    logs.show_connectors()
    options = Options(state or DEFAULT_STATE, once)
    _end(live(lambda stop: run_host(loaded, options, stop)), once, as_json)


def _end(healths: Sequence["Health"], once: bool, as_json: bool) -> None:
    """Print what became of connectors, and exit with the code of the worst that happened to one."""
    from connectors.host.health import worst

    if as_json:
        show.document({"connectors": [health.report() for health in healths]})
    else:
        for health in healths:
            for name, part in health.parts.items():
                if name != "connection" or part.error:
                    typer.echo(f"{health.profile.name}, {name}: {part}")
    # A run that was asked to stop is done, whatever it met on its way; one that ended by itself says what ended it.
    raise typer.Exit(worst(0, *(health.exit_code if once else health.ended_with for health in healths)))
