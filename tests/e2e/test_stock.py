"""Stock and a row in a real browser: what is shown is what the engine holds, and what is changed is an event."""

import csv
import io
import re
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.acts import answer, do, planner, shot, soon, visit, works
from tests.integration.process import Stockline

pytestmark = [pytest.mark.real, pytest.mark.slow]

SCRIPT = "<img src=x onerror=\"document.title='broken'\"><script>document.title='broken'</script>"
COLUMN = """(field) => [...document.querySelectorAll(`.ag-row [col-id="${field}"]`)]
  .map((cell) => [Number(cell.closest(".ag-row").getAttribute("row-index")), cell.textContent])
  .sort((a, b) => a[0] - b[0]).map(([, text]) => text)"""


@pytest.fixture(scope="module")
def anna(browser: Browser, engine: Stockline) -> Iterator[Page]:
    with planner(browser, engine, "anna", "/stock") as page:
        yield page


def column(page: Page, field: str) -> list[str]:
    """What the grid shows in a column, from the first row on the screen to the last."""
    # In one step: the grid takes cells away while their handles are being collected.
    return list(page.evaluate(COLUMN, field))


def shows(page: Page, field: str, wanted: list[str]) -> None:
    """Wait until the column begins with these texts."""
    soon(
        lambda: column(page, field)[: len(wanted)] == wanted or None, f"{field} is not {wanted}: {column(page, field)}"
    )


def test_all_rows_of_the_demo_are_in_the_grid(anna: Page, engine: Stockline) -> None:
    first = engine.get("/v1/positions?limit=12")
    assert first["total"] > 4000
    expect(anna.locator('[data-part="total"]')).to_have_text(f"{first['total']:,} rows")
    shows(anna, "sku", [row["sku"] for row in first["items"]])
    shows(anna, "available", [f"{row['available']:,}" for row in first["items"]])
    shot(anna, "stock-light")


def test_the_order_the_search_and_a_filter_are_the_engine_s(anna: Page, engine: Stockline) -> None:
    anna.locator('.ag-header-cell[col-id="position"]').click()
    anna.wait_for_url("**sort=position")
    anna.locator("#search").fill("bag")
    do(anna.locator("main"), "filter")
    answer(anna, "filter", field="abc", relation="is", value="A")
    anna.wait_for_url("**abc=A**")
    wanted = engine.get("/v1/positions?sort=position&q=bag&abc=A&limit=10")
    expect(anna.locator('[data-part="total"]')).to_have_text(f"{wanted['total']:,} rows")
    shows(anna, "sku", [row["sku"] for row in wanted["items"]])


def test_the_csv_is_what_is_shown(anna: Page) -> None:
    visit(anna, "/stock?sort=-position&abc=A&q=bag&columns=sku,location,position")
    expect(anna.locator('[data-part="total"]')).to_have_text(re.compile(r"^\d"))
    with anna.expect_download() as taken:
        do(anna.locator("main"), "csv")
    rows = list(csv.reader(io.StringIO(taken.value.path().read_text())))
    assert rows[0] == ["sku", "location", "position"]
    listed = [row[0] for row in rows[1:]]

    def shown() -> list[str] | None:
        seen = column(anna, "sku")
        return seen if seen and seen == listed[: len(seen)] else None

    soon(shown, "the grid shows other rows")
    assert f"{len(rows) - 1:,} rows" == anna.locator('[data-part="total"]').text_content()


def test_a_filter_that_matches_nothing_or_is_absurd_is_explained(browser: Browser, engine: Stockline) -> None:
    with planner(browser, engine, "anna", "/stock?location=NOWHERE", expected=("400 (Bad Request)",)) as page:
        expect(page.locator("#instead")).to_contain_text("No row matches")
        do(page.locator("#instead"), "clear")
        expect(page.locator("#grid")).to_be_visible()
        visit(page, "/stock?no_such_field=1")
        expect(page.locator("#instead")).to_contain_text("no_such_field")
        do(page.locator("#instead"), "clear")
        expect(page.locator("#grid")).to_be_visible()


def test_a_view_is_saved_and_its_address_shows_it_to_somebody_else(
    anna: Page, browser: Browser, engine: Stockline
) -> None:
    visit(anna, "/stock?sort=-value&abc=A")
    anna.locator('select[name="views"]').select_option("+")
    answer(anna, "save-view", name="dear ones")
    do(anna.locator("main"), "columns")
    anna.locator('dialog[data-dialog="columns"] input[name="supplier"]').uncheck()
    do(anna.locator('dialog[data-dialog="columns"]'), "submit")
    expect(anna.locator('.ag-header-cell[col-id="supplier"]')).to_have_count(0)
    visit(anna, "/stock")
    anna.locator('select[name="views"]').select_option(label="★ dear ones")
    anna.wait_for_url("**sort=-value**")
    expect(anna.locator('.ag-header-cell[col-id="supplier"]')).to_have_count(1)
    top = engine.get("/v1/positions?sort=-value&abc=A&limit=5")["items"]
    with planner(browser, engine, "ben", anna.url.removeprefix(engine.url)) as ben:
        shows(ben, "sku", [row["sku"] for row in top])


def test_a_row_that_moved_stays_until_somebody_sorts_again(anna: Page, engine: Stockline) -> None:
    visit(anna, "/stock?sort=available")
    lowest = engine.get("/v1/positions?sort=available&limit=1")["items"][0]
    shows(anna, "sku", [lowest["sku"]])
    when = engine.get("/v1/work")["as_of"]
    count = {
        "specversion": "1.0", "id": "e2e-count", "source": "e2e", "type": "stock.adjusted", "time": when,
        "data": {"sku": lowest["sku"], "location": lowest["location"], "qty": 100_000, "reason": "found"},
    }  # fmt: skip
    engine.send(count)
    shows(anna, "available", [f"{lowest['available'] + 100_000:,}"])
    shows(anna, "sku", [lowest["sku"]])
    expect(anna.locator("#moved")).to_contain_text("moved · sort again")
    shot(anna, "stock-moved")
    anna.keyboard.press("r")
    expect(anna.locator("#moved")).to_be_hidden()
    shows(anna, "sku", [engine.get("/v1/positions?sort=available&limit=1")["items"][0]["sku"]])


def test_a_row_opens_with_its_chart_its_why_its_orders_and_its_history(anna: Page, engine: Stockline) -> None:
    one = works(engine, "signal")[0]
    visit(anna, f"/stock?q={one['sku']}&location={one['location']}")
    anna.locator(f'[data-row="{one["sku"]}@{one["location"]}"]').click()
    anna.wait_for_url(f"**open={one['sku']}**")
    drawer = anna.locator('.drawer[data-part="row"]')
    row = engine.get(f"/v1/positions/{one['sku']}/{one['location']}")
    expect(drawer.locator('[data-figure="Position"] dd')).to_have_text(f"{row['position']:,}")
    expect(drawer.locator('[data-figure="s"] dd')).to_have_text(f"{row['reorder']['s']:,}")
    expect(drawer.locator('[data-part="chart"] canvas')).to_be_visible()
    expect(anna.locator('[data-part="total"]')).to_have_text("1 row")
    expect(drawer.locator('[data-part="why"]')).to_contain_text(row["signal"]["explanation"]["formula"])
    expect(drawer.locator('[data-part="documents"]')).to_be_visible()
    shot(anna, "row-light")
    drawer.locator('[data-part="history"] summary').first.click()
    events = engine.get(f"/v1/positions/{one['sku']}/{one['location']}/events?limit=20")["items"]
    lines = drawer.locator('[data-part="history"] li[data-event]')
    expect(lines).to_have_count(len(events))
    assert lines.evaluate_all("all => all.map((each) => each.dataset.event)") == [each["id"] for each in events]
    anna.keyboard.press("Escape")
    expect(drawer).to_have_count(0)
    anna.go_back()
    expect(drawer).to_be_visible()


def test_a_policy_is_changed_after_its_effect_was_shown(anna: Page, browser: Browser, engine: Stockline) -> None:
    one = works(engine, "signal")[1]
    path = f"/row/{one['sku']}/{one['location']}"
    visit(anna, path)
    do(anna.locator("main"), "edit-policy")
    answer(anna, "policy", kind="min_max", min="40000", max="50000")
    effect = anna.locator('dialog[data-dialog="effect"]')
    expect(effect).to_contain_text("40,000")
    assert engine.get(f"/v1/positions/{one['sku']}/{one['location']}")["reorder"]["s"] != 40_000
    do(effect, "save-policy")
    expect(anna.locator('[data-figure="s"] dd')).to_have_text("40,000")
    changed = engine.get(f"/v1/positions/{one['sku']}/{one['location']}/events?limit=20")["items"]
    policy = next(event["data"]["policy"] for event in changed if event["type"] == "policy.set")
    assert policy == {"kind": "min_max", "min": 40_000, "max": 50_000}
    with planner(browser, engine, "ben", path) as ben:
        expect(ben.locator('[data-figure="S"] dd')).to_have_text("50,000")


def test_a_script_in_the_name_of_an_item_is_text(anna: Page, engine: Stockline) -> None:
    one = works(engine, "signal")[2]
    named = {
        "specversion": "1.0", "id": "e2e-name", "source": "e2e", "type": "item.defined",
        "time": engine.get("/v1/work")["as_of"],
        "data": {"sku": one["sku"], "base_unit": "each", "description": SCRIPT},
    }  # fmt: skip
    engine.send(named)
    known = f"/v1/positions?sku={quote(one['sku'])}&limit=1"
    soon(lambda: engine.get(known)["items"][0]["description"] == SCRIPT or None, "the name is not taken")
    for path in (f"/stock?q={one['sku']}", f"/row/{one['sku']}/{one['location']}", "/"):
        visit(anna, path)
        expect(anna.locator("main")).to_contain_text("<script>document.title='broken'</script>")
        assert "broken" not in anna.title()
