"""What the file system and RocksDB say, in the errors of the engine."""

import errno
import os
import re
from pathlib import Path
from typing import NoReturn

from rocksdict import DbClosedError

from engine.core.errors import Corrupt, DirectoryInUse, DiskFull, EnvironmentFailure, UsageError

VIEW_PREFIX = "stockline-view-"
VIEW = re.compile(rf"\S*{VIEW_PREFIX}[^/\s]+")


def fail(error: Exception, path: Path) -> NoReturn:
    """Raise the engine's own error for what the file system or RocksDB said about `path`."""
    if isinstance(error, EnvironmentFailure | UsageError):
        raise error
    raise translated(error, path) from error


def translated(error: Exception, path: Path) -> EnvironmentFailure:
    """The engine's error for what was said about `path`: what happened, where, and what to do."""
    # A reader sees the files of `path` through a view, which is gone when someone reads this.
    said = VIEW.sub(str(path), str(error))
    if isinstance(error, DbClosedError):
        return EnvironmentFailure(f"{path}: the store is closed")
    if _says(error, errno.ENOSPC) or _says(error, errno.EDQUOT) or _says(error, errno.EFBIG):
        return DiskFull(f"{path}: no space left ({said}). Make space and start again: what was accepted is kept")
    if "lock hold by current process" in said or "/LOCK:" in said:
        return DirectoryInUse(f"{path} is in use by a process ({said}); stop it first or choose another directory")
    if said.startswith("Corruption") or re.search(r"No such file.*\.(sst|log)|No such file.*MANIFEST", said):
        return Corrupt(
            f"{path}: a file does not hold what was written ({said}). Keep a copy of the directory and bring the "
            "damaged file back from a backup; without one, start in an empty directory and send the events again"
        )
    return EnvironmentFailure(f"{path}: {said}")


def _says(error: Exception, number: int) -> bool:
    return getattr(error, "errno", None) == number or os.strerror(number) in str(error)
