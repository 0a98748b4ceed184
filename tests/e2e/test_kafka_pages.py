"""The pages on Kafka: two workers apply, `stockline web` shows, and a decision reaches the log and another browser."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.acts import answer, do, event_of, item, planner, soon, watch_list, works
from tests.integration.process import Stockline, Workers, event
from tests.integration.test_kafka_logins import Port

pytestmark = [pytest.mark.real, pytest.mark.slow]

ROWS = 12
NOW = datetime.now(UTC)
AT, BEFORE = NOW.isoformat(), (NOW - timedelta(minutes=5)).isoformat()


def story() -> list[dict[str, object]]:
    """Rows that are all below their minimum: each asks a planner for an order."""
    told = []
    for number in range(ROWS):
        row = {"sku": f"SKU-{number:02}", "location": "LDS"}
        told += [
            event("item.defined", f"i{number}", AT, sku=row["sku"], base_unit="each", description=f"Item {number}"),
            event("stock.counted", f"c{number}", BEFORE, **row, qty=5),
            event("policy.set", f"p{number}", AT, **row, policy={"kind": "min_max", "min": 50, "max": 120},
                  supplier="ACME", lead_time_days=6, unit_cost="2.50", currency="GBP"),
        ]  # fmt: skip
    return told


def test_a_decision_on_kafka_is_in_the_log_and_before_another_planner(
    browser: Browser, kafka: str, tmp_path: Path
) -> None:
    with (
        Workers(kafka, tmp_path / "rows") as workers,
        Stockline(tmp_path / "view", "--kafka", kafka, verb="web") as engine,
    ):
        workers.wait_owned()
        engine.send(*story())
        assert engine.get("/v1/sync?wait=100")["lag"] == 0
        soon(lambda: len(works(engine, "signal")) == ROWS or None, "not every row asks for an order")
        one, other, *_ = works(engine, "signal")
        with planner(browser, engine, "anna") as anna, planner(browser, engine, "ben") as ben:
            watch_list(anna, ben)
            do(item(anna, one["id"]), "change")
            answer(anna, "quantity", qty="130", note="a fair is coming")
            assert event_of(engine, one, "signal.accepted", "anna")["qty"] == 130
            expect(item(ben, one["id"]).locator('[data-part="outcome"]')).to_have_text("accepted by anna")
            do(item(ben, other["id"]), "reject")
            answer(ben, "reject", note="it is delisted")
            assert event_of(engine, other, "signal.rejected", "ben")["reason"] == "it is delisted"
            expect(item(anna, other["id"]).locator('[data-part="outcome"]')).to_have_text("rejected by ben")
        with planner(browser, engine, "olga", "/ops") as olga:
            port = f":{Port(workers).port}"
            expect(olga.locator("#processes tbody tr", has_text=port)).to_contain_text("0\u20137")
            names = olga.get_by_label("process", exact=True)
            names.select_option(names.locator("option", has_text=port).get_attribute("value"))
            expect(olga.locator("#settings-values tr", has_text="session_timeout_ms")).to_contain_text("8000")
        assert (engine.stop(), workers.stop()) == (0, 0)
