"""The mapping itself: rows, looked up in both directions. It reads nothing."""

from typing import Final, NamedTuple

from connectors.profiles import IdentifierKind

ALL_PARTNERS: Final = "*"


class Row(NamedTuple):
    """A row of the mapping: what a partner calls something of ours."""

    partner: str
    kind: IdentifierKind
    theirs: str
    ours: str


class Mapping:
    """Rows by what a partner says, and by what we say. Several names of a partner may mean one of ours.

    In the other direction the first row is taken.
    """

    def __init__(self) -> None:
        self._theirs: dict[tuple[str, str, str], Row] = {}
        self._ours: dict[tuple[str, str, str], Row] = {}
        self._declared: set[tuple[str, str]] = set()

    def __len__(self) -> int:
        return len(self._theirs)

    def ours(self, kind: IdentifierKind, partner: str, theirs: str) -> str | None:
        """Our name for what the partner calls `theirs`; None where no row maps it."""
        found = self._theirs.get((partner, kind, theirs)) or self._theirs.get((ALL_PARTNERS, kind, theirs))
        return found and found.ours

    def theirs(self, kind: IdentifierKind, partner: str, ours: str) -> str | None:
        """What the partner calls it, by the first row that says so; None where none does."""
        found = self._ours.get((partner, kind, ours)) or self._ours.get((ALL_PARTNERS, kind, ours))
        return found and found.theirs

    def speaks_of(self, kind: IdentifierKind, partner: str) -> bool:
        """Whether any row maps a name of this kind for the partner."""
        return bool({(partner, kind), (ALL_PARTNERS, kind)} & self._declared)

    def add(self, row: Row) -> str | None:
        """Add a row; what is wrong with it, where a row before says the same or something else of its name."""
        other = self._theirs.setdefault((row.partner, row.kind, row.theirs), row)
        if other is not row:
            name = f"the {row.kind} {row.theirs!r} of the partner {row.partner!r}"
            said = "is in a row before" if other.ours == row.ours else f"is {row.ours!r} here and {other.ours!r} before"
            return f"{name} {said}"
        self._ours.setdefault((row.partner, row.kind, row.ours), row)
        self._declared.add((row.partner, row.kind))
        return None


NO_MAPPING: Final = Mapping()
