"""`stockline run`: the engine, its log, HTTP and the live view, in one process."""

from pathlib import Path
from typing import Annotated

import typer

from engine.cli import logs, options
from engine.processes.lifecycle import live
from engine.settings import ClockMode, load_access, load_settings


def run(
    data: Annotated[Path | None, typer.Option(help="The directory of the log.", show_default="stockline-data")] = None,
    host: options.Host = None,
    port: options.Port = None,
    clock: Annotated[
        ClockMode | None, typer.Option(help="With log, now is the latest event time seen.", show_default="wall")
    ] = None,
    retention_days: Annotated[
        int | None, typer.Option(help="Delete what is older than so many days.", show_default="keep for ever")
    ] = None,
    insecure: options.Insecure = None,
    tokens: options.Tokens = None,
) -> None:
    """Run the engine until interrupted.

    Options that are not given are read from environment variables such as STOCKLINE_DATA.
    """
    settings = load_settings(
        data=data, host=host, port=port, clock=clock, retention_days=retention_days, insecure=insecure
    )
    access = load_access(tokens=tokens)
    logs.show_engine()
    # What runs is imported here, so that the other commands start without it.
    from engine.processes.single import run as run_engine

    def announce(url: str) -> None:
        typer.echo(f"stockline serves {url} from {settings.data}")

    live(lambda stop: run_engine(settings, access, announce, stop))
