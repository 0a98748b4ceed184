"""`stockline upgrade`: a data directory of an earlier format becomes one of this version's."""

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

    Where retention has deleted the log's beginning, the rows are taken over as they are. Of format 1, give
    STOCKLINE_DUPLICATE_DAYS and STOCKLINE_MOVEMENT_WINDOW_HOURS if the engine ran with them. Killed, it may be run
    again.
    """
    # What folds is imported here, so that the other commands start without it.
    from engine.processes.upgrade import upgrade as run_upgrade

    settings = load_settings(data=data)
    with folding() as advance:
        done = run_upgrade(settings, advance)
    if as_json:
        nothing = {"former": None, "records": 0, "rows": 0, "taken_over": False}
        told = nothing if done is None else {**done._asdict(), "former": str(done.former)}
        show.document({"data": str(settings.data), **told})
    elif done is None:
        typer.echo(f"{settings.data} is of this version's format: there is nothing to upgrade")
    else:
        how = f"{done.records:,} records folded anew into {done.rows:,} rows of stock"
        if done.taken_over:
            how = f"the log no longer has its beginning, so its {done.rows:,} rows of stock are taken over as they are"
        typer.echo(
            f"{settings.data}: {how}. The former directory is {done.former}: remove it once `stockline audit` has "
            "found no difference"
        )
