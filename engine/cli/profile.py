"""`stockline profile`: draft a profile from a file, and check one."""

from pathlib import Path
from typing import Annotated

import typer

from connectors.files.draft import draft_profile
from connectors.files.profile import Profile
from connectors.files.readers import choose_reader, load_profile
from engine.cli import show
from engine.core.errors import EnvironmentFailure, UsageError
from engine.core.events import EVENT_TYPES

profile = typer.Typer(no_args_is_help=True, help="Profiles, which say what the columns of a file mean.")


@profile.command()
def new(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A CSV file to look at.")],
    out: Annotated[Path | None, typer.Option(help="The profile to write, else standard output.")] = None,
    source: Annotated[str | None, typer.Option(help="Who sends it, else the file's name.")] = None,
) -> None:
    """Look at a CSV file, and write a commented profile to start from."""
    text = draft_profile(file, source or Path(file).name.split(".")[0])
    if out is None:
        typer.echo(text)
        return
    try:
        with out.open("x", encoding="utf-8") as written:
            written.write(text)
    except FileExistsError:
        raise UsageError(f"{out} is there already: name another with --out") from None
    except OSError as error:
        raise EnvironmentFailure(f"cannot write {out}: {error.strerror}") from error
    show.remark(f"written: {out}. Try it: stockline send {file} --profile {out} --dry-run")


@profile.command()
def check(path: Annotated[Path, typer.Argument(metavar="PROFILE", help="A profile in TOML.")]) -> None:
    """Read a profile of files, and say what it does; 2 if it is not right."""
    loaded = load_profile(path)
    if isinstance(loaded, Profile):
        unknown = sorted({rule.type for rule in loaded.rules if rule.type is not None} - set(EVENT_TYPES))
        if unknown:
            raise UsageError(f"the profile {path}: no event has the type {', '.join(unknown)}")
        columns = ", ".join(sorted(loaded.columns_used()))
        typer.echo(f"{path} is right: {loaded.format}, {len(loaded.rules)} rules, columns {columns}")
        return
    typer.echo(f"{path} is right: {choose_reader('-', loaded).name}, {loaded.format}")
