"""The connector: it opens the journal and the folders of a profile."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from connectors.edi.outbound.journal import Journal
from connectors.edi.outbound.profile import Profile
from connectors.edi.outbound.sink import Folders, Outgoing
from connectors.edi.profile import PartnerProfile
from connectors.edi.reader import EdiReader
from connectors.files.readers import load_profile
from connectors.folder.local import LocalPlace
from connectors.folder.places import Place
from connectors.folder.sftp import SftpPlace
from connectors.ports import Finding, Sink, Source, Tools
from connectors.profiles import Unreachable
from engine.core.errors import UsageError

DOCUMENTS = "documents"


class EdiConnector:
    """An open journal, and the folder of the partner; an asynchronous context manager."""

    def __init__(self, profile: Profile, tools: Tools) -> None:
        self._profile, self._tools = profile, tools
        self._servers: list[SftpPlace] = []
        came_in = None if profile.receipts is None else self._place(profile.receipts.folder)
        self._folders = Folders(self._place(""), came_in)
        self._journal: Journal | None = None
        self._outgoing: Outgoing | None = None

    async def __aenter__(self) -> Self:
        """Open the journal, and connect. Raises `Unreachable` and `UsageError`."""
        profile = self._profile
        reader = None if profile.receipts is None else _reader(profile.receipts.profile)
        for server in self._servers:
            await server.connect()
        self._journal = Journal(profile.journal, profile.first_number)
        self._outgoing = Outgoing(profile, self._tools, self._journal, self._folders)
        self._outgoing.reader = reader
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the journal, and end the connection."""
        if self._journal is not None:
            self._journal.close()
        for server in self._servers:
            await server.close()

    @property
    def sources(self) -> Mapping[str, Source]:
        """The documents, for the replay of those that could not be written."""
        return {} if self._outgoing is None else {DOCUMENTS: self._outgoing}

    @property
    def sinks(self) -> Mapping[str, Sink]:
        """The documents."""
        return {} if self._outgoing is None else {DOCUMENTS: self._outgoing}

    async def check(self) -> Sequence[Finding]:
        """List the folder, and say which documents lack a receipt."""
        what = f"the folder {self._profile.path}"
        try:
            there = await self._folders.out.files()
            found = [Finding(what, True, f"it can be listed, {len(there)} files lie in it")]
        except Unreachable as error:
            found = [Finding(what, False, str(error))]
        return found if self._outgoing is None else [*found, *self._outgoing.findings()]

    def _place(self, below: str) -> Place:
        profile = self._profile
        if profile.sftp is None:
            return LocalPlace(Path(profile.path) / below)
        server = SftpPlace(profile.sftp, f"{profile.path.rstrip('/')}/{below}".rstrip("/") or "/")
        self._servers.append(server)
        return server


def _reader(path: Path) -> EdiReader:
    """The reader of what came in. Raises `UsageError` for a profile of another format."""
    profile = load_profile(path, "edi")
    if not isinstance(profile, PartnerProfile):
        raise UsageError(f"the profile {path} is of the format {profile.format}, and receipts are for EDI")
    return EdiReader(profile)
