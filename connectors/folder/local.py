"""A folder of this machine."""

import asyncio
import os
import stat
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from connectors.folder.places import CHUNK, Entry, disk_failure, is_safe
from connectors.profiles import Unreachable


class LocalPlace:
    """A `Place` on a disk of this machine, or one that is mounted."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def files(self) -> list[Entry]:
        """The plain files, without links."""
        return await asyncio.to_thread(self._files)

    async def find(self, name: str) -> Entry | None:
        """A file as it is now."""
        return _entry(self._path, name)

    async def fetch(self, name: str, target: Path) -> str | None:
        """Copy a file and return its SHA-256."""
        return await asyncio.to_thread(self._fetch, name, target)

    async def move(self, name: str, folder: str, new_name: str) -> None:
        """Move a file into a folder; one that is gone was moved before."""
        try:
            (self._path / folder).mkdir(exist_ok=True)
            os.replace(self._path / name, self._path / folder / new_name)
        except FileNotFoundError:
            return
        except OSError as error:
            raise _unreachable(self._path / folder, error) from error

    async def move_back(self, folder: str, name: str, new_name: str) -> None:
        """Move a file out of a folder; a link never replaces a file, as a rename would."""
        try:
            os.link(self._path / folder / name, self._path / new_name)
            (self._path / folder / name).unlink()
        except OSError as error:
            raise _unreachable(self._path / new_name, error) from error

    async def put(self, source: Path, folder: str, name: str) -> None:
        """Copy a file into a folder."""
        await asyncio.to_thread(self._put, source, folder, name)

    async def remove(self, name: str) -> None:
        """Delete a file."""
        try:
            (self._path / name).unlink(missing_ok=True)
        except OSError as error:
            raise _unreachable(self._path / name, error) from error

    def _files(self) -> list[Entry]:
        try:
            names = os.listdir(self._path)
        except OSError as error:
            raise _unreachable(self._path, error) from error
        found = (_entry(self._path, name) for name in names if is_safe(name))
        return [entry for entry in found if entry is not None]

    def _fetch(self, name: str, target: Path) -> str | None:
        try:
            # Whoever may write into the folder may not point into the rest of this machine.
            opened = os.open(self._path / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _unreachable(self._path / name, error) from error
        with os.fdopen(opened, "rb") as source:
            return _copied(source.read, target)

    def _put(self, source: Path, folder: str, name: str) -> None:
        draft = self._path / folder / f".{name}.part"
        try:
            draft.parent.mkdir(exist_ok=True)
            with source.open("rb") as content:
                _copied(content.read, draft)
            os.replace(draft, self._path / folder / name)
        except OSError as error:
            raise _unreachable(draft, error) from error


def _copied(read: Callable[[int], bytes], target: Path) -> str:
    digest = sha256()
    try:
        with target.open("wb") as out:
            while chunk := read(CHUNK):
                digest.update(chunk)
                out.write(chunk)
            out.flush()
            os.fsync(out.fileno())
    except OSError as error:
        raise disk_failure(target, error) from error
    return digest.hexdigest()


def _entry(folder: Path, name: str) -> Entry | None:
    try:
        found = (folder / name).lstat()
    except OSError:
        return None
    return Entry(name, found.st_size, found.st_mtime_ns) if stat.S_ISREG(found.st_mode) else None


def _unreachable(path: Path, error: OSError) -> Unreachable:
    return Unreachable(f"cannot use {path}: {error.strerror or error}")
