"""`stockline clock accept`: an operator confirms a clock that has jumped ahead."""

import getpass
from typing import Annotated

import typer

from connectors.client import DEFAULT_URL
from engine.cli import remote

clock = typer.Typer(no_args_is_help=True, help="Answer a clock that has jumped ahead.")


@clock.callback()
def _clock() -> None:
    """Make `accept` a subcommand although it is the only one, which Typer would otherwise fold away."""


@clock.command()
def accept(
    by: Annotated[str | None, typer.Option(help="Who confirms it.", show_default="your login name")] = None,
    url: remote.Url = DEFAULT_URL,
) -> None:
    """Say that the machine's clock is right although it has jumped; exit 1 where it has not.

    While a clock has jumped ahead by more than an hour, an engine takes nothing: all that would be due by then would be
    due at once. On Kafka every worker has a clock; --url is the worker's address.
    """
    name = by or getpass.getuser()
    accepted = remote.ask(url, lambda client: client.accept_clock(name))
    typer.echo(f"{accepted['at']} is taken for right, {accepted['jumped_seconds']} seconds ahead")
