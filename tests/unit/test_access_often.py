"""How often a login may call over HTTP, how many streams it may have, and how often an address may be wrong."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from engine.access.limits import Allowance
from engine.web import admission
from engine.web.admission import Limits
from tests.unit.logins import guarded
from tests.unit.test_access_http import got


@pytest.fixture
def at_one_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    """However long a test takes, nobody may call once more because time has passed."""
    monkeypatch.setattr(admission, "Allowance", partial(Allowance, clock=lambda: 0.0))


@pytest.mark.usefixtures("at_one_moment")
async def test_a_login_calls_so_often_and_others_do_not_wait_for_it(tmp_path: Path) -> None:
    async with guarded(tmp_path, Limits(per_second=1, at_once=64)) as site:
        found = [await got(site, "GET", "/v1/sync", site.bearer("viewer")) for _ in range(3)]
        assert [status for status, _ in found] == [200, 200, 429]
        assert found[2][1]["reason"] == "too_often"
        async with site.client.get("/v1/sync", headers=site.bearer("viewer")) as answer:
            assert 1 <= int(answer.headers["Retry-After"]) <= 2
        assert (await got(site, "GET", "/v1/sync", site.bearer("planner")))[0] == 200


async def test_a_login_has_so_many_streams(tmp_path: Path) -> None:
    async with (
        guarded(tmp_path, Limits(per_second=1000, at_once=2)) as site,
        site.client.get("/v1/stream", headers=site.bearer("viewer")),
        site.client.get("/v1/stream", headers=site.bearer("viewer")),
    ):
        status, problem = await got(site, "GET", "/v1/sync", site.bearer("viewer"))
        assert (status, problem["reason"]) == (429, "too_often")
        assert (await got(site, "GET", "/v1/sync", site.bearer("planner")))[0] == 200


@pytest.mark.usefixtures("at_one_moment")
async def test_wrong_tokens_of_an_address_lock_out_nobody_else(tmp_path: Path) -> None:
    wrong = {"Authorization": "Bearer slk_00000000_x"}
    async with guarded(tmp_path) as site:
        statuses = [(await got(site, "GET", "/v1/sync", wrong))[0] for _ in range(25)]
        assert statuses == [401] * 20 + [429] * 5
        assert (await got(site, "GET", "/v1/sync", site.bearer("viewer")))[0] == 200
