"""Figures that are right, over HTTP from the shipped command: signals, repeats, ticks, and names of what is refused."""

import json
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.integration.process import Stockline, event

ROW = {"sku": "85123A", "location": "LDS"}
LINE = {"order": "PO-1", "line": 1, **ROW}
ENDS_SECONDS = (1, 2, 4, 8, 16, 32, 64)
"""Of reservations: one at least ends after it has arrived, which is when a tick is due, however slow the machine is."""


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Stockline]:
    with Stockline(tmp_path / "data", "--clock", "log") as running:
        yield running


def open_signal(engine: Stockline) -> str:
    """Stock of 40 against a minimum of 50: the id of its signal."""
    policy = {"kind": "min_max", "min": 50, "max": 120}
    engine.send(event("stock.counted", "count", **ROW, qty=40), event("policy.set", "policy", **ROW, policy=policy))
    [signal] = engine.get("/v1/signals?status=open")["items"]
    return str(signal["id"])


def answered(kind: str, signal: str, **data: Any) -> dict[str, Any]:
    return event(f"signal.{kind}", f"{kind}-{time.monotonic_ns()}", signal=signal, **ROW, by="ann", **data)


def placed(signal: str) -> dict[str, Any]:
    return event("order.placed", "placed", **LINE, supplier="ACME", qty=80, due="2026-04-01", signal=signal)


def check_signals(engine: Stockline) -> dict[str, int]:
    """The counts of signals, which agree with each other and with the list."""
    counts = engine.get("/v1/kpis")["signals"]
    sums = {kind: sum(counts[kind].values()) for kind in ("opened", "amended", "withdrawn", "closed")}
    listed = [engine.get(f"/v1/signals?status={status}")["total"] for status in ("open", "accepted")]
    assert counts["open"] == sums["opened"] - sums["withdrawn"] - sums["closed"] == sum(listed) >= 0
    return {**sums, "open": counts["open"]}


WAYS = {
    "its order names it, then it is told as ordered": ["placed", "ordered"],
    "told as ordered, then its order names it": ["ordered", "placed"],
    "told as ordered twice": ["ordered", "ordered again"],
    "accepted, its order names it, told as ordered": ["accepted", "placed", "ordered"],
    "withdrawn, then told as ordered": ["returned", "ordered"],
    "accepted, expired, then told as ordered": ["accepted", "later", "ordered"],
    "rejected": ["rejected"],
}


@pytest.mark.parametrize("steps", WAYS.values(), ids=WAYS)
def test_a_signal_that_is_over_counts_once(engine: Stockline, steps: list[str]) -> None:
    signal = open_signal(engine)
    assert check_signals(engine) == {"opened": 1, "amended": 0, "withdrawn": 0, "closed": 0, "open": 1}
    for step in steps:
        if step == "placed":
            engine.send(placed(signal))
        elif step == "returned":
            engine.send(event("stock.returned", "back", **ROW, qty=80, disposition="available"))
        elif step == "later":
            # The signal expires at the tick; the return keeps the row from asking again.
            engine.send(event("stock.returned", "back", "2026-03-20T00:00:00Z", **ROW, qty=80, disposition="available"))
        else:
            order = {"order": "PO-1", "line": 1} if step.startswith("ordered") else {}
            engine.send(answered(step.partition(" ")[0], signal, **order))
        check_signals(engine)
    counts = check_signals(engine)
    assert (counts["opened"], counts["withdrawn"] + counts["closed"], counts["open"]) == (1, 1, 0)
    # An answer is no change of what is proposed.
    assert counts["amended"] == 0


def test_the_answer_tells_repeats_apart(engine: Stockline) -> None:
    def posted(*events: dict[str, Any]) -> tuple[int, int, int]:
        answer = engine.post("/v1/events", list(events)).json
        return answer["accepted"], answer["duplicates"], len(answer["refused"])

    first, second = (event("stock.adjusted", f"adj-{n}", **ROW, qty=7, reason="found") for n in (1, 2))
    everywhere = event("location.defined", "loc-1", location="LDS")
    conflict = {**first, "data": {**first["data"], "qty": 8}}
    assert posted(first, everywhere) == (2, 0, 0)
    assert posted(first, second, second, conflict, everywhere) == (4, 3, 1)
    assert posted() == (0, 0, 0)
    assert engine.get("/v1/kpis")["duplicates"] == 3
    assert engine.get("/v1/positions/85123A/LDS")["available"] == 14


@pytest.mark.parametrize("clock", ["wall", "log"])
def test_ticks_are_no_events(tmp_path: Path, clock: str) -> None:
    day = datetime.now(UTC).date().isoformat()
    with Stockline(tmp_path / "data", "--clock", clock) as engine:
        ends = {f"r-{n}": (datetime.now(UTC) + timedelta(seconds=n)).isoformat() for n in ENDS_SECONDS}
        reserved = {name: {**ROW, "qty": 1, "reservation": name, "expires": at} for name, at in ends.items()}
        engine.send(*(event("stock.reserved", name, f"{day}T00:00:00Z", **data) for name, data in reserved.items()))
        for hour in range(2):
            engine.send(event("stock.adjusted", f"{hour}", f"{day}T0{hour}:00:00Z", **ROW, qty=1, reason="found"))
        engine.send(event("stock.adjusted", "1", f"{day}T01:00:00Z", **ROW, qty=1, reason="found"))
        deadline, sent = time.monotonic() + 120, len(reserved) + 3
        while engine.get("/v1/sync")["applied"] <= sent and time.monotonic() < deadline:
            time.sleep(0.05)
        assert engine.get("/v1/sync")["applied"] > sent, "no tick is in the log"
        assert engine.get("/v1/kpis")["events"] == {"stock.adjusted": 2, "stock.reserved": len(reserved)}
        metrics = engine.call("GET", "/metrics").body.decode()
    figures = dict(re.findall(r"^(stockline_events\S+) (\S+)$", metrics, re.MULTILINE))
    assert float(figures["stockline_events_applied_total"]) == sent - 1
    assert float(figures["stockline_events_accepted_total"]) == sent
    assert float(figures['stockline_events_total{outcome="applied"}']) == sent - 1


def spoiled(name: str, change: dict[str, Any]) -> str:
    return json.dumps({**event("stock.adjusted", name, **ROW, qty=1, reason="found"), **change})


REFUSED = {
    "unknown_type": spoiled("r-1", {"type": "stock.teleported"}),
    "invalid_event": spoiled("r-2", {"data": {**ROW, "qty": 1, "reason": "found", "colour": "blue"}}),
    "quantity_out_of_range": spoiled("r-3", {"data": {**ROW, "qty": 10**15, "reason": "found"}}),
    "too_large": spoiled("r-4", {"subject": "x" * 300_000}),
    "not_json": spoiled("r-5", {})[:-9],
    "too_deep": spoiled("r-6", {"deep": 0}).replace('"deep": 0', '"deep": ' + "[" * 5000 + "]" * 5000),
    "unknown_unit": spoiled("r-7", {"data": {**ROW, "qty": 1, "reason": "found", "uom": "pallet"}}),
    "time_in_future": spoiled("r-8", {"time": "2200-01-01T00:00:00Z"}),
}


def test_what_is_refused_is_named(engine: Stockline) -> None:
    answer = engine.call("POST", "/v1/events", "\n".join(REFUSED.values()).encode(), "application/x-ndjson")
    names = {reason: f"r-{n}" for n, reason in enumerate(REFUSED, 1)}
    assert {each["reason"]: each["id"] for each in answer.json["refused"]} == names
    letters = engine.get("/v1/dead-letters")["items"]
    assert {letter["reason"]: letter["event_id"] for letter in letters} == names
    assert {letter["event_source"] for letter in letters} == {"test"}
