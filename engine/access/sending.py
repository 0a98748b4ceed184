"""Which events a login may send, and in whose name people answer."""

from collections.abc import Sequence

import msgspec
from msgspec import Struct

from engine.access.denial import Forbidden
from engine.access.principal import Principal
from engine.access.rules import OPERATORS, PLANNERS, SENDERS, SUPPLIERS, require
from engine.core import events as e
from engine.core.identify import identify

SUPPLIER = "supplier/"
"""The `source` of what a supplier says of its lines is this and its name."""
OWN = "stockline/"
"""The sources that begin so are the engine's own."""

_ANSWERS = (
    e.SignalAccepted, e.SignalRejected, e.SignalReopened, e.SignalSnoozed, e.SignalAssigned,
    e.AlertAcknowledged, e.AlertResolved, e.AlertReopened, e.AlertSnoozed, e.AlertAssigned,
)  # fmt: skip


def own_source(principal: Principal) -> str | None:
    """The `source` of the events that this login sends; None where its roles ask for no own one."""
    return principal.source if principal.supplier is None else SUPPLIER + principal.supplier


def require_sources(principal: Principal, items: Sequence[bytes]) -> None:
    """Let events pass to the log; raises Forbidden for all of them at the first that is not the sender's.

    One foreign event refuses the whole body: a sender with a wrong `source` in its settings stops and loses nothing,
    where one that is told of each event would go on behind events that nobody took. An event whose source cannot be
    read passes, because it becomes a dead letter that names nobody.
    """
    require(principal, SENDERS | SUPPLIERS, "sending events")
    if principal.name is None:
        return
    for index, item in enumerate(items):
        _require_source(principal, index, item)


def _require_source(principal: Principal, index: int, item: bytes) -> None:
    source = identify(item).source
    if source is None or source == principal.source:
        if "adapter" in principal.roles or "operator" in principal.roles:
            return
    elif "operator" in principal.roles and not source.startswith(OWN):
        return
    if _speaks_for(principal, source) and _is(item, e.OrderAcknowledged, e.ShipmentNotified):
        return
    raise Forbidden(
        f"{principal.name} may not send event {index} of the body under the source it names; {_may(principal)}. "
        "Nothing of the body was taken",
        "foreign_source",
    )


def _speaks_for(principal: Principal, source: str | None) -> bool:
    """Whether this is the source of a supplier for whom the caller speaks: itself, or any for a planner.

    Whether the lines are the supplier's is the handler's to see: it has read them through the guard.
    """
    if source is None or not source.startswith(SUPPLIER):
        return False
    return "planner" in principal.roles or source == f"{SUPPLIER}{principal.supplier}"


def _is(item: bytes, *kinds: type[e.Event]) -> bool:
    return isinstance(e.decode(item), kinds)


def _may(principal: Principal) -> str:
    if "operator" in principal.roles:
        return f"an operator sends those of any system, but none that begins with {OWN}"
    if "adapter" in principal.roles:
        return f"this login sends events of {principal.source} only"
    return "it sends what a supplier says of its lines, by the supplier's calls"


class _Envelope(Struct):
    by: str | None = None


_envelopes = msgspec.json.Decoder(_Envelope)


def require_decision(principal: Principal, item: bytes) -> None:
    """Let one event pass that is decided at once: an answer in the caller's own name, or what an operator replays."""
    require(principal, PLANNERS | OPERATORS, "deciding")
    if principal.name is None or "operator" in principal.roles:
        return
    event = e.decode(item)
    if isinstance(event, _ANSWERS):
        require_name(principal, event.data.by)
    elif isinstance(event, e.PolicySet):
        # An event of this type tells in its envelope who set the policy.
        require_name(principal, _envelopes.decode(item).by)
    else:
        raise Forbidden(f"{principal.name} may answer signals and alerts and set policies, and this is neither")


def require_name(principal: Principal, by: str | None) -> None:
    """Let a name pass under which something is done: with a login it is the login's; raises Forbidden otherwise."""
    if principal.name is not None and by != principal.name:
        raise Forbidden(f"`by` is the name of the login, {principal.name}: leave it out, or give it", "foreign_name")


def require_own_report(principal: Principal, connector: str, source: str) -> None:
    """Let the report of a connector pass that has this source; raises Forbidden for that of another's."""
    if principal.source is not None and "operator" not in principal.roles and source != principal.source:
        raise Forbidden(
            f"{principal.name} may not report for the connector {connector}: this login is for {principal.source} only",
            "foreign_source",
        )
