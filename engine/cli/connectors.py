"""`stockline connectors`: list, check, run, watch and repair the connections to other systems.

What talks to other systems is imported where it is used, so that the other commands start without it.
"""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from connectors.client import DEFAULT_URL
from engine.cli import logs, remote, show
from engine.core.errors import UsageError
from engine.processes.lifecycle import live

if TYPE_CHECKING:
    from connectors.host.health import Health
    from connectors.host.tried import Trial

KIND = ("kind", "what", "guarantee")
PROFILE = ("profile", "name", "kind", "fault")
STATUS = ("name", "kind", "status", "part", "events", "untranslated", "lag_seconds", "last_success", "error")
TROUBLED = frozenset({"failing", "silent"})

connectors = typer.Typer(no_args_is_help=True, help="Connections to other systems: list, check, run, watch, repair.")

Profiles = Annotated[list[Path], typer.Argument(metavar="PROFILE", help="Profiles in TOML, one a connector.")]
Profile = Annotated[str, typer.Argument(metavar="PROFILE", help="A profile, or the name of one in this folder.")]
State = Annotated[Path | None, typer.Option(help="Where positions are kept.", show_default="stockline-connectors")]
AsJson = Annotated[bool, typer.Option("--json", help="As JSON.")]


@connectors.command("list")
def list_kinds(
    folder: Annotated[Path | None, typer.Argument(metavar="FOLDER", help="Show the profiles in it instead.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show the kinds of connectors with their delivery guarantees, or the profiles in a folder; 2 if one is wrong."""
    from connectors.host import loading

    if folder is None:
        show.rows([dict(zip(KIND, each, strict=True)) for each in loading.kinds()], KIND, as_json)
        return
    if not folder.is_dir():
        raise UsageError(f"there is no folder {folder}")
    found = loading.profiles_in(folder)
    show.rows([_profile(each) for each in found], PROFILE, as_json)
    if any(not isinstance(each, loading.Loaded) for each in found):
        raise typer.Exit(2)


def _profile(found: Any) -> dict[str, str]:
    if isinstance(found, Exception):
        return {"fault": str(found)}
    return {"profile": str(found.path), "name": found.profile.name, "kind": found.profile.kind}


@connectors.command()
def check(profile: Profile, as_json: AsJson = False) -> None:
    """Try a connector: credentials, reachability, its first events. Writes nothing; exit 1 where something fails."""
    from connectors.host import loading
    from connectors.host.tried import try_out

    logs.show_connectors()
    trial = asyncio.run(try_out(loading.named(profile)))
    if as_json:
        show.document(_as_json(trial))
    else:
        _print_trial(trial)
    raise typer.Exit(trial.exit_code)


def _as_json(trial: "Trial") -> dict[str, Any]:
    return {
        "findings": [{"what": each.what, "works": each.works, "detail": each.detail} for each in trial.findings],
        "sources": {
            name: {
                "events": dict(each.types),
                "invalid": dict(each.invalid),
                "untranslated": dict(each.untranslated),
                "skipped": dict(each.skipped),
                "problems": each.problems,
                "first": each.first,
            }
            for name, each in trial.sources.items()
        },
    }


def _print_trial(trial: "Trial") -> None:
    for finding in trial.findings:
        typer.echo(f"{'works' if finding.works else 'FAILS'}  {finding.what}: {finding.detail}")
    for name, each in trial.sources.items():
        counts = [*each.types.items(), *each.invalid.items(), *each.untranslated.items(), *each.skipped.items()]
        typer.echo(f"source {name}, first batch: {', '.join(f'{n} {what}' for what, n in counts) or 'nothing'}")
        for event in each.first:
            typer.echo(f"  {event.get('type')} {event.get('id')}: {event.get('data')}")
        for problem in each.problems:
            show.remark(f"  {problem}")


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


@connectors.command()
def status(
    name: Annotated[str | None, typer.Argument(help="Only this connector.")] = None,
    as_json: AsJson = False,
    url: remote.Url = DEFAULT_URL,
) -> None:
    """Show how running connectors are: counts, lag, last errors; exit 1 where one is failing or silent."""
    if name is None:
        found = remote.thing(url, "v1", "connectors")["items"]
    else:
        found = [remote.thing(url, "v1", "connectors", name)]
    show.rows(found if as_json else [row for each in found for row in _parts(each)], STATUS, as_json)
    raise typer.Exit(int(any(each["status"] in TROUBLED for each in found)))


def _parts(connector: Mapping[str, Any]) -> list[dict[str, Any]]:
    told = {key: connector[key] for key in ("name", "kind", "status")}
    return [{**part, "part": name, **told} for name, part in connector["parts"].items()] or [told]


@connectors.command()
def replay(
    profile: Profile,
    reason: Annotated[str | None, typer.Option(help="Only untranslatable, unmapped_identifier or undelivered.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="How many records at most.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Translate, but post nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Translate a connector's refused records again, now that the cause is gone; exit 1 while some remain."""
    from connectors.host import loading
    from connectors.host.replaying import ReplayOptions
    from connectors.host.replaying import replay as replay_all

    logs.show_connectors()
    counts = asyncio.run(replay_all(loading.named(profile), ReplayOptions(reason, limit, dry_run)))
    report = counts.report()
    if as_json:
        show.document(report)
    else:
        typer.echo(
            f"{report['records']} records: {report['translated']} translated, {report['untranslatable']} still not; "
            f"{report['accepted']} events accepted ({report['duplicates']} of them known already), "
            f"{report['rejected']} refused"
        )
        for why, count in report["reasons"].items():
            show.remark(f"  {count}: {why}")
    raise typer.Exit(counts.exit_code)
