"""What another policy would do to a row: computed on the row as it is, by the rules of the fold, and folded nowhere."""

import msgspec

from agents.explain import terms_of
from agents.need import need_of
from agents.reader import RowView
from engine.bus.single import Kept
from engine.core import payloads as p
from engine.core.rules import Rules
from engine.core.values import iso
from engine.runtime.detail import row_view
from tables.planning import Plan


class _Proposed(RowView):
    """A row under a policy that was not set."""

    __slots__ = ("_proposed",)

    def __init__(self, real: RowView, policy: p.PolicySetData) -> None:
        super().__init__(real.reader, real.row, real.stock)
        self._proposed = msgspec.structs.replace(real.plan, policy=policy)

    @property
    def plan(self) -> Plan:
        """The plan of the row, but for its policy."""
        return self._proposed


def policy_effect(bus: Kept, rules: Rules, now: int, policy: p.PolicySetData) -> dict[str, object] | None:
    """What a policy would make of its row, JSON-ready, beside what the row's own makes of it.

    Args:
        bus: its committed state is read.
        rules: the engine's rules.
        now: the instant to look from, in microseconds.
        policy: the policy, which names the row.

    Returns:
        `before` and `after` with s, S (None for whole lots), the quantity that would be ordered now (0 above s) and the
        terms behind them, or None where there is no policy; None if there is no such row.
    """
    view = row_view(bus, rules, now, (policy.sku, policy.location))
    if view is None:
        return None
    return {
        "as_of": iso(now),
        "position": view.stock.position,
        "before": _shown(view),
        "after": _shown(_Proposed(view, policy)),
    }


def _shown(view: RowView) -> dict[str, object] | None:
    need = need_of(view)
    return None if need is None else {"s": need.s, "S": need.S, "qty": need.quantity.qty, "terms": terms_of(need)}
