"""Where an upgrade of a data directory works: the new directory beside the former one, and which of them has the name.

While an upgrade runs, DIR is the former directory and DIR.upgrading the new one. At its end DIR becomes DIR.format-1
and DIR.upgrading becomes DIR. Between those two steps there is no DIR: nothing is begun there, and an upgrade that is
started again takes the second step.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.bus.snapshot_file import sync_folder
from engine.core.errors import UsageError
from tables.stores.rocksdb_errors import fail
from tables.stores.rocksdb_files import DATABASE, LOCK_FILE

FORMER_FORMAT = 1


def new_of(data: Path) -> Path:
    """Where the new directory is filled."""
    return data.with_name(f"{data.name}.upgrading")


def former_of(data: Path) -> Path:
    """Where the former directory stays."""
    return data.with_name(f"{data.name}.format-{FORMER_FORMAT}")


def refuse_unfinished(data: Path) -> None:
    """UsageError where an upgrade of `data` was ended between its last two steps."""
    if _is_between(data.resolve()):
        raise UsageError(f"an upgrade of {data} was ended before its end: `stockline upgrade --data {data}` ends it")


def finish(data: Path) -> bool:
    """Give `data` its name where an upgrade was ended between its last two steps; whether it was."""
    between = _is_between(data)
    if between:
        _rename(new_of(data), data)
    return between


@contextmanager
def filled(data: Path) -> Iterator[Path]:
    """An empty directory to be filled, for `put_in_place`; whatever goes wrong, it is gone.

    Raises:
        UsageError: something is in the way.
        EnvironmentFailure: the file system refuses.
    """
    new, former = new_of(data), former_of(data)
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


def put_in_place(data: Path) -> None:
    """Let the directory that was filled take the name `data`; the former one stays beside it."""
    _rename(data, former_of(data))
    _rename(new_of(data), data)


def _is_between(data: Path) -> bool:
    return not (data / DATABASE).exists() and former_of(data).is_dir() and (new_of(data) / DATABASE).is_dir()


def _remove(folder: Path) -> None:
    try:
        if folder.exists():
            shutil.rmtree(folder)
    except OSError as error:
        fail(error, folder)


def _rename(one: Path, other: Path) -> None:
    try:
        one.rename(other)
        sync_folder(other.parent)
    except OSError as error:
        fail(error, one)
