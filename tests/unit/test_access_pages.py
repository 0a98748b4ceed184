"""Where a login leads: each role to a page of its own, and to no page that is not for it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from engine.access.principal import Role
from tests.unit.logins import guarded
from tests.unit.test_access_http import got, session


@pytest.mark.parametrize(
    ("role", "first", "pages", "foreign"),
    [
        ("viewer", "/", ["today", "stock", "decisions", "trace", "kpis"], "/supplier"),
        ("planner", "/", ["today", "stock", "decisions", "trace", "kpis", "supplier"], "/ops"),
        ("operator", "/", ["today", "stock", "decisions", "trace", "kpis", "supplier", "ops"], None),
        ("supplier", "/supplier", ["supplier"], "/row/A/L"),
        ("adapter", None, [], "/"),
    ],
)
async def test_a_role_lands_on_the_first_page_that_is_for_it_and_finds_no_other(
    tmp_path: Path, role: Role, first: str | None, pages: list[str], foreign: str | None
) -> None:
    async with guarded(tmp_path) as site:
        cookie = await session(site, site.tokens[role])
        async with site.client.get("/", headers=cookie) as answer:
            text = await answer.text()
            assert (answer.status, answer.url.path) == ((403, "/") if first is None else (200, first))
        assert re.findall(r'<a href="[/a-z]+" data-page="(\w+)"', text) == pages
        if foreign is not None:
            status, text = await got(site, "GET", foreign, cookie)
            assert (status, f"your login has the role {role}" in text) == (403, True)
            # What is refused has no module, so its script asks for nothing.
            assert 'data-page=""' in text
