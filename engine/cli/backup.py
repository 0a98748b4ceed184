"""`stockline backup` and `stockline restore`: a data directory as of one moment, and back."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.cli import options, show
from engine.settings import load_settings

if TYPE_CHECKING:
    from engine.bus.disk.backup import Contents

AsJson = Annotated[bool, typer.Option("--json", help="Print what the copy holds as JSON.")]


def backup(
    target: Annotated[Path, typer.Argument(help="A new or empty folder for the copy.")],
    data: options.Data = None,
    as_json: AsJson = False,
) -> None:
    """Copy the data directory as of now, also while the engine runs; print which offsets of the log are in it."""
    # What copies is imported here, so that the other commands start without it.
    from engine.bus.disk import backup as backups

    settings = load_settings(data=data)
    _say(f"{settings.data} is copied to {target}", backups.take(settings.data, target), as_json)


def restore(
    source: Annotated[Path, typer.Argument(metavar="TARGET", help="The folder that `stockline backup` has filled.")],
    data: options.Data = None,
    as_json: AsJson = False,
) -> None:
    """Restore a backup into a new or empty data directory, after every file was checked against its checksum."""
    from engine.bus.disk import backup as backups

    settings = load_settings(data=data)
    _say(f"{source} is copied to {settings.data}", backups.restore(source, settings.data), as_json)


def _say(done: str, contents: "Contents", as_json: bool) -> None:
    if as_json:
        show.document(
            {
                "taken": contents.taken.isoformat(),
                "log_begins": contents.log_begins,
                "log_ends": contents.log_ends,
                "files": len(contents.files),
                "bytes": contents.size,
            }
        )
        return
    typer.echo(
        f"{done}: {len(contents.files)} files, {contents.size:,} bytes, as of {contents.taken:%Y-%m-%d %H:%M:%SZ}"
    )
    for partition, (begin, end) in enumerate(zip(contents.log_begins, contents.log_ends, strict=True)):
        typer.echo(f"partition {partition}: the log from offset {begin} to before {end}")
