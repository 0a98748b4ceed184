"""`stockline profile`: draft a profile from a file, and check one."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from engine.cli import show
from engine.core.errors import EnvironmentFailure, UsageError
from engine.core.events import EVENT_TYPES

if TYPE_CHECKING:
    from connectors.mapping.language import Rule

profile = typer.Typer(no_args_is_help=True, help="Profiles, which say what the columns of a file mean.")


@profile.command()
def new(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A CSV file or a workbook to look at.")],
    out: Annotated[Path | None, typer.Option(help="The profile to write, else standard output.")] = None,
    source: Annotated[str | None, typer.Option(help="Who sends it, else the file's name.")] = None,
) -> None:
    """Look at a CSV file or a workbook, and write a commented profile to start from."""
    from connectors.files.draft import draft_profile

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
    from connectors.files.profile import Profile
    from connectors.files.readers import choose_reader, load_profile

    loaded = load_profile(path)
    if isinstance(loaded, Profile):
        unknown = sorted({rule.type for rule in loaded.rules if rule.type is not None} - set(EVENT_TYPES))
        if unknown:
            raise UsageError(f"the profile {path}: no event has the type {', '.join(unknown)}")
        wrong = [said for number, rule in enumerate(loaded.rules, 1) if (said := _wrong_fields(rule, number))]
        if wrong:
            raise UsageError(f"the profile {path}: {'; '.join(wrong)}")
        columns = ", ".join(sorted(loaded.columns_used()))
        typer.echo(f"{path} is right: {loaded.format}, {len(loaded.rules)} rules, columns {columns}")
        return
    typer.echo(f"{path} is right: {choose_reader('-', loaded).name}, {loaded.format}")


def _wrong_fields(rule: "Rule", number: int) -> str:
    """What is wrong with the fields that a rule sets, in words; empty where nothing is."""
    if rule.type is None:
        return ""
    event = msgspec.inspect.type_info(EVENT_TYPES[rule.type])
    assert isinstance(event, msgspec.inspect.StructType)
    data = next(field.type for field in event.fields if field.name == "data")
    assert isinstance(data, msgspec.inspect.StructType)
    known = {field.encode_name: field.required for field in data.fields}
    named = {path.partition(".")[0] for path in rule.data}
    wrong = [f"{name} is no field of it" for name in sorted(named - set(known))]
    wrong += [f"{name} is missing" for name, required in known.items() if required and name not in named]
    return f"the rule {number} for {rule.type}: {', '.join(wrong)}" if wrong else ""
