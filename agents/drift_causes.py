"""Likely causes of a difference between a reported and a kept balance, among the movements that a row keeps.

With m a movement of the row, an ERP that has not posted it differs by -m; one that posted it twice by m; with the sign
flipped by -2m; in units of a factor f by m * (f - 1), or by m / f - m. A score says how specific
and how recent a match is, up to 100: scores rank causes, they are no probabilities.
"""

from collections.abc import Iterator
from itertools import islice

from msgspec import Struct

from agents.turn import Site

COMMON_FACTORS = (6, 10, 12, 24, 100)
MAX_CAUSES = 5
MAX_LOOKED_AT = 32
"""Causes are looked for among at most so many of the latest movements, so that a look costs the same on every row."""
MAX_NAMED = 20
"""One cause names at most so many events."""

SCORES = {
    "transfer_leg": 92,
    "cut_off": 88,
    "not_posted": 84,
    "posted_twice": 78,
    "unit_factor": 74,
    "flipped_sign": 70,
}
NEW_BONUS = 8
BATCH_PENALTY = 10
COMMON_FACTOR_PENALTY = 25
PAIR_SCORE = 40


class Cause(Struct):
    """One possible cause: the events behind it, the units it explains, and its score."""

    kind: str
    events: list[str]
    explains: int
    score: int
    at: int = 0


class Candidate(Struct, frozen=True):
    """A kept movement of on-hand stock that may be the cause."""

    at: int
    qty: int
    ref: str
    transfer: bool


def find_causes(site: Site, moments: tuple[int, int], difference: int, kept: int) -> list[Cause]:
    """Up to five causes of a difference, the likeliest first.

    Args:
        site: the row of the report, or of a late movement.
        moments: the instant of the report and that of the report before; movements between the two score higher,
            because older ones were in the report before already.
        difference: reported less kept, in base units.
        kept: the balance on hand that is kept as of the report.
    """
    (at, since), margin = moments, site.turn.rules.cut_off
    movements = _latest_movements(site, at + margin)
    before = [m for m in movements if m.at <= at]
    factors = _factors(site)
    causes = [
        *(cause for m in before for cause in _by_movement(m, difference, at - margin, factors)),
        *_cut_offs(movements, at, margin, difference),
        *_whole_balance(kept, difference, factors),
    ] or _pairs(before, difference)
    for cause in causes:
        cause.score += NEW_BONUS if cause.at > since else 0
    causes.sort(key=lambda cause: (-cause.score, -cause.at, cause.events))
    return _distinct(causes)[:MAX_CAUSES] or [Cause("unknown", [], difference, 0)]


def _latest_movements(site: Site, until: int) -> list[Candidate]:
    """The last kept movements of on-hand stock up to an instant, in the order of time."""
    found = []
    for at, _, movement in islice(site.movements(0, until, reverse=True), MAX_LOOKED_AT):
        qty = movement.available + movement.held
        if qty and not movement.count:
            found.append(Candidate(at, qty, movement.ref, movement.document.startswith("transfer ")))
    return found[::-1]


def _factors(site: Site) -> dict[int, int]:
    """Unit factors to try, with the penalty of each: those of the item, else common ones."""
    item = site.turn.item(site.sku)
    if item is not None and item.units:
        return {factor: 0 for factor in item.units.values() if factor > 1}
    return dict.fromkeys(COMMON_FACTORS, COMMON_FACTOR_PENALTY)


def _by_movement(m: Candidate, difference: int, cut_off_from: int, factors: dict[int, int]) -> Iterator[Cause]:
    if difference == -m.qty:
        kind = "transfer_leg" if m.transfer else "cut_off" if m.at >= cut_off_from else "not_posted"
        yield Cause(kind, [m.ref], difference, SCORES[kind], m.at)
    if difference == m.qty:
        yield Cause("posted_twice", [m.ref], difference, SCORES["posted_twice"], m.at)
    if difference == -2 * m.qty:
        yield Cause("flipped_sign", [m.ref], difference, SCORES["flipped_sign"], m.at)
    for factor, penalty in factors.items():
        if difference == m.qty * (factor - 1) or (m.qty % factor == 0 and difference == m.qty // factor - m.qty):
            yield Cause("unit_factor", [m.ref], difference, SCORES["unit_factor"] - penalty, m.at)


def _cut_offs(movements: list[Candidate], at: int, margin: int, difference: int) -> Iterator[Cause]:
    """The last movements before the moment that are not in the report yet, or the first after it that are."""
    missing = [m for m in reversed(movements) if at - margin <= m.at <= at][:MAX_NAMED]
    early = [m for m in movements if m.at > at][:MAX_NAMED]
    for group, sign in ((missing, -1), (early, 1)):
        total = 0
        for count, m in enumerate(group, 1):
            total += sign * m.qty
            if total == difference and (count > 1 or sign > 0):
                refs = [member.ref for member in group[:count]]
                yield Cause("cut_off", refs, difference, SCORES["cut_off"] - BATCH_PENALTY * (count > 1), m.at)


def _whole_balance(kept: int, difference: int, factors: dict[int, int]) -> Iterator[Cause]:
    """The whole balance is reported in another unit."""
    reported = kept + difference
    for factor, penalty in factors.items():
        if kept and reported and (reported == kept * factor or reported * factor == kept):
            yield Cause("unit_factor", [], difference, SCORES["unit_factor"] + NEW_BONUS - penalty)


def _pairs(movements: list[Candidate], difference: int) -> list[Cause]:
    """Two movements that the ERP has not posted."""
    seen: dict[int, Candidate] = {}
    causes = []
    for m in reversed(movements):
        other = seen.get(-difference - m.qty)
        if other is not None:
            causes.append(Cause("not_posted", [m.ref, other.ref], difference, PAIR_SCORE, m.at))
        seen.setdefault(m.qty, m)
    return causes


def _distinct(causes: list[Cause]) -> list[Cause]:
    unique: dict[tuple[str, ...], Cause] = {}
    for cause in causes:
        unique.setdefault((cause.kind, *cause.events), cause)
    return list(unique.values())
