"""The command `stockline`.

Exit codes: 0 done, 1 the engine or the data says no, 2 wrong usage, 3 the environment failed, 70 a bug.
"""

import atexit
import logging
import os
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from connectors.engine_token import TOKEN_FILE
from connectors.redaction import redacted
from engine import __version__
from engine.cli import (
    answering,
    audit,
    backup,
    clock,
    connectors,
    demo,
    documents,
    identifiers,
    logs,
    look,
    profile,
    replaying,
    send,
    serve,
    source,
    token,
    trace,
    upgrade,
    workers,
)
from engine.core.errors import StocklineError

DEBUG_VARIABLE = "STOCKLINE_DEBUG"
EXIT_BUG = 70

app = typer.Typer(
    name="stockline",
    help="One live truth of inventory per SKU and location.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _show_version(asked: bool) -> None:
    if asked:
        typer.echo(f"stockline {__version__}")
        raise typer.Exit


def _name_token_file(file: Path | None) -> Path | None:
    if file is not None:
        os.environ[TOKEN_FILE] = str(file)
    return file


@app.callback()
def _options(
    _version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version and exit.")
    ] = False,
    log_format: Annotated[
        Literal["text", "json"],
        typer.Option(envvar="STOCKLINE_LOG_FORMAT", help="How log lines are written; json is one object a line."),
    ] = "text",
    trace: Annotated[
        bool, typer.Option("--trace", envvar="STOCKLINE_TRACE", help="Export spans by OTLP; needs the extra otel.")
    ] = False,
    _token_file: Annotated[
        Path | None, typer.Option("--token-file", callback=_name_token_file, help="A file with the engine's token.")
    ] = None,
) -> None:
    logging.basicConfig(
        level=logging.DEBUG if DEBUG_VARIABLE in os.environ else logging.WARNING,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        stream=sys.stderr,
    )
    # Processes that this one starts, such as the workers of a supervisor, read both from the environment.
    if log_format == "json":
        os.environ["STOCKLINE_LOG_FORMAT"] = log_format
        logs.write_json()
    if trace:
        os.environ["STOCKLINE_TRACE"] = "1"
        from engine.telemetry.tracing import TRACING

        TRACING.begin()
        atexit.register(TRACING.end)


app.command("demo")(demo.demo)
app.command("run")(serve.run)
app.command("worker")(workers.worker)
app.command("web")(workers.web)
app.command("source")(source.source)
app.command("send")(send.send)
app.add_typer(profile.profile, name="profile")
app.command("positions")(look.positions)
app.add_typer(answering.signals, name="signals")
app.add_typer(answering.alerts, name="alerts")
app.add_typer(replaying.dead_letters, name="dead-letters")
app.command("explain")(look.explain)
app.command("trace")(trace.trace)
app.add_typer(connectors.connectors, name="connectors")
app.add_typer(identifiers.identifiers, name="identifiers")
app.add_typer(clock.clock, name="clock")
app.add_typer(token.token, name="token")
app.command("audit")(audit.audit)
app.command("backup")(backup.backup)
app.command("restore")(backup.restore)
app.command("upgrade")(upgrade.upgrade)
app.command("schema")(documents.schema)


def main() -> None:
    """Run the command; whatever goes wrong is a line on standard error and an exit code, never a traceback."""
    try:
        app(prog_name="stockline")
    except StocklineError as error:
        _leave(str(error) or type(error).__name__, error.exit_code)
    except BrokenPipeError:
        # The reader of the output, such as `head`, has gone. Python would complain again when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as error:
        _leave(str(error), 3)
    except Exception as error:  # noqa: BLE001 - a person gets a line and an exit code for any bug
        _leave(f"a bug: {error!r}; {DEBUG_VARIABLE}=1 shows where", EXIT_BUG)


def _leave(message: str, code: int) -> None:
    if DEBUG_VARIABLE in os.environ:
        logging.getLogger("stockline").exception("the command failed")
    typer.echo(f"stockline: {redacted(message)}", err=True)
    sys.exit(code)
