"""The forecast revisions of a row: deltas, the versions that they name, and the deltas that wait for a version.

DELTA holds deltas by the version that they amend, DELTA_ORDER names all of them by rank, and GAP names those whose
version is not known, by rank. The values of the last two are the version that the delta amends.
"""

from msgspec import Struct

from tables.keys import Rank, part, ranked
from tables.table import Key, Table, Use


class Revision(Struct, array_like=True, gc=False):
    """One `forecast.revised`: the base of a forecast, or a delta."""

    version: str
    base_version: str | None
    rank: Rank
    buckets: list[tuple[int, int, int]]
    """(start day, days, quantity)."""


class Version(Struct, array_like=True, gc=False):
    """A version name of a row's forecast, and whether the deltas that amend it count."""

    known: bool = False
    """Whether a delta that amends this version waits for nothing: `agents.forecast` says when."""
    supports: int = 0
    """How many revisions in force bear the name. Above 0 the deltas that amend it are in force too."""


DELTA = Table(
    b"D", "forecast deltas", Revision, Use.BY_KEY | Use.IN_ORDER, lambda delta: 800 + 160 * len(delta.buckets)
)
DELTA_ORDER = Table(b"O", "forecast order", bytes, Use.IN_ORDER)
GAP = Table(b"G", "forecast gaps", bytes, Use.IN_ORDER)
VERSION = Table(b"V", "forecast versions", Version)


def deltas_of(row: bytes, base_version: str | None) -> Key[Revision]:
    """The prefix of the forecast deltas of a row that amend one version; None are those that name no version."""
    return part(DELTA, row, base_version or "")


def delta_key(row: bytes, base_version: str | None, rank: Rank) -> Key[Revision]:
    """The key of the delta that amends `base_version` and was made by the event of this rank."""
    return ranked(deltas_of(row, base_version), *rank[1:])
