"""Every kind of alert has a sentence that says its figures."""

import json
import re
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from engine.core.outputs import SEVERITY, Alert, AlertKind
from engine.work.sentences import CAUSES, sentence_of
from tests.unit.documents import ROOT, rows, section, text_of

AT = "2026-03-02T09:14:05Z"
DRIFT: dict[str, Any] = {"as_of": AT, "reported": 40, "kept": 48, "difference": -8, "report": "erp/9"}
NOT_POSTED = {"cause": "not_posted", "events": ["wms/7", "wms/8"], "explains": -8, "score": 92}
LINE: dict[str, Any] = {"line": "PO-1/3", "supplier": "ACME"}

SAID: list[tuple[AlertKind, dict[str, Any], str]] = [
    (
        "balance_drift",
        {**DRIFT, "causes": [NOT_POSTED]},
        "The ERP reports 40 on hand of A at L as of 2026-03-02 09:14 UTC, kept are 48: 8 fewer. Most likely it has not "
        "posted wms/7, wms/8.",
    ),
    (
        "balance_drift",
        {**DRIFT, "causes": [{"cause": "unit_factor", "events": [], "explains": -8, "score": 82}]},
        "The ERP reports 40 on hand of A at L as of 2026-03-02 09:14 UTC, kept are 48: 8 fewer. Most likely it has "
        "taken the whole balance in another unit.",
    ),
    (
        "balance_drift",
        {**DRIFT, "difference": 5, "causes": [{"cause": "unknown", "events": [], "explains": 5, "score": 0}]},
        "The ERP reports 40 on hand of A at L as of 2026-03-02 09:14 UTC, kept are 48: 5 more. No movement that is "
        "kept explains it.",
    ),
    (
        "balance_drift",
        {
            **DRIFT, "kept": 40, "difference": 0, "causes": [],
            "held": {"reported": 2, "kept": 0, "difference": 2},
            "on_order": {"reported": 70, "kept": 60, "difference": 10},
        },
        "The ERP reports 40 on hand of A at L as of 2026-03-02 09:14 UTC, kept are 40. It reports 2 on hold, kept are "
        "0. It reports 70 on order, kept are 60.",
    ),
    (
        "forecast_bias",
        {
            "tracking_signal": "6.00", "limit": 4, "periods": 6, "forecast": 420, "issued": 180, "direction": "over",
        },
        "The forecast of A at L is too high: 420 were forecast over 6 periods, 180 were issued (tracking signal 6.00, "
        "limit 4).",
    ),
    (
        "lead_time_drift",
        {
            "policy_days": "3", "observed_days": "10.0", "deviation_days": "0.5", "samples": 5, "open_and_late": 1,
            "supplier": None,
        },
        "Goods of A at L take 10.0 days, the policy says 3 (5 order lines, 1 of them open and late).",
    ),
    (
        "negative_stock",
        {"lowest": -6, "since": AT, "events": ["shop/1"]},
        "A at L has been below 0 since 2026-03-02 09:14 UTC, at the lowest -6: a receipt or a count is missing.",
    ),
    (
        "projected_stockout",
        {"date": "2026-03-09", "projected": -2, "lowest": -12, "sellable": 40, "days_ahead": 14},
        "A at L runs out on 2026-03-09: of 40 sellable now, the projection falls to -12 within 14 days of lead time "
        "and review.",
    ),
    (
        "push_failed",
        {"signal": "sig-1", "system": "erp", "attempts": 6, "detail": "it answers 403", "events": ["c/1"]},
        "erp could not be told of the proposal sig-1 for A at L in 6 attempts: it answers 403",
    ),
    (
        "late_supply",
        {**LINE, "open": 30, "due": "2026-03-02", "promised": "2026-03-05", "overdue": False},
        "30 of A at L on order PO-1/3 from ACME are promised for 2026-03-05, due is 2026-03-02.",
    ),
    (
        "late_supply",
        {**LINE, "open": 30, "due": "2026-03-02", "promised": "2026-03-02", "overdue": True},
        "30 of A at L on order PO-1/3 from ACME are overdue: they were promised for 2026-03-02.",
    ),
    (
        "short_ack",
        {**LINE, "ordered": 50, "promised": 20, "missing": 30, "schedule": []},
        "Of 50 of A at L on order PO-1/3 from ACME only 20 are promised: 30 are missing.",
    ),
    (
        "over_receipt",
        {**LINE, "ordered": 18, "acknowledged": 0, "shipped": 21, "received": 20, "events": ["wms/3"]},
        "21 of A at L were shipped on order PO-1/3 from ACME: 3 more than the 18 that were ordered.",
    ),
    (
        "ack_overdue",
        {**LINE, "ordered": 18, "placed": AT, "expected": "2026-03-04"},
        "Order PO-1/3 of 18 of A at L from ACME is not acknowledged, which was expected by 2026-03-04.",
    ),
    (
        "asn_overdue",
        {**LINE, "open": 18, "promised": "2026-03-09", "expected": "2026-03-06"},
        "No shipment is announced of 18 of A at L on order PO-1/3 from ACME, promised for 2026-03-09; the notice was "
        "expected by 2026-03-06.",
    ),
    (
        "damaged_receipt",
        {"receipt": "7781", "damaged": 6, "order": "PO-1", "events": ["wms/3"]},
        "Receipt 7781 of order PO-1 brought 6 damaged units of A at L.",
    ),
    (
        "forecast_gap",
        {"missing": ["v1", "v2", "v3", "v4"], "deltas": ["d1"], "waiting": 5, "events": ["plan/1"]},
        "The forecast of A at L is incomplete: 5 changes wait for version v1, v2, v3 and 1 more.",
    ),
    (
        "late_count",
        {"counted_at": AT, "applied_as_of": "2026-03-03T00:00:00Z", "qty": 7, "status": "held", "events": ["wms/3"]},
        "The count of 7 held of A at L at 2026-03-02 09:14 UTC is older than the movements that are kept, and counts "
        "as of 2026-03-03 00:00 UTC.",
    ),
    (
        "late_count",
        {"reported_at": AT, "kept_since": "2026-03-03T00:00:00Z", "events": ["erp/3"]},
        "The balance report of A at L as of 2026-03-02 09:14 UTC was not compared: movements are kept since 2026-03-03 "
        "00:00 UTC only.",
    ),
    (
        "stale_feed",
        {"feed": "wms", "last_arrival": AT, "interval_seconds": 3600, "locations": ["L", "M"]},
        "Nothing has arrived from wms for L, M since 2026-03-02 09:14 UTC; something is expected every 3600 seconds.",
    ),
    (
        "lost_in_transit",
        {"transfer": "T-1", "from": "M", "shipped": 40, "received": 2, "missing": 38, "shipped_at": AT},
        "38 of 40 of A at L in the transfer T-1 from M, shipped at 2026-03-02 09:14 UTC, have not arrived.",
    ),
    (
        "unknown_item",
        {"sku": "A", "events": ["shop/1"]},
        "A at L has events, but no item master.",
    ),
    (
        "clock_jump",
        {"at": AT, "jumped_seconds": 7200, "by": "ann", "events": ["stockline/1"]},
        "ann accepted at 2026-03-02 09:14 UTC that the clock had jumped ahead by 7200 seconds; what fell due in that "
        "time came due at once.",
    ),
]  # fmt: skip


def alert(kind: AlertKind, evidence: dict[str, Any]) -> Alert:
    at = datetime(2026, 3, 2, tzinfo=UTC)
    return Alert(
        id="al", kind=kind, sku="A", location="L", severity=SEVERITY[kind], status="open", opened=at, updated=at,
        evidence=evidence,
    )  # fmt: skip


@pytest.mark.parametrize(("kind", "evidence", "sentence"), SAID)
def test_an_alert_says_its_figures(kind: AlertKind, evidence: dict[str, Any], sentence: str) -> None:
    assert sentence_of(alert(kind, evidence)) == sentence


def test_every_kind_of_alert_has_a_sentence() -> None:
    assert {kind for kind, _, _ in SAID} == set(SEVERITY)


def test_the_evidence_of_these_sentences_is_what_the_contract_tells() -> None:
    told = {cells[0].strip("`"): set(re.findall(r"`([a-z_]+)`", cells[4])) for cells in _alerts()}
    for kind, evidence, _ in SAID:
        assert evidence.keys() <= told[kind], kind


def _alerts() -> list[list[str]]:
    return [cells for cells in rows(section(text_of("contract.md"), "4. Alerts out")) if len(cells) == 5]


def test_what_the_engine_has_published_is_told_in_full() -> None:
    recorded = [
        json.loads(line)
        for name in ("outputs", "answers-outputs", "drafts-outputs", "purchases-outputs")
        for line in (ROOT / "tests" / "golden" / f"{name}.ndjson").read_text().splitlines()
    ]
    alerts = [msgspec.convert(each["data"], Alert) for each in recorded if str(each.get("type")).startswith("alert.")]
    assert len({each.kind for each in alerts}) > 10
    assert [each.kind for each in alerts if "has an alert:" in sentence_of(each)] == []


def test_an_alert_of_an_earlier_version_has_a_sentence_too() -> None:
    assert sentence_of(alert("over_receipt", {})) == "A at L has an alert: over receipt."


def test_every_cause_of_a_drift_has_its_words() -> None:
    told = section(text_of("domain.md"), "Drift")
    assert CAUSES.keys() | {"unknown"} == {cells[0].strip("`") for cells in rows(told)}
