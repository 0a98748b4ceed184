"""Numbers, money and dates as the pages write them, in the browser that writes them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.e2e.browser import opened
from tests.integration.process import Stockline

CALL = "async ([name, given]) => (await import('/static/lib/format.js'))[name](...given)"


@pytest.fixture(scope="module")
def page(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with (
        Stockline(tmp_path_factory.mktemp("formats") / "data") as engine,
        # Of a file that is no page the browser asks for an icon at the usual place, where there is none.
        opened(browser, engine.url, expected=("404 (Not Found)",)) as page,
    ):
        page.goto("/static/icon.svg")
        yield page


@pytest.mark.parametrize(
    ("name", "given", "shown"),
    [
        ("money", ["1234567.895", "GBP"], "1,234,567.90 GBP"),
        ("money", ["0.005", None], "0.01"),
        ("money", ["-0.994", "EUR"], "-0.99 EUR"),
        # A float has no such number: an amount is never made one.
        ("money", ["9007199254740993.10", "GBP"], "9,007,199,254,740,993.10 GBP"),
        ("money", [None, "GBP"], "\N{EN DASH}"),
        ("roundMoney", ["214.88", "GBP"], "215 GBP"),
        ("roundMoney", ["214.49", "GBP"], "214 GBP"),
        ("roundMoney", ["-214.88", None], "-215"),
        ("quantity", [-1234], "-1,234"),
        ("quantity", [None], "\N{EN DASH}"),
        ("signed", [12], "+12"),
        ("date", ["2026-03-29"], "Sun, 29 Mar 2026"),
        ("age", ["2026-03-29T10:00:00Z", "2026-03-29T13:30:00Z"], "3 h ago"),
        ("age", ["2026-03-31T10:00:00Z", "2026-03-29T09:00:00Z"], "in 2 d"),
        ("span", [0.84], "0.8 s"),
        ("count", [1, "row"], "1 row"),
        ("count", [5570, "row"], "5,570 rows"),
    ],
)
def test_a_value_is_shown_as_people_read_it(page: Page, name: str, given: list[Any], shown: str) -> None:
    assert page.evaluate(CALL, [name, given]) == shown
