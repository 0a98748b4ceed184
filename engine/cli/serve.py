"""`stockline run`: the engine, its log, HTTP and the live view, in one process."""

from pathlib import Path
from typing import Annotated

import typer

from engine.cli import logs, options
from engine.processes.lifecycle import live
from engine.settings import load_access, load_settings


def run(
    data: Annotated[Path | None, typer.Option(help="The directory of the log.", show_default="stockline-data")] = None,
    host: options.Host = None,
    port: options.Port = None,
    clock: options.Clock = None,
    retention_days: options.RetentionDays = None,
    insecure: options.Insecure = None,
    tokens: options.Tokens = None,
    tls_certificate: options.TlsCertificate = None,
    tls_key: options.TlsKey = None,
) -> None:
    """Run the engine until interrupted.

    Options that are not given are read from environment variables such as STOCKLINE_DATA.
    """
    https = {"tls_certificate": tls_certificate, "tls_key": tls_key}
    settings = load_settings(
        data=data, host=host, port=port, clock=clock, retention_days=retention_days, insecure=insecure, **https
    )
    access = load_access(tokens=tokens)
    logs.show_engine()
    # What runs is imported here, so that the other commands start without it.
    from engine.processes.single import run as run_engine

    def announce(url: str) -> None:
        typer.echo(f"stockline serves {url} from {settings.data}")

    live(lambda stop: run_engine(settings, access, announce, stop))
