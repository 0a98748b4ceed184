"""The pages of the live view: what is served, under which policy, and that nothing in it comes from elsewhere."""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from engine.web import site as pages
from tests.unit.web_client import Site, site

STATIC = Path(__file__).parents[2] / "engine/web/static"
VENDOR = STATIC / "vendor"
OURS = sorted(path for path in STATIC.rglob("*.js") if VENDOR not in path.parents)
MAX_MODULE_LINES = 300


@pytest.fixture
async def web() -> AsyncIterator[Site]:
    async with site() as running:
        yield running


@pytest.mark.parametrize("path", ["/", *(f"/{name}" for name in pages.by_path()), "/row/85123A/LDS", "/row/a%2Fb/L"])
async def test_a_page_is_served_under_a_strict_policy_with_a_nonce_of_its_own(web: Site, path: str) -> None:
    seen = set()
    for _ in range(2):
        async with web.client.get(path) as answer:
            text = await answer.text()
            policy = answer.headers["Content-Security-Policy"]
            assert (answer.status, answer.content_type) == (200, "text/html")
        nonce = re.search(r'<meta name="csp-nonce" content="([\w-]{22})">', text)
        assert nonce is not None
        assert f"style-src 'self' 'nonce-{nonce[1]}'" in policy
        assert "unsafe" not in policy
        seen.add(nonce[1])
    assert len(seen) == 2


async def test_a_page_has_no_script_or_style_of_its_own_and_knows_its_place(web: Site) -> None:
    async with web.client.get("/stock") as answer:
        text = await answer.text()
    assert not re.search(r"<style|\bstyle=|\bon\w+=|<script>", text)
    assert re.findall(r'data-page="(\w+)" aria-current="page"', text) == ["stock"]


async def test_every_part_is_served_compressed_and_not_twice(web: Site) -> None:
    assert {"app.css", "lib/shell.js", "icon.svg"} <= pages.names()
    for name in pages.names():
        async with web.client.get(f"/static/{name}") as answer:
            assert answer.status == 200
            assert await answer.read() == (STATIC / name).read_bytes()
            tag = answer.headers["ETag"]
        async with web.client.get(f"/static/{name}", headers={"If-None-Match": tag}) as answer:
            assert (answer.status, await answer.read()) == (304, b"")
    async with web.client.get("/static/vendor/ag-grid-community-36.2.0.min.js") as answer:
        assert answer.headers["Content-Encoding"] == "gzip"
        assert "immutable" in answer.headers["Cache-Control"]


def test_every_page_has_its_module() -> None:
    assert {path.stem for path in (STATIC / "pages").glob("*.js")} >= set(pages.PAGES)


def test_vendored_files_are_those_that_are_listed() -> None:
    listed = tomllib.loads((VENDOR / "VENDOR.toml").read_text(encoding="utf-8"))["file"]
    for each in listed:
        assert hashlib.sha256((VENDOR / each["path"]).read_bytes()).hexdigest() == each["sha256"], each["path"]
        assert each["version"] in each["path"]
        assert each["licence"] == "MIT"
    there = {path.name for path in VENDOR.iterdir()}
    assert there == {"VENDOR.toml"} | {each["path"] for each in listed} | {each["licence_file"] for each in listed}
    assert not [name for name in there if "enterprise" in name]


@pytest.mark.parametrize("path", OURS, ids=lambda path: str(path.relative_to(STATIC)))
def test_a_module_parses_no_data_as_html_and_asks_no_other_host(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", text)
    assert not re.search(r"https?://(?!www\.w3\.org)", text)
    assert len(text.splitlines()) <= MAX_MODULE_LINES
