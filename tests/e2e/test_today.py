"""Today in a real browser: each decision is an event in the log, and a second planner sees it."""

from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.e2e.acts import answer, do, event_of, filled, item, planner, shot, soon, visit, watch_list, works
from tests.integration.process import Stockline

pytestmark = [pytest.mark.real, pytest.mark.slow]

# A refused answer and a stream that is cut off are what some of the tests are about; the browser's console names both.
REFUSED = ("409 (Conflict)", "412 (Precondition Failed)", "ERR_FAILED")


@pytest.fixture(scope="module")
def anna(browser: Browser, engine: Stockline) -> Iterator[Page]:
    """The page of the planner who decides."""
    with planner(browser, engine, "anna") as page:
        yield page


@pytest.fixture(scope="module")
def ben(browser: Browser, engine: Stockline) -> Iterator[Page]:
    """The page of a planner who watches, in a browser of his own."""
    with planner(browser, engine, "ben") as page:
        yield page


def test_what_is_at_stake_most_comes_first(anna: Page, engine: Stockline) -> None:
    work = engine.get("/v1/work")
    titles = anna.locator(".group h2").all_text_contents()
    assert titles == [group["title"] for group in work["groups"]]
    expect(anna.locator('[data-part="summary"]')).to_contain_text(f"{work['total']:,} decision")
    first = work["groups"][0]["items"][0]
    expect(item(anna, first["id"])).to_contain_text(first["sentence"])
    shot(anna, "today-light")


def test_a_proposal_is_accepted(anna: Page, ben: Page, engine: Stockline) -> None:
    watch_list(ben)
    one = works(engine, "signal")[0]
    do(item(anna, one["id"]), "accept")
    written = event_of(engine, one, "signal.accepted", "anna")
    assert written.get("qty", one["qty"]) == one["qty"]
    expect(item(anna, one["id"]).locator('[data-part="outcome"]')).to_have_text("accepted")
    expect(item(ben, one["id"]).locator('[data-part="outcome"]')).to_have_text("accepted by anna")


def test_an_acceptance_is_undone(anna: Page, ben: Page, engine: Stockline) -> None:
    one = works(engine, "signal")[0]
    do(item(anna, one["id"]), "accept")
    do(item(anna, one["id"]), "undo")
    assert event_of(engine, one, "signal.reopened", "anna")["reason"] == "undone"
    expect(item(anna, one["id"]).locator('[data-action="accept"]')).to_be_enabled()
    expect(item(ben, one["id"])).to_have_attribute("data-state", "open")


def test_a_proposal_is_accepted_with_another_quantity(anna: Page, ben: Page, engine: Stockline) -> None:
    watch_list(ben)
    one = works(engine, "signal")[0]
    do(item(anna, one["id"]), "change")
    answer(anna, "quantity", qty=str(one["qty"] + 7), note="a fair is coming")
    written = event_of(engine, one, "signal.accepted", "anna")
    assert (written["qty"], written["reason"]) == (one["qty"] + 7, "a fair is coming")
    expect(item(ben, one["id"]).locator('[data-part="outcome"]')).to_have_text("accepted by anna")


def test_a_proposal_is_rejected_with_a_reason(anna: Page, ben: Page, engine: Stockline) -> None:
    watch_list(ben)
    one = works(engine, "signal")[0]
    do(item(anna, one["id"]), "reject")
    dialog = anna.locator('dialog[data-dialog="reject"]')
    do(dialog, "submit")
    expect(dialog).to_be_visible()
    answer(anna, "reject", note="it is delisted")
    assert event_of(engine, one, "signal.rejected", "anna")["reason"] == "it is delisted"
    expect(item(ben, one["id"]).locator('[data-part="outcome"]')).to_have_text("rejected by anna")


def test_a_proposal_is_snoozed(anna: Page, ben: Page, engine: Stockline) -> None:
    one = works(engine, "signal")[0]
    do(item(anna, one["id"]), "snooze")
    answer(anna, "snooze", days="3", note="wait for the price")
    until = event_of(engine, one, "signal.snoozed", "anna")["until"]
    assert until > engine.get("/v1/work")["as_of"]
    soon(lambda: one["id"] not in [each["id"] for each in works(engine, "signal")] or None, "it is still listed")
    visit(ben, "/?snoozed=true")
    expect(item(ben, one["id"])).to_contain_text("snoozed until")
    visit(ben, "/")
    expect(item(ben, one["id"])).to_have_count(0)


def test_a_proposal_is_given_to_somebody_who_finds_it_among_their_own(anna: Page, ben: Page, engine: Stockline) -> None:
    visit(anna, "/")
    one = works(engine, "signal")[0]
    do(item(anna, one["id"]), "assign")
    answer(anna, "assign", to="ben", note="his supplier")
    written = event_of(engine, one, "signal.assigned", "anna")
    assert (written["to"], written["note"]) == ("ben", "his supplier")
    expect(item(anna, one["id"])).to_contain_text("owner ben")
    expect(item(ben, one["id"])).to_contain_text("owner ben")
    do(ben.locator("main"), "owner")
    ben.wait_for_url("**/?owner=ben")
    expect(ben.locator("[data-item]")).to_have_count(1)
    expect(item(ben, one["id"]).locator('[data-action="accept"]')).to_be_enabled()
    visit(ben, "/")


def test_an_acknowledgement_is_taken_back(anna: Page, ben: Page, engine: Stockline) -> None:
    visit(anna, "/")
    one, other = works(engine, "alert")[:2]
    do(item(anna, one["id"]), "acknowledge")
    do(item(anna, one["id"]), "undo")
    assert event_of(engine, one, "alert.reopened", "anna")["note"] == "undone"
    expect(item(anna, one["id"])).to_have_attribute("data-state", "open")
    expect(item(anna, one["id"]).locator('[data-action="acknowledge"]')).to_be_enabled()
    # What somebody else acknowledged long ago is opened again from the list of what is acknowledged.
    assert engine.post(f"/v1/alerts/{other['id']}/acknowledge", {"by": "zoe"}).status < 300
    visit(ben, "/?acknowledged=true")
    do(item(ben, other["id"]), "reopen")
    event_of(engine, other, "alert.reopened", "ben")
    expect(item(ben, other["id"]).locator('[data-action="acknowledge"]')).to_be_enabled()
    visit(ben, "/")
    expect(item(ben, other["id"])).to_be_visible()


def test_alerts_are_assigned_acknowledged_and_resolved(anna: Page, ben: Page, engine: Stockline) -> None:
    visit(anna, "/")
    visit(ben, "/")
    one = works(engine, "alert")[0]
    line = item(anna, one["id"])
    do(line, "assign")
    answer(anna, "assign", to="ben", note="his supplier")
    assert event_of(engine, one, "alert.assigned", "anna")["to"] == "ben"
    expect(item(ben, one["id"])).to_contain_text("owner ben")
    do(item(ben, one["id"]), "acknowledge")
    event_of(engine, one, "alert.acknowledged", "ben")
    expect(line).to_contain_text("acknowledged")
    do(line, "resolve")
    answer(anna, "resolve", note="counted again")
    assert event_of(engine, one, "alert.resolved", "anna")["note"] == "counted again"
    expect(line.locator('[data-part="outcome"]')).to_have_text("resolved")
    visit(ben, "/")
    expect(item(ben, one["id"])).to_have_count(0)


def test_a_selection_is_decided_at_once(anna: Page, engine: Stockline) -> None:
    visit(anna, "/")
    chosen = works(engine, "alert")[:3]
    for one in chosen:
        do(item(anna, one["id"]), "select")
    expect(anna.locator("#selection")).to_contain_text("3 selected")
    do(anna.locator("#selection"), "bulk-acknowledge")
    for one in chosen:
        event_of(engine, one, "alert.acknowledged", "anna")
    expect(anna.locator("#selection")).to_be_hidden()


def test_two_planners_answer_the_same_proposal(anna: Page, browser: Browser, engine: Stockline) -> None:
    visit(anna, "/")
    one = works(engine, "signal")[0]
    with planner(browser, engine, "carl", "/decisions", expected=REFUSED) as carl:
        # His page learns of nothing by itself.
        carl.route("**/v1/stream**", lambda route: route.abort())
        visit(carl, "/")
        do(item(carl, one["id"]), "reject")
        do(item(anna, one["id"]), "accept")
        event_of(engine, one, "signal.accepted", "anna")
        answer(carl, "reject", note="too much")
        expect(item(carl, one["id"])).to_contain_text("It was accepted by anna meanwhile. Your answer was not written.")
    now = engine.get(f"/v1/signals/{one['id']}")
    assert (now["status"], now["by"]) == ("accepted", "anna")


def test_what_another_planner_undoes_can_be_decided_again(anna: Page, ben: Page, engine: Stockline) -> None:
    one = works(engine, "signal")[0]
    do(item(anna, one["id"]), "accept")
    event_of(engine, one, "signal.accepted", "anna")
    assert engine.post(f"/v1/signals/{one['id']}/reopen", {"by": "ben", "reason": "the price has risen"}).status < 300
    expect(item(anna, one["id"]).locator('[data-action="accept"]')).to_be_enabled()
    expect(item(ben, one["id"]).locator('[data-action="accept"]')).to_be_enabled()


def test_an_order_says_how_far_it_is_from_the_minimum_and_the_truck_of_its_supplier(
    anna: Page, engine: Stockline
) -> None:
    work = engine.get("/v1/work?kind=order")
    group = next(each for each in work["groups"] if each["total_value"])
    total, currency, units = Decimal(group["total_value"]), group["currency"], group["total_qty"]

    def define(time: str, **stated: Any) -> Locator:
        data = {"supplier": group["supplier"], **stated}
        name = f"{group['supplier']}-{time}"
        engine.send({"specversion": "1.0", "id": name, "source": "erp/suppliers", "type": "supplier.defined",
                     "time": time, "data": data})  # fmt: skip
        engine.get("/v1/sync?wait=10")
        visit(anna, "/?kind=order")
        return anna.locator(f'.group[data-supplier="{group["supplier"]}"] header').first

    head = define("2011-03-01T00:00:00Z", minimum_value=str(total + 1300), currency=currency, truck_units=units + 5,
                  truck_uom="each")  # fmt: skip
    least = f"{amount(total)} {currency} of {amount(total + 1300)} minimum: 1,300.00 short"
    expect(head.locator('[data-part="minimum"]')).to_have_text(least)
    expect(head.locator('[data-part="truck"]')).to_have_text(f"truck: {units:,} of {units + 5:,} each, 5 free")
    shot(anna, "today-minimum")
    head = define("2011-03-02T00:00:00Z", minimum_value="1", currency=currency)
    expect(head.locator('[data-part="minimum"]')).to_have_text(f"minimum 1.00 {currency} is reached")
    expect(head.locator('[data-part="truck"]')).to_have_count(0)
    head = define("2011-03-03T00:00:00Z", minimum_value="1", currency="XTS")
    said = f"minimum 1.00 XTS, not compared: the order is in {currency}"
    expect(head.locator('[data-part="minimum"]')).to_have_text(said)


def amount(value: Decimal) -> str:
    """An amount as the page writes it."""
    return f"{value.quantize(Decimal('0.01'), ROUND_HALF_UP):,}"


def test_the_whole_order_of_a_supplier_is_accepted(anna: Page, ben: Page, engine: Stockline) -> None:
    visit(anna, "/?kind=order")
    visit(ben, "/?kind=order")
    watch_list(ben)
    groups = engine.get("/v1/work?kind=order&limit=1000")["groups"]
    group = next(each for each in groups if sum(one["type"] == "signal" for one in each["items"]) > 1)
    panel = anna.locator(f'.group[data-supplier="{group["supplier"]}"]').first
    do(panel, "accept-group")
    answer(anna, "accept-group")
    for one in group["items"]:
        event_of(engine, one, "signal.accepted", "anna")
        expect(item(ben, one["id"]).locator('[data-part="outcome"]')).to_have_text("accepted by anna")


def test_who_decided_what_stands_among_the_decisions(ben: Page, engine: Stockline) -> None:
    visit(ben, "/decisions?by=anna")
    known = engine.get("/v1/decisions?by=anna&limit=50")["items"]
    lines = ben.locator("[data-decision]")
    expect(lines).to_have_count(len(known))
    assert lines.evaluate_all("all => all.map((each) => each.dataset.decision)") == [each["event"] for each in known]
    kinds = {each["kind"] for each in known}
    assert {"accept", "reject", "snooze", "assign", "resolve", "acknowledge", "reopen"} <= kinds
    ben.locator('select[name="kind"]').select_option("reject")
    expect(lines).to_have_count(sum(each["kind"] == "reject" for each in known))
    expect(lines.first).to_contain_text("it is delisted")


def test_the_list_is_filtered_in_its_address(ben: Page) -> None:
    visit(ben, "/")
    ben.locator('select[name="kind"]').select_option("stockout")
    ben.wait_for_url("**/?kind=stockout")
    expect(ben.locator(".group:not([data-group=stockout])")).to_have_count(0)
    ben.locator('input[name="location"]').fill("NO-SUCH-PLACE")
    ben.locator('input[name="location"]').press("Enter")
    expect(ben.locator('[data-part="empty"]')).to_contain_text("Nothing matches")
    do(ben.locator("main"), "clear")
    filled(ben)
    expect(ben.locator("[data-item]").first).to_be_visible()


def test_back_undoes_a_filter_and_closes_a_row(ben: Page, engine: Stockline) -> None:
    visit(ben, "/")
    ben.locator('select[name="kind"]').select_option("order")
    ben.wait_for_url("**/?kind=order")
    do(ben.locator("main"), "snoozed")
    ben.wait_for_url("**/?kind=order&snoozed=true")
    expect(ben.locator('[data-action="snoozed"]')).to_have_attribute("aria-pressed", "true")
    expect(ben.locator('[data-action="snoozed"]')).to_be_focused()
    ben.go_back()
    expect(ben.locator('[data-action="snoozed"]')).to_have_attribute("aria-pressed", "false")
    one = works(engine, "signal")[0]
    do(item(ben, one["id"]), "open")
    ben.wait_for_url(f"**/?kind=order&open={one['sku']}&at={one['location']}")
    drawer = ben.locator('.drawer[data-part="row"]')
    expect(drawer).to_be_visible()
    ben.go_back()
    expect(drawer).to_have_count(0)
    ben.go_forward()
    expect(drawer).to_contain_text(one["sku"])
    ben.go_back()
    ben.go_back()
    expect(ben.locator('select[name="kind"]')).to_have_value("")
    expect(ben.locator(".group:not([data-group=order])").first).to_be_visible()


def test_reading_the_list_again_keeps_what_is_ticked_and_where_one_is(ben: Page) -> None:
    visit(ben, "/?kind=order")
    ben.keyboard.press("j")
    ben.keyboard.press("j")
    ben.keyboard.press("x")
    name = ben.locator(".item.current").get_attribute("data-item") or ""
    with ben.expect_response("**/v1/work?**"):
        ben.keyboard.press("r")
    expect(item(ben, name)).to_have_class("item open current")
    expect(item(ben, name).locator('[data-action="select"]')).to_be_checked()
    expect(ben.locator("#selection")).to_contain_text("1 selected")
    ben.keyboard.press("Escape")
    expect(ben.locator("#selection")).to_be_hidden()
