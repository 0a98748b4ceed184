"""The port of a folder, wherever it is, and what its files are called."""

from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import NamedTuple, Protocol

from engine.core.errors import DiskFull, EnvironmentFailure

CHUNK = 256 * 1024


class Entry(NamedTuple):
    """A file of the folder: its name, its size in bytes and the time of its last change in nanoseconds."""

    name: str
    size: int
    changed: int


class Place(Protocol):
    """A folder with files and, in it, folders that they are moved to. Raises `Unreachable` for whatever may pass."""

    async def files(self) -> list[Entry]:
        """The plain files; links, folders and names that would lead elsewhere are left out."""
        ...

    async def find(self, name: str) -> Entry | None:
        """A file as it is now; None if there is none."""
        ...

    async def fetch(self, name: str, target: Path) -> str | None:
        """Copy a file and return the SHA-256 of what was copied, None if it is gone. Raises `DiskFull`."""
        ...

    async def move(self, name: str, folder: str, new_name: str) -> None:
        """Move a file into a folder, which is made if need be; one of that name there is replaced."""
        ...

    async def move_back(self, folder: str, name: str, new_name: str) -> None:
        """Move a file out of a folder, under a name that nothing has."""
        ...

    async def put(self, source: Path, folder: str, name: str) -> None:
        """Copy a file into a folder, so that it appears there whole; one of that name there is replaced."""
        ...

    async def remove(self, name: str) -> None:
        """Delete a file, if it is there."""
        ...


def is_safe(name: str) -> bool:
    """Whether a name from a server stays in its folder, and shows as what it is."""
    return bool(name) and name not in (".", "..") and not set(name) & set("/\\\0") and name.isprintable()


def archived_name(entry: Entry, digest: str) -> str:
    """The name in the archive: it follows from the file, so that archiving it again after a crash changes nothing."""
    moment = datetime.fromtimestamp(entry.changed // 1_000_000_000, UTC).strftime("%Y%m%dT%H%M%SZ")
    path = PurePosixPath(entry.name)
    suffix = "".join(path.suffixes[-2:]) if path.suffix in (".gz", ".xz") else path.suffix
    return f"{entry.name.removesuffix(suffix)}.{moment}.{digest[:8]}{suffix}"


def digest_of(path: Path) -> str | None:
    """The SHA-256 of a file of this machine; None if there is none."""
    digest = sha256()
    try:
        with path.open("rb") as source:
            while chunk := source.read(CHUNK):
                digest.update(chunk)
    except FileNotFoundError:
        return None
    return digest.hexdigest()


def disk_failure(path: Path, error: OSError) -> EnvironmentFailure:
    """A failure of this machine's own disk, in words."""
    if error.errno in (28, 122):
        return DiskFull(f"no space is left for {path}: the file stays where it is and is read once there is space")
    return EnvironmentFailure(f"cannot write {path}: {error.strerror or error}")
