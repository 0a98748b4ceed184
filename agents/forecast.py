"""Forecast versions: which revisions are in force, and which wait for a version that is not known.

Rows: `Revision` (the deltas, by the version that they amend), `Version` (by name), the buckets of `agents.demand`, and
of `Plan` the base and the counts. All of it is a function of the set of revisions of the row, whatever the order of
their arrival. A revision's rank is its time, and at one time its identity:

- The base is the `replace` of the greatest rank.
- A delta that names no version amends what is in force when it is issued: it counts if its rank is above the base's.
- Any other delta counts if a revision that is in force bears the version which it names: the base, or a delta that
  counts. So chains, several revisions of one name, and several deltas of one version all count; a delta that names
  itself, or a circle of deltas, counts only if something in force leads to it.
- What is older than the latest `replace` under another version name than the base's is superseded for good, even where
  that older version is stated again.
- A version is settled if it is that of the base or of any revision older than the base, or of a delta that names no
  version or a settled one. A delta that is later than the base and names a version which is not settled is a gap: the
  forecast is incomplete. Where it names a settled version that is not in force, it is only out of date.

No event walks over what others have left: a delta is added once when the version that it names comes into force, taken
back at most once for each time, and dropped when it is superseded. What is kept of deltas is bounded, so that what one
event releases is bounded too.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Any

from agents import alerts
from agents.demand import add_buckets, open_buckets
from agents.planning import close_buckets
from agents.turn import Turn
from engine.core import payloads as p
from engine.core.outcomes import Rejection
from engine.core.values import day_of
from tables import keys
from tables.forecast import DELTA_ORDER, GAP, VERSION, Revision, Version, delta_key, deltas_of
from tables.keys import Rank
from tables.planning import Plan
from tables.table import Key

MOST_SPANS = 20_000
"""Deltas and buckets of deltas that a row keeps; a new base under another version name makes room."""
NAMED_GAPS = 10
"""An alert names at most so many deltas that wait."""
SHOWN_DELTAS = 100
"""A view shows at most so many deltas, the latest."""
LAST_DAY = 3_652_059


def revise_forecast(turn: Turn, row: bytes, data: p.ForecastRevisedData) -> Rejection | None:
    """`forecast.revised`: replace the forecast, or amend the version that the delta names."""
    location = keys.names(row)[1]
    close_buckets(turn, row, turn.stock(row))
    plan = turn.plan(row)
    if plan.base is None and not plan.deltas:
        plan.closed_until = turn.local_day(location, turn.at)
    plan.swept = max(plan.swept, turn.local_today(location))
    buckets = [(b.start.toordinal(), b.days, b.qty) for b in data.buckets]
    revision = Revision(data.version, data.base_version, (0, turn.at, turn.identity), buckets)
    if data.mode == "delta":
        _amend(turn, row, plan, revision)
    elif plan.base is None or revision.rank > plan.base.rank:
        _rebase(turn, row, plan, revision)
    else:
        _remember(turn, row, plan, revision, plan.base)
    if plan.spans > MOST_SPANS:
        detail = (
            f"the row keeps {MOST_SPANS} forecast deltas and buckets of deltas; replace the forecast by a new version"
        )
        return Rejection("row_too_large", detail)
    _report_gaps(turn, row, plan)
    return None


def _amend(turn: Turn, row: bytes, plan: Plan, delta: Revision) -> None:
    base = plan.base
    is_older = base is not None and delta.rank < base.rank
    if is_older:
        _settle(turn, row, plan, delta.version)
    if is_older and (delta.base_version is None or (plan.superseded is not None and delta.rank < plan.superseded)):
        return
    _keep(turn, row, plan, delta)
    if _counts(turn, row, delta):
        _apply(turn, row, plan, [delta])
    if delta.base_version is None or _version(turn, row, delta.base_version).settled:
        _settle(turn, row, plan, delta.version)
    elif not is_older:
        turn.put(_gap_key(row, delta.rank), delta.base_version.encode())
        plan.gaps += 1


def _rebase(turn: Turn, row: bytes, plan: Plan, new: Revision) -> None:
    """Put a new base in the place of the old one, with the deltas that build on it."""
    old, plan.base = plan.base, new
    add_buckets(turn, row, plan, new.buckets, 1)
    ended = _kept_before(turn, row, None, new.rank)
    lost = []
    if old is not None:
        add_buckets(turn, row, plan, old.buckets, -1)
        if old.version != new.version:
            plan.superseded = old.rank
            ended += _superseded(turn, row, old.rank)
            lost = [old.version]
    _withdraw(turn, row, plan, ended, lost)
    if old is None or old.version != new.version:
        _support(turn, row, plan, new.version)
    _settle(turn, row, plan, new.version)
    for key, base_version in list(turn.scan(*keys.ranked_range(GAP + row, *new.rank[1:]))):
        turn.put(key, None)
        plan.gaps -= 1
        delta = turn.require(delta_key(row, base_version.decode(), keys.rank_of(key)))
        _settle(turn, row, plan, delta.version)


def _remember(turn: Turn, row: bytes, plan: Plan, late: Revision, base: Revision) -> None:
    """A `replace` older than the base: its version is known, and older deltas than it are superseded."""
    _settle(turn, row, plan, late.version)
    if late.version != base.version and (plan.superseded is None or late.rank > plan.superseded):
        plan.superseded = late.rank
        _withdraw(turn, row, plan, _superseded(turn, row, late.rank), [])


# deltas ---------------------------------------------------------------------------------------------------------------


def _gap_key(row: bytes, rank: Rank) -> Key[bytes]:
    return keys.ranked(GAP + row, *rank[1:])


def _keep(turn: Turn, row: bytes, plan: Plan, delta: Revision) -> None:
    turn.put(delta_key(row, delta.base_version, delta.rank), delta)
    turn.put(keys.ranked(DELTA_ORDER + row, *delta.rank[1:]), (delta.base_version or "").encode())
    plan.deltas += 1
    plan.spans += 1 + len(delta.buckets)


def _drop(turn: Turn, row: bytes, plan: Plan, delta: Revision) -> None:
    turn.put(delta_key(row, delta.base_version, delta.rank), None)
    turn.put(keys.ranked(DELTA_ORDER + row, *delta.rank[1:]), None)
    plan.deltas -= 1
    plan.spans -= 1 + len(delta.buckets)


def _followers(turn: Turn, row: bytes, version: str | None) -> Iterator[Revision]:
    """The kept deltas that name a version.

    They are read below the turn, which would look at all of its writes for each of them: a chain that comes into force
    at once writes much. A delta that this turn adds need not be found, because nothing in it leads to its own base.
    """
    prefix = deltas_of(row, version)
    for key, delta in turn.space.scan(prefix + keys.NUL, prefix + b"\x01"):
        if turn.writes.get(key, delta) is not None:
            yield delta


def _kept_before(turn: Turn, row: bytes, version: str | None, rank: Rank) -> list[Revision]:
    """The kept deltas that name a version and are older than `rank`."""
    return [delta for _, delta in turn.scan(*keys.ranked_range(deltas_of(row, version), *rank[1:]))]


def _superseded(turn: Turn, row: bytes, rank: Rank) -> list[Revision]:
    """The kept deltas that name any version and are older than `rank`."""
    found = turn.scan(*keys.ranked_range(DELTA_ORDER + row, *rank[1:]))
    return [turn.require(delta_key(row, base.decode(), keys.rank_of(key))) for key, base in found if base]


# what is in force -----------------------------------------------------------------------------------------------------


def _version(turn: Turn, row: bytes, name: str) -> Version:
    """What is known of a version name, to be read."""
    return turn.get(keys.part(VERSION, row, name)) or Version()


def _counts(turn: Turn, row: bytes, delta: Revision) -> bool:
    """Whether a kept delta is in force."""
    return delta.base_version is None or _version(turn, row, delta.base_version).supports > 0


def _support(turn: Turn, row: bytes, plan: Plan, name: str) -> None:
    """One more revision in force bears a version name; the first brings its deltas into force."""
    version: Version = turn.edit(keys.part(VERSION, row, name), Version)
    version.supports += 1
    if version.supports == 1:
        _apply(turn, row, plan, list(_followers(turn, row, name)))


def _apply(turn: Turn, row: bytes, plan: Plan, pending: list[Revision]) -> None:
    """Bring deltas into force, and those that build on them."""
    while pending:
        delta = pending.pop()
        add_buckets(turn, row, plan, delta.buckets, 1)
        version: Version = turn.edit(keys.part(VERSION, row, delta.version), Version)
        version.supports += 1
        if version.supports == 1:
            pending += _followers(turn, row, delta.version)


def _withdraw(turn: Turn, row: bytes, plan: Plan, ended: list[Revision], lost: list[str]) -> None:
    """Drop deltas for good, and take out of force what nothing leads to any more.

    Args:
        turn: the turn of the event.
        row: the row's name.
        plan: the row's plan, to be changed.
        ended: the deltas that are superseded.
        lost: version names that the old base bore.

    All that builds on a lost name is taken back first, and then what something else still supports is added again: a
    circle of deltas would else keep itself in force.
    """
    in_force = [delta for delta in ended if _counts(turn, row, delta)]
    for delta in ended:
        _drop(turn, row, plan, delta)
    for delta in in_force:
        add_buckets(turn, row, plan, delta.buckets, -1)
    pending = [*lost, *(delta.version for delta in in_force)]
    fallen: set[str] = set()
    for name in pending:
        version: Version = turn.edit(keys.part(VERSION, row, name), Version)
        version.supports -= 1
        if name in fallen:
            continue
        fallen.add(name)
        for delta in _followers(turn, row, name):
            add_buckets(turn, row, plan, delta.buckets, -1)
            pending.append(delta.version)
    for name in [name for name in dict.fromkeys(pending) if _version(turn, row, name).supports > 0]:
        _apply(turn, row, plan, list(_followers(turn, row, name)))


# gaps -----------------------------------------------------------------------------------------------------------------


def _settle(turn: Turn, row: bytes, plan: Plan, name: str) -> None:
    """A version is settled, and with it the versions of the deltas that build on it."""
    pending = [name]
    while pending:
        name = pending.pop()
        if _version(turn, row, name).settled:
            continue
        version: Version = turn.edit(keys.part(VERSION, row, name), Version)
        version.settled = True
        for delta in _followers(turn, row, name):
            pending.append(delta.version)
            if plan.base is None or delta.rank > plan.base.rank:
                turn.put(_gap_key(row, delta.rank), None)
                plan.gaps -= 1


def _report_gaps(turn: Turn, row: bytes, plan: Plan) -> None:
    """Raise `forecast_gap` while a delta waits for a version that is not known."""
    if not plan.gaps:
        alerts.clear_alert(turn, row, "forecast_gap")
        return
    waiting = [
        turn.require(delta_key(row, base.decode(), keys.rank_of(key)))
        for key, base in islice(turn.scan(*keys.parts_range(GAP, row)), NAMED_GAPS)
    ]
    evidence = {
        "missing": sorted({delta.base_version or "" for delta in waiting}),
        "deltas": [delta.version for delta in waiting],
        "waiting": plan.gaps,
        "events": [turn.ref],
    }
    alerts.raise_alert(turn, row, "forecast_gap", evidence)


# for people -----------------------------------------------------------------------------------------------------------


def forecast_view(turn: Turn, row: bytes) -> dict[str, Any] | None:
    """The forecast in force of a row and the latest deltas that count or wait; None where there is none."""
    plan = turn.read_plan(row)
    if plan.base is None and not plan.deltas:
        return None
    today = turn.local_today(keys.names(row)[1])
    return {
        "version": plan.base.version if plan.base else None,
        "deltas": [delta.version for delta in reversed(list(islice(_latest(turn, row, plan), SHOWN_DELTAS)))],
        "complete": plan.complete,
        "buckets": [
            {"start": day_of(start).isoformat(), "days": days, "qty": qty}
            for start, days, qty in open_buckets(turn, row, today, LAST_DAY + 1)
        ],
    }


def _latest(turn: Turn, row: bytes, plan: Plan) -> Iterator[Revision]:
    """The deltas that count, or are later than the base, the latest first."""
    for key, base in turn.scan(*keys.parts_range(DELTA_ORDER, row), reverse=True):
        delta = turn.require(delta_key(row, base.decode(), keys.rank_of(key)))
        if plan.base is None or delta.rank > plan.base.rank or _counts(turn, row, delta):
            yield delta
