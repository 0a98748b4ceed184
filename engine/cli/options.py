"""Options that several commands have."""

from pathlib import Path
from typing import Annotated

import typer

from engine.settings import ClockMode

Data = Annotated[Path | None, typer.Option(help="The data directory.", show_default="stockline-data")]
Cache = Annotated[Path | None, typer.Option(help="The directory, a cache.", show_default="stockline-data")]
Brokers = Annotated[
    str | None,
    typer.Option("--kafka", metavar="HOST:PORT", help="Brokers, with commas between.", show_default="STOCKLINE_KAFKA"),
]
Host = Annotated[str | None, typer.Option(help="The address to listen on.", show_default="127.0.0.1")]
Port = Annotated[int | None, typer.Option(help="The port; 0 takes a free one.", show_default="8080")]
Clock = Annotated[
    ClockMode | None, typer.Option(help="With log, now is the latest event time seen.", show_default="wall")
]
RetentionDays = Annotated[
    int | None, typer.Option(help="Delete what is older than so many days.", show_default="keep for ever")
]
Insecure = Annotated[
    bool | None, typer.Option("--insecure", help="Listen beyond this machine, although nobody has to log in.")
]
Tokens = Annotated[
    Path | None, typer.Option(help="The file of tokens; callers log in.", show_default="DATA.tokens beyond loopback")
]
TlsCertificate = Annotated[
    Path | None, typer.Option(help="A PEM file: the server's certificate; serves HTTPS.", show_default="HTTP")
]
TlsKey = Annotated[Path | None, typer.Option(help="A PEM file: the key of the certificate.", show_default="none")]
