"""`stockline upgrade`: a data directory of the former format becomes one of this version's."""

from typing import Annotated

import typer

from engine.cli import options, show
from engine.cli.folding import folding
from engine.settings import load_settings


def upgrade(
    data: options.Data = None,
    as_json: Annotated[bool, typer.Option("--json", help="What was done as JSON.")] = False,
) -> None:
    """Fold the log of a data directory that an earlier version wrote anew; the former directory stays beside it.

    Give STOCKLINE_DUPLICATE_DAYS and STOCKLINE_MOVEMENT_WINDOW_HOURS if the engine ran with them. Killed, it may be run
    again.
    """
    # What folds is imported here, so that the other commands start without it.
    from engine.bus.disk.upgrade_paths import former_of
    from engine.processes.upgrade import upgrade as run_upgrade

    settings = load_settings(data=data)
    with folding() as advance:
        done = run_upgrade(settings, advance)
    former = former_of(settings.data.resolve())
    if as_json:
        told = {"former": None, "records": 0, "rows": 0} if done is None else {"former": str(former), **done._asdict()}
        show.document({"data": str(settings.data), **told})
    elif done is None:
        typer.echo(f"{settings.data} is of this version's format: there is nothing to upgrade")
    else:
        typer.echo(
            f"{settings.data}: {done.records:,} records folded anew into {done.rows:,} rows of stock. "
            f"The former directory is {former}: remove it once `stockline audit` has found no difference"
        )
