"""The client of Tryton's JSON-RPC against a server that answers as Tryton does, with everything that can go wrong."""

from __future__ import annotations

import gzip
import json
from base64 import b64decode
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from connectors.profiles import Unreachable
from connectors.tryton import client as module
from connectors.tryton.changes import Changes, Poll
from connectors.tryton.client import Access, TrytonClient
from connectors.tryton.wire import TrytonAsks, TrytonChanged, TrytonRefused
from engine.core.errors import UsageError

Scripted = tuple[int, bytes]
BEGINNING = datetime(2026, 3, 2, tzinfo=UTC)


class Fake:
    """A server of a series; `script` has the next answers to calls of models, `rows` what a search finds."""

    def __init__(self, series: str = "8.2") -> None:
        self.series = series
        self.script: list[Scripted] = []
        self.calls: list[tuple[str, list[Any]]] = []
        self.logins = 0
        self.login_status = 200
        self.encoding: dict[str, str] = {}
        self.valid = ""

    async def answer(self, request: web.Request) -> web.Response:
        body = json.loads(await request.read())
        method, is_new = body["method"], self.series.startswith("8")
        if method == "common.server.version":
            if request.path != ("/rpc/" if is_new else "/"):
                return web.Response(status=405)
            return self._result(self.series)
        assert request.path == ("/erp/rpc/" if is_new else "/erp/")
        if method == "common.db.login":
            self.logins += 1
            if self.login_status != 200:
                return web.Response(status=self.login_status)
            self.valid = f"stockline:3:token{self.logins}"
            return self._result([3, f"token{self.logins}", *(["bus"] if is_new else [])])
        if b64decode(request.headers["Authorization"].partition(" ")[2]).decode() != self.valid:
            return web.Response(status=401)
        if method.endswith("get_preferences"):
            return self._result({"company": 1, "groups": [9], "language": "fr", "locale": {}, "company.rec_name": "C"})
        self.calls.append((method, body["params"]))
        if self.script:
            status, raw = self.script.pop(0)
            return web.Response(status=status, body=raw, headers=self.encoding)
        return self._result([])

    def _result(self, value: Any) -> web.Response:
        return web.json_response({"id": 1, "result": value})


@pytest.fixture
async def fake(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Fake, str]]:
    monkeypatch.setattr(module, "FIRST_PAUSE_SECONDS", 0.001)
    served, app = Fake(), web.Application()
    app.router.add_post("/{path:.*}", served.answer)
    async with TestServer(app) as server:
        yield served, str(server.make_url("/"))


def access(url: str) -> Access:
    return Access(url, "erp", "stockline", "secret", 5)


def error(*words: Any) -> Scripted:
    return 200, json.dumps({"id": 1, "error": list(words)}).encode()


@pytest.mark.parametrize(("series", "version"), [("8.2", (8, 2)), ("7.0", (7, 0))])
async def test_each_series_is_spoken_to_at_its_own_address(
    fake: tuple[Fake, str], series: str, version: tuple[int, int]
) -> None:
    fake[0].series = series
    async with TrytonClient(access(fake[1])) as client:
        assert client.version == version
        await client.call("model.party.party.search", [["name", "=", "x"]])
    ((_, params),) = fake[0].calls
    assert params[-1] == {"company": 1, "groups": [9], "language": "en"}, (
        "the context is the last parameter, in English"
    )


async def test_an_expired_session_is_opened_again_once(fake: tuple[Fake, str]) -> None:
    async with TrytonClient(access(fake[1])) as client:
        fake[0].valid = "nobody"
        assert await client.call("model.party.party.search", []) == []
        assert fake[0].logins == 2


@pytest.mark.parametrize(("status", "failure"), [(401, UsageError), (404, UsageError), (429, Unreachable)])
async def test_a_login_that_is_refused_is_not_tried_again(
    fake: tuple[Fake, str], status: int, failure: type[Exception]
) -> None:
    fake[0].login_status = status
    with pytest.raises(failure) as said:
        async with TrytonClient(access(fake[1])):
            pass
    assert fake[0].logins == 1
    assert "secret" not in str(said.value)


@pytest.mark.parametrize(
    "body", [gzip.compress(b'{"id":1,"result":7}'), b'{"id":1,"result":7}'], ids=["packed", "plain"]
)
async def test_a_body_is_unpacked_by_its_first_bytes_and_not_by_its_header(fake: tuple[Fake, str], body: bytes) -> None:
    fake[0].encoding = {"Content-Encoding": "gzip"}
    async with TrytonClient(access(fake[1])) as client:
        fake[0].script = [(200, body)]
        assert await client.call("model.party.party.search_count", []) == 7


@pytest.mark.parametrize("status", [503, 502, 500])
async def test_a_reading_call_is_repeated_and_a_writing_one_is_not(fake: tuple[Fake, str], status: int) -> None:
    async with TrytonClient(access(fake[1])) as client:
        fake[0].script = [(status, b"<html>"), (status, b"<html>")]
        assert await client.search_read("party.party", [], ["name"]) == []
        assert len(fake[0].calls) == 3
        fake[0].script = [(status, b"<html>")]
        with pytest.raises(Unreachable):
            await client.call("model.party.party.write", [1], {"name": "x"})
        assert len(fake[0].calls) == 4


async def test_a_server_that_stays_busy_is_given_up(fake: tuple[Fake, str]) -> None:
    async with TrytonClient(access(fake[1])) as client:
        fake[0].script = [(503, b"")] * 9
        with pytest.raises(Unreachable, match="503"):
            await client.search_read("party.party", [], ["name"])
        assert len(fake[0].calls) == module.ATTEMPTS


@pytest.mark.parametrize(
    ("answer", "failure", "text"),
    [
        (error("UserError", ["Non !", "", None]), TrytonRefused, "Non !"),
        (error("UserWarning", ["w7", "Êtes-vous sûr ?", ""]), TrytonAsks, "sûr"),
        (error("ConcurrencyException", "x"), TrytonChanged, "x"),
        ((403, b""), UsageError, "does not let the user call"),
        ((422, b"<html>"), TrytonRefused, "422"),
        ((200, b"<html>"), TrytonRefused, "no result"),
        ((200, gzip.compress(b'{"id":1,"result":7}' * 9)[:20]), Unreachable, "no answer"),
    ],
)
async def test_what_goes_wrong_is_an_error_of_its_own(
    fake: tuple[Fake, str], answer: Scripted, failure: type[Exception], text: str
) -> None:
    async with TrytonClient(access(fake[1])) as client:
        fake[0].script = [answer]
        with pytest.raises(failure, match=text.replace("?", "[?]")):
            await client.call("model.purchase.purchase.confirm", [7])
    assert len(fake[0].calls) == 1


async def test_what_is_no_tryton_is_said(fake: tuple[Fake, str]) -> None:
    fake[0].series = "nothing"
    with pytest.raises(UsageError, match="does not answer as a Tryton server"):
        async with TrytonClient(access(fake[1])):
            pass
    with pytest.raises(Unreachable):
        async with TrytonClient(access("http://127.0.0.1:1")):
            pass


class Table:
    """A model of a server, searched as Tryton searches: by the domains that polling makes."""

    def __init__(self, *stamps: int) -> None:
        self.rows = {number: BEGINNING + timedelta(seconds=second) for number, second in enumerate(stamps, 1)}
        self.version = (8, 2)

    async def search_read(self, model: str, domain: Any, fields: Any, page: Any, context: Any) -> list[dict[str, Any]]:
        def meets(row: tuple[int, datetime], clause: Any) -> bool:
            if clause and clause[0] == "OR":
                return any(meets(row, each) for each in clause[1:])
            if clause and isinstance(clause[0], str):
                field, operator, value = clause
                found = row[0] if field == "id" else row[1]
                if operator == "!=":
                    return bool(found != value)
                return bool({">=": found >= value, ">": found > value, "=": found == value}[operator])
            return all(meets(row, each) for each in clause)

        rows = sorted((at, number) for number, at in self.rows.items() if meets((number, at), domain))
        return [{"id": number, "last_modified_at": at} for at, number in rows[: page[1]]]


async def polled(table: Table, position: Any, overlap: int = 60) -> tuple[list[int], Any]:
    found: list[int] = []
    changes = Changes(table, Poll("m", ["id"]), 3, timedelta(seconds=overlap))  # type: ignore[arg-type]
    async for page in changes.pages(position):
        found += [row["id"] for row in page.records]
        position = json.loads(json.dumps(page.position))
    return found, position


async def test_polling_finds_what_commits_late_and_repeats_nothing() -> None:
    table = Table(100, 100, 100, 100, 100, 160)
    found, position = await polled(table, None)
    assert found == [1, 2, 3, 4, 5, 6], "records of one stamp go on over several pages"
    assert (await polled(table, position))[0] == []
    table.rows |= {number: BEGINNING + timedelta(seconds=101) for number in range(7, 15)}
    found, position = await polled(table, position)
    assert found == list(range(7, 15)), "what was stamped before the newest, and committed after it, is found"
    table.rows[2] = BEGINNING + timedelta(seconds=170)
    found, position = await polled(table, position)
    assert found == [2], "what is stamped again is read again"
    table.rows[99] = BEGINNING + timedelta(seconds=109)
    assert (await polled(table, position))[0] == [], "what commits later than the overlap is left to the balances"
    assert set(position["last_modified_at"]["seen"]) == {"2", "6"}, "what is older than the overlap is forgotten"
