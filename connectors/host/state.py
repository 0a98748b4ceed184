"""The folder of state of one connector: a lock, and the position of each of its sources and sinks.

erp/lock                    held by the process that runs the connector `erp`
erp/source-moves.json       {"log": "<the log's id>", "position": {...}}
erp/own/                    what the connector keeps besides; may be deleted at any moment
"""

import fcntl
import json
import os
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

from connectors.base import JsonObject
from engine.core.errors import DirectoryInUse, EnvironmentFailure, UsageError


@dataclass(frozen=True)
class Kept:
    """A position that was kept, None at the beginning; `anew` says why one that was kept is not valid."""

    position: JsonObject | None
    anew: str | None = None


class ConnectorState:
    """The state of the connector `name` within the folder `root`; a context manager that holds the lock."""

    def __init__(self, root: Path, name: str) -> None:
        self._name = name
        self._folder = root / name
        self._ends = ExitStack()

    @property
    def own(self) -> Path:
        """The directory that is the connector's alone."""
        return self._folder / "own"

    def __enter__(self) -> Self:
        """Take the lock. Raises `DirectoryInUse` where another process runs a connector of this name."""
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.own.mkdir(exist_ok=True)
            lock = self._ends.enter_context((self._folder / "lock").open("a"))
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._ends.close()
            raise DirectoryInUse(
                f"another process runs the connector {self._name!r} with the state in {self._folder}: stop that one, "
                "or give this one another name or another --state"
            ) from None
        except OSError as error:
            self._ends.close()
            raise EnvironmentFailure(f"cannot use the state in {self._folder}: {error.strerror}") from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ends.close()

    def kept(self, part: str, log: str | None) -> Kept:
        """The position of a source or sink in this log. A position in another log is none.

        Raises `UsageError` for a file that is damaged: to begin anew could count again what the log has forgotten.
        """
        file = self._file(part)
        try:
            text = file.read_bytes()
        except FileNotFoundError:
            return Kept(None)
        except OSError as error:
            raise EnvironmentFailure(f"cannot read the position in {file}: {error.strerror}") from error
        try:
            kept = json.loads(text)
            of, position = kept["log"], kept["position"]
        except (ValueError, KeyError, TypeError):
            raise UsageError(
                f"{file} holds no position: restore it, or delete it to begin from the beginning"
            ) from None
        return Kept(position) if of == log else Kept(None, "the engine has another log than the one of its position")

    def keep(self, part: str, log: str | None, position: JsonObject) -> None:
        """Replace the position of a source or sink; it is on disk on return. Raises `EnvironmentFailure`."""
        file = self._file(part)
        draft = file.with_suffix(".new")
        try:
            with draft.open("wb") as out:
                out.write(json.dumps({"log": log, "position": position}, separators=(",", ":")).encode())
                out.flush()
                os.fsync(out.fileno())
            os.replace(draft, file)
            self._sync_folder()
        except OSError as error:
            raise EnvironmentFailure(f"cannot keep the position in {file}: {error.strerror}") from error

    def _sync_folder(self) -> None:
        descriptor = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _file(self, part: str) -> Path:
        return self._folder / f"{quote(part.replace(' ', '-'), safe='')}.json"
