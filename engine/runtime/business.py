"""The business figures as `GET /v1/kpis` shows them: sums, and the means and shares that follow from them, JSON-ready.

docs/kpis.md has the definition of each figure: its formula, its unit, and the events that it is made of.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from engine.bus.single import Kept
from engine.core.values import DAY, SECOND, iso, moment
from engine.runtime.figures import Place, figures_of
from tables.figures import WHOLE_LOG, Sums, first_day

Amounts = Mapping[str, int]
Ages = Counter[str]
"""How many alerts are open, by the band of their age."""

GAUGES = ("alerts_open:", "alerts_open_since:", "drift_units", "signals_open:")
"""What such a sum begins with is open now, whatever the days that are asked for."""
BANDS = ((1, "up_to_1_day"), (7, "up_to_7_days"), (30, "up_to_30_days"))
"""The most days that an alert of a band has been open, and the name of the band."""
OLDER = "older"
SHARE_DIGITS = 4


class Measure(NamedTuple):
    """A figure: its sums by the names that the answer has for them, and a quotient of two of them.

    Attributes:
        sums: name in the answer -> name of the sum.
        quotient: the name of what is divided; None where nothing is.
        parts: the sums that are divided, above and below.
    """

    sums: Mapping[str, str]
    quotient: str | None = None
    parts: tuple[str, str] = ("", "")


MEASURES: Mapping[str, Measure] = {
    "acknowledgement": Measure(
        {"placed": "lines_placed", "lines": "lines_acknowledged", "seconds": "acknowledged_seconds"},
        "mean_seconds", ("acknowledged_seconds", "lines_acknowledged"),
    ),
    "forecast_to_signal": Measure(
        {"signals": "forecast_signals", "seconds": "forecast_seconds"},
        "mean_seconds", ("forecast_seconds", "forecast_signals"),
    ),
    "forecast_to_order": Measure(
        {"orders": "forecast_proposed_orders", "proposed_units": "forecast_proposed_units",
         "deviating_units": "forecast_deviating_units"},
        "alignment", ("forecast_deviating_units", "forecast_proposed_units"),
    ),
    "proposal_to_order": Measure(
        {"orders": "proposed_orders", "proposed_units": "proposed_units", "deviating_units": "deviating_units"},
        "alignment", ("deviating_units", "proposed_units"),
    ),
    "signals": Measure({
        "opened": "signals_opened", "accepted": "signals_accepted", "rejected": "signals_rejected",
        "ordered": "signals_ordered", "withdrawn": "signals_withdrawn", "expired": "signals_expired",
        "reopened": "signals_reopened", "answered_seconds": "answered_seconds",
    }),
    "signal_to_order": Measure(
        {"orders": "signals_ordered", "seconds": "ordered_seconds"},
        "mean_seconds", ("ordered_seconds", "signals_ordered"),
    ),
    "automation": Measure(
        {"orders": "signals_ordered", "automated": "signals_automated"},
        "share", ("signals_automated", "signals_ordered"),
    ),
    "receipts": Measure(
        {"lines": "lines_timed", "seconds": "receipt_seconds", "completed": "lines_completed",
         "short_lines": "short_lines", "short_units": "short_units", "over_lines": "over_lines",
         "over_units": "over_units", "damaged_receipts": "damaged_receipts", "damaged_units": "damaged_units"},
        "mean_seconds", ("receipt_seconds", "lines_timed"),
    ),
    "notices": Measure(
        {"lines": "lines_received", "before_receipt": "lines_noticed", "lead_seconds": "notice_lead_seconds"},
        "share_before_receipt", ("lines_noticed", "lines_received"),
    ),
    "notices_by_policy": Measure(
        {"judged": "notices_judged", "in_time": "notices_in_time"}, "share", ("notices_in_time", "notices_judged")
    ),
    "supplier_fill": Measure(
        {"lines": "lines_completed", "ordered_units": "ordered_units", "filled_units": "filled_units"},
        "rate", ("filled_units", "ordered_units"),
    ),
    "inventory_accuracy": Measure(
        {"counts": "counts", "exact": "counts_exact", "counted_units": "counted_units",
         "difference_units": "count_difference_units"},
        "rate", ("counts_exact", "counts"),
    ),
}  # fmt: skip
"""The figures that are made of sums alone, by their name in the answer."""


def business(bus: Kept, now: int, days: int | None) -> dict[str, object]:
    """The business figures of everything, by location, by supplier, and of each day that is kept.

    Args:
        bus: its committed rows are read.
        now: the instant to look from, in microseconds.
        days: the last so many days (UTC, today is one of them), at most those that are kept; None is the whole log.
    """
    today, kept_from = now // DAY, first_day(now)
    since = kept_from if days is None else max(kept_from, today - days + 1)
    whole = _sums(figures_of(bus, WHOLE_LOG, WHOLE_LOG + 1))
    ages: dict[Place, Ages] = defaultdict(Counter)
    recent: dict[Place, Counter[str]] = defaultdict(Counter)
    by_day: dict[int, Counter[str]] = defaultdict(Counter)
    for day, place, sums in figures_of(bus, kept_from, today + 2):
        _add_ages(ages[place], sums.amounts, today - day)
        if day >= since:
            recent[place].update(sums.amounts)
            by_day[day].update(sums.amounts)
    view = _View(now, whole if days is None else _now_open(whole, recent), ages)
    return {
        "as_of": iso(now),
        "days": days,
        "all": view.group(_everything)[0][1],
        "by_location": [{"location": name, **group} for name, group in view.group(lambda place: place[0])],
        "by_supplier": [{"supplier": name or None, **group} for name, group in view.group(lambda place: place[1])],
        "by_day": [{"day": _date(day), **_measures(amounts)} for day, amounts in sorted(by_day.items())],
    }  # fmt: skip


def _everything(_: Place) -> str:
    return ""


def _date(day: int) -> str:
    return moment(day * DAY).date().isoformat()


class _View(NamedTuple):
    """Sums by place, and the ages of open alerts by place, as of an instant."""

    now: int
    places: Mapping[Place, Counter[str]]
    ages: Mapping[Place, Ages]

    def group(self, of: Callable[[Place], str]) -> list[tuple[str, dict[str, object]]]:
        """The figures of places together, by what `of` says of a place; sorted."""
        sums: dict[str, Counter[str]] = defaultdict(Counter) if self.places else {"": Counter()}
        ages: dict[str, Ages] = defaultdict(Counter)
        for place, amounts in self.places.items():
            sums[of(place)].update(amounts)
            ages[of(place)].update(self.ages.get(place, {}))
        return [(name, {**_measures(one), **_open(one, ages[name], self.now)}) for name, one in sorted(sums.items())]


def _sums(found: Iterable[tuple[int, Place, Sums]]) -> dict[Place, Counter[str]]:
    sums: dict[Place, Counter[str]] = defaultdict(Counter)
    for _, place, row in found:
        sums[place].update(row.amounts)
    return sums


def _now_open(whole: Mapping[Place, Counter[str]], recent: Mapping[Place, Counter[str]]) -> dict[Place, Counter[str]]:
    """The sums of some days, but what is open as it is now."""
    return {
        place: Counter(
            {name: amount for name, amount in recent.get(place, Counter()).items() if not name.startswith(GAUGES)}
            | {name: amount for name, amount in amounts.items() if name.startswith(GAUGES)}
        )
        for place, amounts in whole.items()
    }


# figures --------------------------------------------------------------------------------------------------------------


def _measures(amounts: Amounts) -> dict[str, object]:
    shown: dict[str, object] = {name: _measure(measure, amounts) for name, measure in MEASURES.items()}
    return shown | {"acceptance": _acceptance(amounts), "alerts": _alerts(amounts)}


def _measure(measure: Measure, amounts: Amounts) -> dict[str, object]:
    shown: dict[str, object] = {field: amounts.get(source, 0) for field, source in measure.sums.items()}
    if measure.quotient is not None:
        above, below = (amounts.get(part, 0) for part in measure.parts)
        if measure.quotient == "alignment":
            above = max(0, below - above)
        shown[measure.quotient] = _mean(above, below) if measure.quotient == "mean_seconds" else _share(above, below)
    return shown


def _acceptance(amounts: Amounts) -> dict[str, object]:
    accepted, rejected = amounts.get("signals_accepted", 0), amounts.get("signals_rejected", 0)
    answers = accepted + rejected
    return {
        "answers": answers, "accepted": accepted, "rate": _share(accepted, answers),
        "mean_seconds": _mean(amounts.get("answered_seconds", 0), answers),
    }  # fmt: skip


def _alerts(amounts: Amounts) -> dict[str, object]:
    """Alerts that opened and were resolved, by kind."""
    kinds = sorted({*_under(amounts, "alerts_opened:"), *_under(amounts, "alerts_resolved:")})
    return {
        kind: {
            "opened": amounts.get(f"alerts_opened:{kind}", 0),
            "resolved": amounts.get(f"alerts_resolved:{kind}", 0),
            "mean_seconds": _mean(
                amounts.get(f"alerts_resolved_seconds:{kind}", 0), amounts.get(f"alerts_resolved:{kind}", 0)
            ),
        }
        for kind in kinds
    }


def _open(amounts: Amounts, ages: Ages, now: int) -> dict[str, object]:
    """What is open now: signals, alerts with their ages, and what reconciliation has left."""
    alerts = _under(amounts, "alerts_open:")
    count, since = sum(alerts.values()), sum(_under(amounts, "alerts_open_since:").values())
    bands = {name: ages[name] for _, name in BANDS}
    return {
        "open_signals": _under(amounts, "signals_open:"),
        "open_alerts": {
            "count": count,
            "mean_age_seconds": _mean(max(0, count * (now // SECOND) - since), count),
            "by_kind": alerts,
            "by_age": {**bands, OLDER: count - sum(bands.values())},
        },
        "reconciliation": {"open": alerts.get("balance_drift", 0), "units": amounts.get("drift_units", 0)},
    }


def _under(amounts: Amounts, prefix: str) -> dict[str, int]:
    return {name[len(prefix) :]: amount for name, amount in sorted(amounts.items()) if name.startswith(prefix)}


def _add_ages(ages: Ages, amounts: Amounts, days: int) -> None:
    band = next((name for most, name in BANDS if days <= most), None)
    if band is not None:
        ages[band] += sum(_under(amounts, "alerts_open:").values())


def _mean(total: int, count: int) -> int | None:
    """The mean, rounded down; None of nothing."""
    return total // count if count else None


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, SHARE_DIGITS) if whole else None
