"""`connectors.ports.Identifiers` over a mapping that may change while a connector runs."""

import logging
import time
from pathlib import Path
from typing import Protocol

from connectors.identifiers.mapping import NO_MAPPING, Mapping
from connectors.identifiers.rows import read_rows
from connectors.ports import Unmapped
from connectors.profiles import IdentifierKind
from engine.core.errors import UsageError

log = logging.getLogger(__name__)

LOOK_SECONDS = 2.0


class MappingSource(Protocol):
    """Where a mapping comes from: a file here, a table in `connectors.database.identifiers`."""

    def current(self) -> Mapping:
        """The mapping as it is now; cheap while it has not changed. Raises `UsageError` if it was never right."""
        ...


class MappingFile:
    """A mapping in a CSV file, which is read again when its size or its time of change differs.

    A change that is not right is said once, and the mapping before it stays in force.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int] | None = None
        self._mapping: Mapping | None = None
        self._looked = 0.0

    def current(self) -> Mapping:
        """The mapping; the file is looked at every two seconds at most."""
        now = time.monotonic()
        if self._mapping is not None and now - self._looked < LOOK_SECONDS:
            return self._mapping
        self._looked = now
        stamp = self._stamp()
        if self._mapping is None or stamp != self._seen:
            self._seen = stamp
            self._mapping = self._read_again()
        return self._mapping

    def _read_again(self) -> Mapping:
        try:
            return read_rows(self._path)
        except UsageError as error:
            if self._mapping is None:
                raise
            log.warning("%s; the identifiers from before stay in force", error)
            return self._mapping

    def _stamp(self) -> tuple[int, int] | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size


class NoMapping:
    """The mapping of a profile that names none: it has no rows."""

    def current(self) -> Mapping:
        """The empty mapping."""
        return NO_MAPPING


class Names:
    """The names of partners and ours; of the kinds in `ours_already` a partner without a row uses our names."""

    def __init__(self, source: MappingSource, ours_already: frozenset[IdentifierKind] = frozenset()) -> None:
        self._source = source
        self._ours_already = ours_already

    @classmethod
    def of(cls, path: Path | None, ours_already: frozenset[IdentifierKind] = frozenset()) -> "Names":
        """The names of a profile: of the file that it names, read at once, or of none. Raises `UsageError`."""
        if path is None:
            return cls(NoMapping(), ours_already)
        file = MappingFile(path)
        file.current()
        return cls(file, ours_already)

    def ours(self, kind: IdentifierKind, partner: str, theirs: str) -> str:
        """Our name for what the partner calls `theirs`; raises `Unmapped`."""
        mapping = self._source.current()
        return self._known(mapping.ours(kind, partner, theirs), mapping, (kind, partner, theirs))

    def theirs(self, kind: IdentifierKind, partner: str, ours: str) -> str:
        """What the partner calls it; raises `Unmapped`."""
        mapping = self._source.current()
        return self._known(mapping.theirs(kind, partner, ours), mapping, (kind, partner, ours))

    def _known(self, found: str | None, mapping: Mapping, asked: tuple[IdentifierKind, str, str]) -> str:
        if found is not None:
            return found
        kind, partner, name = asked
        if kind in self._ours_already and not mapping.speaks_of(kind, partner):
            return name
        raise Unmapped(kind, partner, name)
