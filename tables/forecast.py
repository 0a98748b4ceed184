"""The forecast revisions of a row: deltas, the versions that they name, and those that wait for one."""

from msgspec import Struct

from tables.keys import Rank, part, ranked
from tables.table import Key, Table, Use


class Revision(Struct, array_like=True, gc=False):
    """One forecast revision; buckets are (start day, days, quantity)."""

    version: str
    base_version: str | None
    rank: Rank
    buckets: list[tuple[int, int, int]]


class Version(Struct, array_like=True, gc=False):
    """What is known of the forecast revisions of a row that bear one version name."""

    settled: bool = False
    """Whether a delta that names this version waits for nothing."""
    supports: int = 0
    """How many revisions that are in force bear the name; above 0 the deltas that name it are in force too."""


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
