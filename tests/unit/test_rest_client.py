"""The client of the REST connector: what its answers mean, its credentials, patience and limits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from connectors.orders import PushRefused
from connectors.profiles import Secret, Unreachable
from connectors.rest import client
from connectors.rest.client import Asked, RestClient
from connectors.rest.profile import ApiKey, Auth, Limits, OAuth2
from engine.core.errors import UsageError

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def speaking(answer: Answer, auth: Auth | None = None, **limits: Any) -> AsyncIterator[RestClient]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    url = f"http://{host}:{port}"
    if isinstance(auth, OAuth2):
        auth = auth.model_copy(update={"token_url": f"{url}/token"})
    async with RestClient(url, auth, Limits(**({"requests_per_second": 10_000} | limits))) as found:
        yield found
    await runner.cleanup()


class Script:
    """Answers one after the other, the last one for ever."""

    def __init__(self, *answers: tuple[int, Any] | tuple[int, Any, dict[str, str]]) -> None:
        self.answers = list(answers)
        self.seen: list[web.Request] = []

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.seen.append(request)
        status, body, *headers = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return web.json_response(body, status=status, headers=headers[0] if headers else None)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "FIRST_PAUSE_SECONDS", 0.001)
    monkeypatch.setenv("REST_KEY", "a-key-of-ours")


def ask(found: RestClient, **fields: Any) -> Awaitable[Any]:
    return found.ask(Asked("GET", found.url("/x"), **fields))


WRITING = {"writes": True, "may_repeat": False}
MEANINGS = [
    ("an answer", [(200, [1])], {}, ["1"], 1),
    ("a failure that passes", [(500, {}), (200, [])], {}, [], 2),
    ("one that does not", [(500, {})], {}, Unreachable, 4),
    ("a writing request is not repeated", [(500, {}), (200, [])], WRITING, Unreachable, 1),
    ("but for one that took no effect", [(429, {}, {"Retry-After": "0"}), (200, [])], WRITING, [], 2),
    ("or has an idempotency key", [(502, {}), (200, [])], {"writes": True}, [], 2),
    ("too long a wait", [(429, {}, {"Retry-After": "9999"})], {}, Unreachable, 1),
    ("what is asked wrongly", [(400, {"message": "no"})], {}, UsageError, 1),
    ("what is written and not wanted", [(422, {"message": "no"})], WRITING, PushRefused, 1),
    ("an error in spite of 200, reading", [(200, {"error": {"message": "no"}})], {"error": "error"}, Unreachable, 4),
    ("the same, writing", [(200, {"error": {"message": "no"}})], WRITING | {"error": "error"}, PushRefused, 1),
    ("a key that is not accepted", [(401, {})], {}, UsageError, 1),
    ("a redirect", [(302, {}, {"Location": "http://example.com"})], {}, UsageError, 1),
]


@pytest.mark.parametrize(
    ("answers", "fields", "expected", "calls"), [m[1:] for m in MEANINGS], ids=[m[0] for m in MEANINGS]
)
async def test_what_an_answer_means(answers: list[Any], fields: Any, expected: Any, calls: int) -> None:
    script = Script(*answers)
    async with speaking(script.answer) as found:
        if isinstance(expected, list):
            assert await ask(found, **fields) == expected
        else:
            with pytest.raises(expected):
                await ask(found, **fields)
    assert len(script.seen) == calls


async def test_a_token_is_asked_for_once_and_again_when_it_is_refused() -> None:
    tokens = iter(["first", "second"])
    asked: list[str] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        asked.append(f"{request.path} {request.headers.get('Authorization', '-')}")
        if request.path == "/token":
            assert (await request.post())["client_secret"] == "a-key-of-ours"
            return web.json_response({"access_token": next(tokens), "expires_in": 3600})
        refused = request.headers["Authorization"] == "Bearer first" and len(asked) > 3
        return web.json_response({}, status=401 if refused else 200)

    auth = OAuth2(kind="oauth2", token_url="-", client_id="us", client_secret=Secret(env="REST_KEY"))
    async with speaking(answer, auth) as found:
        for _ in range(3):
            await ask(found)
    assert asked == [
        "/token -",
        "/x Bearer first",
        "/x Bearer first",
        "/x Bearer first",
        "/token -",
        "/x Bearer second",
    ]


async def test_a_client_that_is_not_accepted_is_for_a_person_to_mend() -> None:
    auth = OAuth2(kind="oauth2", token_url="-", client_id="us", client_secret=Secret(env="REST_KEY"))
    async with speaking(Script((401, {"error": "invalid_client"})).answer, auth) as found:
        with pytest.raises(UsageError, match="does not accept the client us: invalid_client"):
            await ask(found)


async def test_a_key_is_sent_in_the_header_that_the_profile_names() -> None:
    script = Script((200, []))
    auth = ApiKey(kind="api_key", key=Secret(env="REST_KEY"), header="X-Api-Key", prefix="")
    async with speaking(script.answer, auth) as found:
        await ask(found)
    assert script.seen[0].headers["X-Api-Key"] == "a-key-of-ours"


async def test_a_body_is_read_to_its_limit_only() -> None:
    async with speaking(Script((200, ["x" * 100] * 1000)).answer, body_bytes=2048) as found:
        with pytest.raises(UsageError, match="longer than 2048 bytes"):
            await ask(found)


async def test_a_slow_answer_is_given_up() -> None:
    async def answer(_: web.Request) -> web.StreamResponse:
        await asyncio.sleep(5)
        return web.json_response([])

    async with speaking(answer, timeout_seconds=0.05, attempts=1) as found:
        with pytest.raises(Unreachable, match="too long"):
            await ask(found)


async def test_requests_keep_their_pace() -> None:
    async with speaking(Script((200, [])).answer, requests_per_second=50) as found:
        began = asyncio.get_running_loop().time()
        for _ in range(6):
            await ask(found)
        assert asyncio.get_running_loop().time() - began >= 0.099


def test_credentials_are_not_sent_to_another_host() -> None:
    found = RestClient("https://erp.example.com", None, Limits())
    assert found.link("/next?page=2", "https://erp.example.com/a") == "https://erp.example.com/next?page=2"
    for link in ("https://evil.example.com/next", "http://erp.example.com/next", "//evil.example.com/x"):
        with pytest.raises(UsageError, match="leads away"):
            found.link(link, "https://erp.example.com/a")
