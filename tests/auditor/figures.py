"""The business figures, recomputed as docs/kpis.md defines them.

They come from the events that were taken, in their order, and from the signals and alerts that were published; nothing
of the engine is used.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from tests.auditor.line_figures import SECOND, Entry, count_entries, line_entries
from tests.auditor.model import Event, Model, distinct, instant, tie_break

DAY = 86_400 * SECOND
KEPT = 35
Output = dict[str, Any]
Sums = Counter[tuple[str, str]]
MEANS = {
    ("acknowledgement", "mean_seconds"): ("seconds", "lines"),
    ("forecast_to_signal", "mean_seconds"): ("seconds", "signals"),
    ("signal_to_order", "mean_seconds"): ("seconds", "orders"),
    ("receipts", "mean_seconds"): ("seconds", "lines"),
}
SHARES = {
    ("automation", "share"): ("automated", "orders"),
    ("notices", "share_before_receipt"): ("before_receipt", "lines"),
    ("notices_by_policy", "share"): ("in_time", "judged"),
    ("supplier_fill", "rate"): ("filled_units", "ordered_units"),
    ("inventory_accuracy", "rate"): ("exact", "counts"),
}


def entries(events: list[Event], signals: Iterable[Output], alerts: Iterable[Output]) -> list[Entry]:
    """All that events which were taken, in their order, and the signals and alerts that followed add to figures."""
    events = distinct(events)
    model = Model(events, 0)
    found: list[Entry] = []
    for key, facts in model.by_row.items():
        found += line_entries(key, facts, zones_at(events, model, key))
        found += count_entries(key, model)
    return [*found, *_signals(events, signals), *_alerts(alerts)]


def zones_at(events: list[Event], model: Model, key: tuple[str, str]) -> list[str]:
    """The time zone of a location as it was known when each fact of a row arrived."""
    zones, best, zone = [], None, "UTC"
    mine = {(fact["rank"], fact["type"]) for fact in model.by_row[key]}
    for event in events:
        rank = (instant(event["time"]), tie_break(event))
        if (
            event["type"] == "location.defined"
            and event["data"]["location"] == key[1]
            and (best is None or rank > best)
        ):
            best, zone = rank, event["data"].get("time_zone", "UTC")
        if (rank, event["type"]) in mine:
            zones.append(zone)
    return zones


def _revisions(published: Iterable[Output]) -> list[list[dict[str, Any]]]:
    by_id: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for output in published:
        by_id[output["data"]["id"]].append(output["data"])
    return list(by_id.values())


# signals --------------------------------------------------------------------------------------------------------------


def _signals(events: list[Event], published: Iterable[Output]) -> Iterator[Entry]:
    forecasts = {f"{e['source']}/{e['id']}": e for e in events if e["type"] == "forecast.revised"}
    for revisions in _revisions(published):
        before: dict[str, Any] | None = None
        for signal in revisions:
            at, place = instant(signal["updated"]), (signal["location"], signal["supplier"] or "")
            for group, field, amount in _revised(events, forecasts, before, signal):
                yield *place, at, group, field, amount
            before = signal
        if before is not None and before["status"] in ("open", "accepted"):
            place = (before["location"], before["supplier"] or "")
            yield *place, instant(before["opened"]), "open_signals", before["disposition"], 1


def _revised(
    events: list[Event], forecasts: dict[str, Event], before: dict[str, Any] | None, signal: dict[str, Any]
) -> Iterator[tuple[str, str, int]]:
    took = (instant(signal["updated"]) - instant(signal["opened"])) // SECOND
    cause, status = signal["explanation"]["cause"], signal["status"]
    if status == "open" and cause in forecasts and (before is None or before["explanation"]["cause"] != cause):
        yield "forecast_to_signal", "signals", 1
        late = instant(signal["updated"]) - instant(forecasts[cause]["time"])
        yield "forecast_to_signal", "seconds", max(0, late) // SECOND
    if before is None:
        yield "signals", "opened", 1
    elif before["status"] != status:
        yield "signals", "reopened" if status == "open" else status, 1
        if status in ("accepted", "rejected"):
            yield "signals", "answered_seconds", took
            yield "acceptance", "answers", 1
            yield "acceptance", "accepted", int(status == "accepted")
        if status == "ordered":
            yield "signal_to_order", "orders", 1
            yield "signal_to_order", "seconds", took
            yield "automation", "orders", 1
            yield "automation", "automated", int((before["status"], before["disposition"]) == ("open", "auto"))
            yield from _aligned(events, before, signal)


def _aligned(events: list[Event], before: dict[str, Any], signal: dict[str, Any]) -> Iterator[tuple[str, str, int]]:
    """What was ordered by the first event that orders the signal under the number which it shows."""
    proposed = next(int(term["value"]) for term in signal["explanation"]["terms"] if term["term"] == "quantity")
    ordering = [
        event["data"]
        for event in events
        if event["type"] in ("order.placed", "signal.ordered") and event["data"].get("signal") == signal["id"]
        and event["data"].get("order") in (None, signal["order"])
    ]  # fmt: skip
    qty = ordering[0].get("qty")
    for group in ("proposal_to_order", "forecast_to_order"):
        if group == "proposal_to_order" or signal["explanation"]["formula"].startswith("position <= demand"):
            yield group, "orders", 1
            yield group, "proposed_units", proposed
            yield group, "deviating_units", abs((before["qty"] if qty is None else qty) - proposed)


# alerts ---------------------------------------------------------------------------------------------------------------


def _alerts(published: Iterable[Output]) -> Iterator[Entry]:
    for revisions in _revisions(published):
        for before, alert in zip([None, *revisions], revisions, strict=False):
            opened, updated = instant(alert["opened"]), instant(alert["updated"])
            place = _place_of(alert)
            if before is None:
                yield *place, opened, "alerts", f"{alert['kind']}.opened", 1
            elif alert["status"] == "resolved" != before["status"]:
                yield *place, updated, "alerts", f"{alert['kind']}.resolved", 1
                yield *place, updated, "alerts", f"{alert['kind']}.seconds", (updated - opened) // SECOND
        last, opened = revisions[-1], instant(revisions[-1]["opened"])
        if last["status"] != "resolved":
            yield *_place_of(last), opened, "open_alerts", last["kind"], 1
            yield *_place_of(last), opened, "open_alerts", "since", opened // SECOND
            if last["kind"] == "balance_drift":
                yield *_place_of(last), opened, "reconciliation", "units", abs(last["evidence"]["difference"])


def _place_of(alert: dict[str, Any]) -> tuple[str, str]:
    return alert["location"], alert["evidence"].get("supplier") or ""


# the answer -----------------------------------------------------------------------------------------------------------

OPEN = ("open_signals", "open_alerts", "reconciliation")


def answer(found: list[Entry], now: int, days: int | None) -> dict[str, Any]:
    """The answer of `/v1/kpis` under `business`, but for what it says of itself."""
    since = max(1, now // DAY - KEPT) if days is None else now // DAY - days + 1
    counted = [
        one for one in found
        if one[3] in OPEN or days is None or since <= one[2] // DAY <= now // DAY + 1
    ]  # fmt: skip
    locations, suppliers = (sorted({one[part] for one in found}) for part in (0, 1))
    recent = [one for one in found if since <= one[2] // DAY <= now // DAY + 1]
    return {
        "all": group(counted, now),
        "by_location": {name: group([one for one in counted if one[0] == name], now) for name in locations},
        "by_supplier": {name: group([one for one in counted if one[1] == name], now) for name in suppliers},
        "by_day": {
            day: flows(sums_of(one for one in recent if one[2] // DAY == day and one[3] not in OPEN))
            for day in sorted({one[2] // DAY for one in recent})
        },
    }


def band_of(days: int) -> str:
    if days <= 1:
        return "up_to_1_day"
    return "up_to_7_days" if days <= 7 else "up_to_30_days" if days <= 30 else "older"


def sums_of(found: Iterable[Entry]) -> Sums:
    sums: Sums = Counter()
    for _, _, _, name, field, amount in found:
        sums[name, field] += amount
    return sums


def group(found: list[Entry], now: int) -> dict[str, Any]:
    sums = sums_of(found)
    kinds = {field: amount for (name, field), amount in sums.items() if name == "open_alerts" and field != "since"}
    ages: Counter[str] = Counter({"up_to_1_day": 0, "up_to_7_days": 0, "up_to_30_days": 0, "older": 0})
    for _, _, at, name, field, _ in found:
        if name == "open_alerts" and field != "since":
            ages[band_of(now // DAY - at // DAY)] += 1
    count, since = sum(kinds.values()), sums["open_alerts", "since"]
    return flows(sums) | {
        "open_signals": {field: amount for (name, field), amount in sums.items() if name == "open_signals"},
        "open_alerts": {
            "count": count, "by_kind": kinds, "by_age": dict(ages),
            "mean_age_seconds": max(0, count * (now // SECOND) - since) // count if count else None,
        },
        "reconciliation": {"open": kinds.get("balance_drift", 0), "units": sums["reconciliation", "units"]},
    }  # fmt: skip


def flows(sums: Sums) -> dict[str, Any]:
    """The figures that are made of sums, each group with its means and shares; what is 0 is not named."""
    shown: dict[str, Any] = defaultdict(dict)
    for (name, field), amount in sums.items():
        if name not in (*OPEN, "alerts"):
            shown[name][field] = amount
    for (name, field), (above, below) in (MEANS | SHARES).items():
        part, whole = sums[name, above], sums[name, below]
        if whole:
            shown[name][field] = part // whole if (name, field) in MEANS else round(part / whole, 4)
    answers = sums["acceptance", "answers"]
    if answers:
        shown["acceptance"]["rate"] = round(sums["acceptance", "accepted"] / answers, 4)
        shown["acceptance"]["mean_seconds"] = sums["signals", "answered_seconds"] // answers
    for name in ("proposal_to_order", "forecast_to_order"):
        proposed = sums[name, "proposed_units"]
        if proposed:
            shown[name]["alignment"] = round(max(0, proposed - sums[name, "deviating_units"]) / proposed, 4)
    kinds = {field.partition(".")[0] for name, field in sums if name == "alerts"}
    for kind in kinds:
        opened, resolved = sums["alerts", f"{kind}.opened"], sums["alerts", f"{kind}.resolved"]
        mean = sums["alerts", f"{kind}.seconds"] // resolved if resolved else None
        shown["alerts"][kind] = {"opened": opened, "resolved": resolved, "mean_seconds": mean}
    return dict(shown)
