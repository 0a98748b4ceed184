"""One sentence for each kind of alert, made of its evidence, as a planner reads it.

A signal brings its sentence with it (`agents.explain`). An alert has numbers only, so that its bytes stay small and its
wording may get better without another event.
"""

from collections.abc import Callable, Mapping
from typing import Any

from engine.core.outputs import Alert, AlertKind

Evidence = Mapping[str, Any]

MOST_NAMED = 3
"""A sentence names at most so many events, feeds or versions; the evidence has them all."""

CAUSES: Mapping[str, str] = {
    "not_posted": "it has not posted {events}",
    "posted_twice": "it has posted {events} twice",
    "flipped_sign": "it has posted {events} with the other sign",
    "unit_factor": "it has taken {events} in another unit",
    "transfer_leg": "it has left out one leg of the transfer {events}",
    "cut_off": "it has put {events} on the other side of its cut-off",
}
"""What the ERP has done, by the cause that a drift names; `unknown` is none of them."""


def sentence_of(alert: Alert) -> str:
    """What an alert says, in a sentence or two; times are in UTC, quantities in base units."""
    try:
        return _SAYS[alert.kind](alert, alert.evidence)
    except KeyError:
        # An earlier version of the engine may have opened it, with less evidence.
        return f"{_row(alert)} has an alert: {alert.kind.replace('_', ' ')}."


# the difference between two systems -----------------------------------------------------------------------------------


def _balance_drift(alert: Alert, said: Evidence) -> str:
    told = f"The ERP reports {said['reported']} on hand of {_row(alert)} as of {_time(said['as_of'])}, kept are"
    parts = [f"{told} {said['kept']}{_more_or_fewer(said['difference'])}."]
    for name, words in (("held", "on hold"), ("on_order", "on order")):
        if name in said:
            other = said[name]
            parts.append(f"It reports {other['reported']} {words}, kept are {other['kept']}.")
    if said["difference"]:
        parts.append(_cause(said["causes"]))
    return " ".join(parts)


def _more_or_fewer(difference: int) -> str:
    return f": {abs(difference)} {'more' if difference > 0 else 'fewer'}" if difference else ""


def _cause(causes: list[dict[str, Any]]) -> str:
    """The likeliest cause of a difference, which is the first."""
    words = CAUSES.get(causes[0]["cause"]) if causes else None
    if words is None:
        return "No movement that is kept explains it."
    return f"Most likely {words.format(events=_named(causes[0]['events']) or 'the whole balance')}."


def _late_count(alert: Alert, said: Evidence) -> str:
    if "reported_at" in said:
        return (
            f"The balance report of {_row(alert)} as of {_time(said['reported_at'])} was not compared: movements are "
            f"kept since {_time(said['kept_since'])} only."
        )
    return (
        f"The count of {said['qty']} {said['status']} of {_row(alert)} at {_time(said['counted_at'])} is older than "
        f"the movements that are kept, and counts as of {_time(said['applied_as_of'])}."
    )


def _negative_stock(alert: Alert, said: Evidence) -> str:
    return (
        f"{_row(alert)} has been below 0 since {_time(said['since'])}, at the lowest {said['lowest']}: a receipt or a "
        "count is missing."
    )


# supply ---------------------------------------------------------------------------------------------------------------


def _late_supply(alert: Alert, said: Evidence) -> str:
    what = f"{said['open']} of {_row(alert)} on order {said['line']}{_from(said)}"
    if said["overdue"]:
        return f"{what} are overdue: they were promised for {said['promised']}."
    return f"{what} are promised for {said['promised']}, due is {said['due']}."


def _short_ack(alert: Alert, said: Evidence) -> str:
    return (
        f"Of {said['ordered']} of {_row(alert)} on order {said['line']}{_from(said)} only {said['promised']} are "
        f"promised: {said['missing']} are missing."
    )


def _over_receipt(alert: Alert, said: Evidence) -> str:
    most = max(("received", "shipped", "acknowledged"), key=lambda name: int(said[name]))
    excess = said[most] - said["ordered"]
    return (
        f"{said[most]} of {_row(alert)} were {most} on order {said['line']}{_from(said)}: {excess} more than the "
        f"{said['ordered']} that were ordered."
    )


def _ack_overdue(alert: Alert, said: Evidence) -> str:
    return (
        f"Order {said['line']} of {said['ordered']} of {_row(alert)}{_from(said)} is not acknowledged, which was "
        f"expected by {said['expected']}."
    )


def _asn_overdue(alert: Alert, said: Evidence) -> str:
    return (
        f"No shipment is announced of {said['open']} of {_row(alert)} on order {said['line']}{_from(said)}, promised "
        f"for {said['promised']}; the notice was expected by {said['expected']}."
    )


def _damaged_receipt(alert: Alert, said: Evidence) -> str:
    order = f" of order {said['order']}" if said["order"] else ""
    return f"Receipt {said['receipt']}{order} brought {said['damaged']} damaged units of {_row(alert)}."


def _lost_in_transit(alert: Alert, said: Evidence) -> str:
    origin = f" from {said['from']}" if said["from"] else ""
    return (
        f"{said['missing']} of {said['shipped']} of {_row(alert)} in the transfer {said['transfer']}{origin}, shipped "
        f"at {_time(said['shipped_at'])}, have not arrived."
    )


def _lead_time_drift(alert: Alert, said: Evidence) -> str:
    return (
        f"Goods of {_row(alert)}{_from(said)} take {said['observed_days']} days, the policy says "
        f"{said['policy_days']} ({said['samples']} order lines, {said['open_and_late']} of them open and late)."
    )


# demand ---------------------------------------------------------------------------------------------------------------


def _projected_stockout(alert: Alert, said: Evidence) -> str:
    return (
        f"{_row(alert)} runs out on {said['date']}: of {said['sellable']} sellable now, the projection falls to "
        f"{said['lowest']} within {said['days_ahead']} days of lead time and review."
    )


def _forecast_bias(alert: Alert, said: Evidence) -> str:
    return (
        f"The forecast of {_row(alert)} is too {'high' if said['direction'] == 'over' else 'low'}: {said['forecast']} "
        f"were forecast over {said['periods']} periods, {said['issued']} were issued (tracking signal "
        f"{said['tracking_signal']}, limit {said['limit']})."
    )


def _forecast_gap(alert: Alert, said: Evidence) -> str:
    count = said["waiting"]
    wait = "1 change waits" if count == 1 else f"{count} changes wait"
    return f"The forecast of {_row(alert)} is incomplete: {wait} for version {_named(said['missing'])}."


# the machinery --------------------------------------------------------------------------------------------------------


def _push_failed(alert: Alert, said: Evidence) -> str:
    return (
        f"{said['system']} could not be told of the proposal {said['signal']} for {_row(alert)} in "
        f"{said['attempts']} attempts: {said['detail']}"
    )


def _stale_feed(_: Alert, said: Evidence) -> str:
    places = f" for {_named(said['locations'])}" if said["locations"] else ""
    return (
        f"Nothing has arrived from {said['feed']}{places} since {_time(said['last_arrival'])}; something is expected "
        f"every {said['interval_seconds']} seconds."
    )


def _clock_jump(_: Alert, said: Evidence) -> str:
    return (
        f"{said['by']} accepted at {_time(said['at'])} that the clock had jumped ahead by {said['jumped_seconds']} "
        "seconds; what fell due in that time came due at once."
    )


def _unknown_item(alert: Alert, _: Evidence) -> str:
    return f"{alert.sku} at {alert.location} has events, but no item master."


# words ----------------------------------------------------------------------------------------------------------------


def _row(alert: Alert) -> str:
    return f"{alert.sku} at {alert.location}"


def _from(said: Evidence) -> str:
    return f" from {said['supplier']}" if said.get("supplier") else ""


def _time(instant: str) -> str:
    """An instant of the evidence to the minute; all of them are in UTC."""
    return f"{instant[:16].replace('T', ' ')} UTC"


def _named(names: list[str]) -> str:
    more = len(names) - MOST_NAMED
    return ", ".join(names[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


_SAYS: Mapping[AlertKind, Callable[[Alert, Evidence], str]] = {
    "ack_overdue": _ack_overdue,
    "asn_overdue": _asn_overdue,
    "balance_drift": _balance_drift,
    "clock_jump": _clock_jump,
    "damaged_receipt": _damaged_receipt,
    "forecast_bias": _forecast_bias,
    "forecast_gap": _forecast_gap,
    "late_count": _late_count,
    "late_supply": _late_supply,
    "lead_time_drift": _lead_time_drift,
    "lost_in_transit": _lost_in_transit,
    "negative_stock": _negative_stock,
    "over_receipt": _over_receipt,
    "projected_stockout": _projected_stockout,
    "push_failed": _push_failed,
    "short_ack": _short_ack,
    "stale_feed": _stale_feed,
    "unknown_item": _unknown_item,
}
