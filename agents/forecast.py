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
- A version is known if it is that of the base or of any revision older than the base, or of a delta that names no
  version or a known one. A delta that is later than the base and names a version which is not known is a gap: the
  forecast is incomplete. Where it names a known version that is not in force, it is only out of date.

No event walks over what others have left: a delta is added once when the version that it names comes into force, taken
back at most once for each time, and dropped when it is superseded. What is kept of deltas is bounded, so that what one
event releases is bounded too.
"""

from collections.abc import Iterator
from itertools import islice

from agents import alerts
from agents.demand import add_buckets, open_buckets
from agents.drift_forecast import close_buckets
from agents.reader import RowView
from agents.turn import Site
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
"""An alert names at most so many of the deltas that wait."""
SHOWN_DELTAS = 100
"""A view shows at most so many deltas, the latest."""
LAST_DAY = 3_652_059


def revise_forecast(site: Site, data: p.ForecastRevisedData) -> Rejection | None:
    """`forecast.revised`: replace the forecast, or amend the version that the delta names."""
    turn = site.turn
    close_buckets(site)
    plan = site.edit_plan()
    if plan.base is None and not plan.deltas:
        plan.closed_until = site.local_day(turn.at)
    plan.swept = max(plan.swept, site.today)
    buckets = [(b.start.toordinal(), b.days, b.qty) for b in data.buckets]
    revision = Revision(data.version, data.base_version, (0, turn.at, turn.identity), buckets)
    if data.mode == "delta":
        _amend(site, plan, revision)
    elif plan.base is None or revision.rank > plan.base.rank:
        _rebase(site, plan, revision)
    else:
        _remember(site, plan, revision, plan.base)
    if plan.spans > MOST_SPANS:
        detail = (
            f"the row keeps {MOST_SPANS} forecast deltas and buckets of deltas; replace the forecast by a new version"
        )
        return Rejection("row_too_large", detail)
    _report_gaps(site, plan)
    return None


def _amend(site: Site, plan: Plan, delta: Revision) -> None:
    base = plan.base
    is_older = base is not None and delta.rank < base.rank
    if is_older:
        _make_known(site, plan, delta.version)
    if is_older and (delta.base_version is None or (plan.superseded is not None and delta.rank < plan.superseded)):
        return
    _keep(site, plan, delta)
    if _counts(site, delta):
        _apply(site, plan, [delta])
    if delta.base_version is None or _version(site, delta.base_version).known:
        _make_known(site, plan, delta.version)
    elif not is_older:
        site.turn.put(_gap_key(site.row, delta.rank), delta.base_version.encode())
        plan.gaps += 1


def _rebase(site: Site, plan: Plan, new: Revision) -> None:
    """Put a new base in the place of the old one, with the deltas that build on it."""
    old, plan.base = plan.base, new
    add_buckets(site, plan, new.buckets, 1)
    ended = _kept_before(site, None, new.rank)
    lost = []
    if old is not None:
        add_buckets(site, plan, old.buckets, -1)
        if old.version != new.version:
            plan.superseded = old.rank
            ended += _superseded(site, old.rank)
            lost = [old.version]
    _withdraw(site, plan, ended, lost)
    if old is None or old.version != new.version:
        _support(site, plan, new.version)
    _make_known(site, plan, new.version)
    for key, base_version in list(site.turn.scan(*keys.ranked_range(GAP + site.row, *new.rank[1:]))):
        site.turn.put(key, None)
        plan.gaps -= 1
        delta = site.turn.require(delta_key(site.row, base_version.decode(), keys.rank_of(key)))
        _make_known(site, plan, delta.version)


def _remember(site: Site, plan: Plan, late: Revision, base: Revision) -> None:
    """A `replace` older than the base: its version is known, and older deltas than it are superseded."""
    _make_known(site, plan, late.version)
    if late.version != base.version and (plan.superseded is None or late.rank > plan.superseded):
        plan.superseded = late.rank
        _withdraw(site, plan, _superseded(site, late.rank), [])


# deltas ---------------------------------------------------------------------------------------------------------------


def _gap_key(row: bytes, rank: Rank) -> Key[bytes]:
    return keys.ranked(GAP + row, *rank[1:])


def _keep(site: Site, plan: Plan, delta: Revision) -> None:
    site.turn.put(delta_key(site.row, delta.base_version, delta.rank), delta)
    site.turn.put(keys.ranked(DELTA_ORDER + site.row, *delta.rank[1:]), (delta.base_version or "").encode())
    plan.deltas += 1
    plan.spans += 1 + len(delta.buckets)


def _drop(site: Site, plan: Plan, delta: Revision) -> None:
    site.turn.put(delta_key(site.row, delta.base_version, delta.rank), None)
    site.turn.put(keys.ranked(DELTA_ORDER + site.row, *delta.rank[1:]), None)
    plan.deltas -= 1
    plan.spans -= 1 + len(delta.buckets)


def _followers(site: Site, version: str | None) -> Iterator[Revision]:
    """The kept deltas that name a version.

    They are scanned in the workspace below the turn. A scan of the turn looks at what the turn has written since its
    last scan, and a long chain that comes into force at once writes much. The delta that this event adds need not be
    found: nothing that it brings into force leads to its own base.
    """
    prefix = deltas_of(site.row, version)
    for key, delta in site.turn.space.scan(prefix + keys.NUL, prefix + b"\x01"):
        if site.turn.writes.get(key, delta) is not None:
            yield delta


def _kept_before(site: Site, version: str | None, rank: Rank) -> list[Revision]:
    """The kept deltas that name a version and are older than `rank`."""
    return [delta for _, delta in site.turn.scan(*keys.ranked_range(deltas_of(site.row, version), *rank[1:]))]


def _superseded(site: Site, rank: Rank) -> list[Revision]:
    """The kept deltas that name any version and are older than `rank`."""
    found = site.turn.scan(*keys.ranked_range(DELTA_ORDER + site.row, *rank[1:]))
    return [site.turn.require(delta_key(site.row, base.decode(), keys.rank_of(key))) for key, base in found if base]


# what is in force -----------------------------------------------------------------------------------------------------


def _version(view: RowView, name: str) -> Version:
    """What is known of a version name, to be read."""
    return view.reader.get(keys.part(VERSION, view.row, name)) or Version()


def _counts(view: RowView, delta: Revision) -> bool:
    """Whether a kept delta is in force."""
    return delta.base_version is None or _version(view, delta.base_version).supports > 0


def _support(site: Site, plan: Plan, name: str) -> None:
    """Count one more revision in force under a version name; the first brings the deltas of that name into force."""
    version = site.turn.edit(keys.part(VERSION, site.row, name), Version)
    version.supports += 1
    if version.supports == 1:
        _apply(site, plan, list(_followers(site, name)))


def _apply(site: Site, plan: Plan, pending: list[Revision]) -> None:
    """Bring deltas into force, and those that build on them."""
    while pending:
        delta = pending.pop()
        add_buckets(site, plan, delta.buckets, 1)
        version = site.turn.edit(keys.part(VERSION, site.row, delta.version), Version)
        version.supports += 1
        if version.supports == 1:
            pending += _followers(site, delta.version)


def _withdraw(site: Site, plan: Plan, ended: list[Revision], lost: list[str]) -> None:
    """Drop deltas for good, and take out of force what nothing leads to any more.

    Args:
        site: the row.
        plan: the row's plan, to be changed.
        ended: the deltas that are superseded.
        lost: version names that the old base bore.

    All that builds on a lost name is taken back first, and then what something else still supports is added again: a
    circle of deltas would else keep itself in force.
    """
    in_force = [delta for delta in ended if _counts(site, delta)]
    for delta in ended:
        _drop(site, plan, delta)
    for delta in in_force:
        add_buckets(site, plan, delta.buckets, -1)
    pending = [*lost, *(delta.version for delta in in_force)]
    fallen: set[str] = set()
    for name in pending:
        version = site.turn.edit(keys.part(VERSION, site.row, name), Version)
        version.supports -= 1
        if name in fallen:
            continue
        fallen.add(name)
        for delta in _followers(site, name):
            add_buckets(site, plan, delta.buckets, -1)
            pending.append(delta.version)
    for name in [name for name in dict.fromkeys(pending) if _version(site, name).supports > 0]:
        _apply(site, plan, list(_followers(site, name)))


# gaps -----------------------------------------------------------------------------------------------------------------


def _make_known(site: Site, plan: Plan, name: str) -> None:
    """Note that a version is known, and with it the versions of the deltas that build on it."""
    pending = [name]
    while pending:
        name = pending.pop()
        if _version(site, name).known:
            continue
        version = site.turn.edit(keys.part(VERSION, site.row, name), Version)
        version.known = True
        for delta in _followers(site, name):
            pending.append(delta.version)
            if plan.base is None or delta.rank > plan.base.rank:
                site.turn.put(_gap_key(site.row, delta.rank), None)
                plan.gaps -= 1


def _report_gaps(site: Site, plan: Plan) -> None:
    """Raise `forecast_gap` while a delta waits for a version that is not known."""
    if not plan.gaps:
        alerts.clear_alert(site, "forecast_gap")
        return
    waiting = [
        site.turn.require(delta_key(site.row, base.decode(), keys.rank_of(key)))
        for key, base in islice(site.turn.scan(*keys.parts_range(GAP, site.row)), NAMED_GAPS)
    ]
    evidence = {
        "missing": sorted({delta.base_version or "" for delta in waiting}),
        "deltas": [delta.version for delta in waiting],
        "waiting": plan.gaps,
        "events": [site.turn.ref],
    }
    alerts.raise_alert(site, "forecast_gap", evidence)


# for people -----------------------------------------------------------------------------------------------------------


def forecast_view(view: RowView) -> dict[str, object] | None:
    """The forecast in force of a row and the latest deltas that count or wait, JSON-ready; None where there is none."""
    plan = view.plan
    if plan.base is None and not plan.deltas:
        return None
    return {
        "version": plan.base.version if plan.base else None,
        "deltas": [delta.version for delta in reversed(list(islice(_latest(view), SHOWN_DELTAS)))],
        "complete": plan.complete,
        "buckets": [
            {"start": day_of(start).isoformat(), "days": days, "qty": qty}
            for start, days, qty in open_buckets(view, LAST_DAY + 1)
        ],
    }


def _latest(view: RowView) -> Iterator[Revision]:
    """The deltas that count, or are later than the base, the latest first."""
    base = view.plan.base
    for key, version in view.reader.scan(*keys.parts_range(DELTA_ORDER, view.row), reverse=True):
        delta = view.reader.require(delta_key(view.row, version.decode(), keys.rank_of(key)))
        if base is None or delta.rank > base.rank or _counts(view, delta):
            yield delta
