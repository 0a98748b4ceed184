"""Where an upgrade of a data directory works: the new directory beside the former one, and which of them has the name.

While an upgrade runs, DIR is the former directory and DIR.upgrading the new one. At its end DIR becomes DIR.format-N,
N being the format that it has, and DIR.upgrading becomes DIR. Between those two steps there is no DIR: nothing is begun
there, and an upgrade that is started again takes the second step.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.bus.disk.layout import FORMAT
from engine.bus.snapshot_file import sync
from engine.core.errors import UsageError
from tables.stores.rocksdb_errors import fail
from tables.stores.rocksdb_files import DATABASE, LOCK_FILE


def new_of(data: Path) -> Path:
    """Where the new directory is filled."""
    return data.with_name(f"{data.name}.upgrading")


def former_of(data: Path, written: int) -> Path:
    """Where the former directory stays, which is written in the format `written`."""
    return data.with_name(f"{data.name}.format-{written}")


def refuse_unfinished(data: Path) -> None:
    """UsageError where an upgrade of `data` was ended between its last two steps."""
    if _between(data.resolve()) is not None:
        raise UsageError(f"an upgrade of {data} was ended before its end: `stockline upgrade --data {data}` ends it")


def finish(data: Path) -> Path | None:
    """Give `data` its name where an upgrade was ended between its last two steps.

    Returns where the former directory stays; None where no upgrade was ended there.
    """
    former = _between(data)
    if former is not None:
        _rename(new_of(data), data)
    return former


@contextmanager
def filled(data: Path, former: Path) -> Iterator[Path]:
    """A directory to be made and filled, for `put_in_place`; whatever goes wrong, it is gone.

    Raises:
        UsageError: something is in the way.
        EnvironmentFailure: the file system refuses.
    """
    new = new_of(data)
    if os.path.ismount(data):
        raise UsageError(f"{data} is a mount point, which cannot be renamed: copy it into a folder, upgrade the copy")
    if former.exists():
        raise UsageError(f"{former} exists, where the former directory would stay; move it away")
    if new.exists() and any(new.iterdir()) and not (new / LOCK_FILE).exists():
        raise UsageError(f"{new} exists, and the new directory would be filled there; move it away")
    _remove(new)
    try:
        yield new
    except BaseException:
        _remove(new)
        raise


def put_in_place(data: Path, former: Path) -> None:
    """Let the directory that was filled take the name `data`; the former one stays as `former`."""
    _rename(data, former)
    _rename(new_of(data), data)


def _between(data: Path) -> Path | None:
    """The former directory where an upgrade was ended between its last two steps; of several the newest."""
    if (data / DATABASE).exists() or not (new_of(data) / DATABASE).is_dir():
        return None
    formers = [former_of(data, written) for written in range(FORMAT - 1, 0, -1)]
    return next((former for former in formers if former.is_dir()), None)


def _remove(folder: Path) -> None:
    try:
        if folder.exists():
            shutil.rmtree(folder)
    except OSError as error:
        fail(error, folder)


def _rename(one: Path, other: Path) -> None:
    try:
        one.rename(other)
        sync(other.parent)
    except OSError as error:
        fail(error, one)
