"""The plan of a row: its policy, the base of its forecast, and what was observed of demand and lead time."""

from msgspec import Struct, field

from engine.core.payloads import PolicySetData
from tables.forecast import Revision
from tables.keys import Rank
from tables.table import Table


class Plan(Struct, array_like=True, gc=False):
    """Policy, forecast and what was observed of demand and lead time at a row."""

    policy: PolicySetData | None = None
    policy_rank: Rank | None = None
    base: Revision | None = None
    superseded: Rank | None = None
    """The rank of the latest `replace` under another version name than the base's: older deltas never count again."""
    deltas: int = 0
    """How many deltas are kept, in force or not."""
    spans: int = 0
    """How many deltas and buckets of deltas are kept: what one event may have to put in force or take back."""
    gaps: int = 0
    """How many of them wait for a version that is not known."""
    buckets: int = 0
    """How many buckets of the forecast in force have not ended."""
    closes_at: int = 0
    """No bucket ends before this day."""
    swept: int = 0
    """Buckets that ended on this day or before are no longer kept."""
    closed_until: int = 0
    errors: list[tuple[int, int, int]] = field(default_factory=list)
    """Of the last closed buckets: (forecast, issued, days)."""
    completed: list[tuple[int, str, int]] = field(default_factory=list)
    """The last completed order lines by their last receipt: (its instant, the line's name, days from order to it)."""

    @property
    def lead_times(self) -> list[int]:
        """Days from order to receipt of the last completed lines."""
        return [days for _, _, days in self.completed]

    @property
    def complete(self) -> bool:
        """Whether no delta waits for a version that is not known."""
        return not self.gaps


def _weigh(plan: Plan) -> int:
    return 1_500 + 160 * (len(plan.errors) + (len(plan.base.buckets) if plan.base is not None else 0))


PLAN = Table(b"p", "plans", Plan, weight=_weigh)
