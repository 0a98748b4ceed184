"""`stockline run`: the engine, its log, HTTP and the live view, in one process."""

import asyncio
import logging
from pathlib import Path
from typing import Annotated

import typer

from engine import settings as settings_module
from engine.settings import ClockMode


def run(
    data: Annotated[Path | None, typer.Option(help="The directory of the log.", show_default="stockline-data")] = None,
    host: Annotated[str | None, typer.Option(help="The address to listen on.", show_default="127.0.0.1")] = None,
    port: Annotated[int | None, typer.Option(help="The port; 0 takes a free one.", show_default="8080")] = None,
    clock: Annotated[
        ClockMode | None, typer.Option(help="With log, now is the latest event time seen.", show_default="wall")
    ] = None,
    retention_days: Annotated[
        int | None, typer.Option(help="Delete what is older than so many days.", show_default="keep for ever")
    ] = None,
    insecure: Annotated[
        bool | None, typer.Option("--insecure", help="Listen beyond this machine, although nobody has to log in.")
    ] = None,
) -> None:
    """Run the engine until interrupted. What is not given comes from STOCKLINE_DATA, STOCKLINE_PORT and so on."""
    settings = settings_module.load(
        data=data, host=host, port=port, clock=clock, retention_days=retention_days, insecure=insecure
    )
    logging.getLogger("stockline").setLevel(min(logging.INFO, logging.getLogger().level))
    # Everything that runs is imported here, so that the other commands start without it.
    from engine.processes import single

    asyncio.run(single.run(settings, lambda url: typer.echo(f"stockline serves {url} from {settings.data}")))
