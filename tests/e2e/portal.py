"""A portal of a supplier, for the tests of its login: the engine with logins, and what people do on the page."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from playwright.sync_api import Locator, Page, expect

from tests.e2e.acts import do, soon
from tests.integration.process import Stockline
from tests.integration.test_logins import ROLES, created
from tests.real import oidc
from tests.real.kafka import free_port


class Portal(NamedTuple):
    """An engine on a week of the demo that asks for logins.

    `bearer` is an operator's header, `vic` a token of the supplier, `waiting` what that has not confirmed yet.
    """

    engine: Stockline
    issuer: str
    tokens: Path
    bearer: dict[str, str]
    vic: str
    supplier: str
    waiting: list[dict[str, Any]]

    def get(self, path: str) -> Any:
        got = self.engine.patiently(path, self.bearer)
        assert got.status == 200, got
        return got.json

    def token(self, name: str) -> str:
        """A token of the supplier."""
        return created(self.tokens, name, "--role", "supplier", "--supplier", self.supplier)

    def event(self, line: dict[str, Any], kind: str) -> dict[str, Any]:
        """The newest event of this type about a line, from the log."""
        path = f"/v1/positions/{quote(line['sku'])}/{quote(line['location'])}/events?limit=50"
        named = {"order": line["order"], "line": line["line"]}

        def ask() -> dict[str, Any] | None:
            items = self.get(path)["items"]
            same = [each for each in items if each["type"] == kind and named.items() <= each["data"].items()]
            return same[0] if same else None

        return soon(ask, f"no {kind} of {named} in the log")


SUPPLIER = "Holt & Daughters"


def settings_of(folder: Path, issuer: str) -> dict[str, str]:
    """What the engine is told of the provider, and of the forecast that is shared."""
    (folder / "secret").write_text(oidc.SECRET + "\n")
    (folder / "sharing.toml").write_text(f'[suppliers."{SUPPLIER}"]\nweeks = 3\nskus = ["22*"]\n')
    return {
        "STOCKLINE_OIDC_ISSUER": issuer,
        "STOCKLINE_OIDC_CLIENT_ID": oidc.CLIENT,
        "STOCKLINE_OIDC_CLIENT_SECRET_FILE": str(folder / "secret"),
        "STOCKLINE_OIDC_ROLES_CLAIM": "groups",
        "STOCKLINE_OIDC_ROLES": json.dumps(ROLES),
        "STOCKLINE_OIDC_SUPPLIER_CLAIM": "vendor",
        "STOCKLINE_SUPPLIER_SHARING": str(folder / "sharing.toml"),
    }


@contextmanager
def opened_portal(week: Path, folder: Path) -> Iterator[Portal]:
    """A portal on a copy of the week, in an empty folder; raises Missing where there is no provider."""
    port, tokens = free_port(), folder / "tokens"
    shutil.copytree(week, folder / "data")
    bearer = {"Authorization": f"Bearer {created(tokens, 'olga', '--role', 'operator')}"}
    vic = created(tokens, "vic", "--role", "supplier", "--supplier", SUPPLIER)
    arguments = ("--clock", "log", "--port", str(port), "--tokens", str(tokens))
    with (
        oidc.provider(f"http://127.0.0.1:{port}/login/callback", SUPPLIER) as issuer,
        Stockline(folder / "data", *arguments, settings=settings_of(folder, issuer)) as engine,
    ):
        portal = Portal(engine, issuer, tokens, bearer, vic, SUPPLIER, [])
        lines = portal.get(f"/v1/supplier/lines?supplier={quote(SUPPLIER)}&limit=1000")["items"]
        yield portal._replace(waiting=[each for each in lines if not each["schedule"] and each["ordered"] > 3])
        assert engine.stop() == 0, engine.errors()


def log_in(page: Page, secret: str) -> None:
    page.locator('input[name="token"]').fill(secret)
    page.get_by_role("button", name="Log in", exact=True).click()


def at(page: Page, line: dict[str, Any]) -> Locator:
    return page.get_by_role("listitem", name=f"Order {line['order']}, line {line['line']}", exact=True)


def say(page: Page, line: dict[str, Any], *parts: tuple[str, int, str]) -> None:
    """Open what is said of a line, and say these parts of it: (status, quantity, day)."""
    do(at(page, line), "change")
    asked = page.locator('dialog[data-dialog="schedule"]')
    for _ in parts[1:]:
        do(asked, "split")
    for number, (status, qty, due) in enumerate(parts):
        row = asked.locator('[data-part="entry"]').nth(number)
        row.locator('[name="status"]').select_option(status)
        row.locator('[name="qty"]').fill(str(qty))
        row.locator('[name="due"]').fill(due)
    do(asked, "submit")


def shown(page: Page, line: dict[str, Any], *statuses: str) -> None:
    """Wait until the line shows these answers."""
    tags = at(page, line).locator("[data-status]")
    expect(tags).to_have_count(len(statuses))
    for number, status in enumerate(statuses):
        expect(tags.nth(number)).to_have_attribute("data-status", status)
