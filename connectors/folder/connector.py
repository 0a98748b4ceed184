"""The connector of a folder: it opens the place where the files are."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from connectors.folder.local import LocalPlace
from connectors.folder.profile import Profile
from connectors.folder.sftp import SftpPlace
from connectors.folder.source import FolderSource
from connectors.ports import Finding, Sink, Source, Tools
from connectors.profiles import Unreachable


class FolderConnector:
    """An open connection to a folder; an asynchronous context manager."""

    def __init__(self, profile: Profile, tools: Tools) -> None:
        self._profile = profile
        self._server = None if profile.sftp is None else SftpPlace(profile.sftp, profile.path)
        self._source = FolderSource(profile, tools, self._server or LocalPlace(Path(profile.path)))

    async def __aenter__(self) -> Self:
        """Read the profiles of the patterns, and connect. Raises `Unreachable` and `UsageError`."""
        for each in self._profile.files:
            self._source.reader_of(each)
        if self._server is not None:
            await self._server.connect()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the connection."""
        if self._server is not None:
            await self._server.close()

    @property
    def sources(self) -> Mapping[str, Source]:
        """The files."""
        return {"files": self._source}

    @property
    def sinks(self) -> Mapping[str, Sink]:
        """None."""
        return {}

    async def check(self) -> Sequence[Finding]:
        """List the folder, and say how many files wait."""
        try:
            waiting = await self._source.waiting()
        except Unreachable as error:
            return [Finding(f"the folder {self._profile.path}", False, str(error))]
        first = "".join(f", {entry.name}" for entry in waiting[:3])
        return [Finding(f"the folder {self._profile.path}", True, f"{len(waiting)} files wait{first}")]
