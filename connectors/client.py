"""A client of the engine's HTTP interface: it posts events, and reads positions, signals, alerts and figures.

Source and id of an event are its idempotency key, so posting is safe to repeat. The client repeats every call whose
outcome is unknown: one that lost its connection, or that was answered by a gateway error or a 503.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Self
from urllib.parse import quote

import aiohttp

from connectors.base import Json, JsonObject, RejectedEvent, Submission
from connectors.engine_token import TokenSource, token_header, token_of_environment
from connectors.network import network_cause
from connectors.streamed import Told, told
from engine.core.errors import EnvironmentFailure, StocklineError, UsageError
from engine.core.identify import identify
from engine.core.topics import Topic

DEFAULT_URL = "http://127.0.0.1:8080"
PAGE = 1000
STREAM_SECONDS = 45.0
"""A stream that is silent for so long is lost: the engine says every 15 seconds that it is there."""
MAX_STREAM_LINE = 16 * 1024 * 1024
"""An output has at most 8 MiB."""
_FIRST_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 5.0
_TRY_AGAIN = (429, 502, 503, 504)


class EngineUnreachable(EnvironmentFailure):
    """The engine did not answer, or was not ready, for as long as the client's patience lasts."""


class EngineRefused(StocklineError):
    """The engine rejected a call as a whole; `status` is the HTTP status."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(f"the engine answered {status}: {detail}")
        self.status = status


class EngineDenied(UsageError):
    """The engine asks for a login, or the login may not do this: a person must give the client another token."""


@dataclass(frozen=True)
class Patience:
    """For how many seconds a call is repeated, and the timeout of one attempt.

    `seconds` applies while the engine does not answer, `busy_seconds` while it answers that it is behind (429).
    `call_seconds` is the timeout.
    """

    seconds: float = 60.0
    busy_seconds: float = 600.0
    call_seconds: float = 120.0


@dataclass(frozen=True)
class _Answer:
    status: int
    body: bytes
    retry_after: float | None


class EngineClient:
    """A client of the engine at `url`; an asynchronous context manager, and an `EventSink`.

    Every call raises `EngineUnreachable` if the engine does not answer within `patience`, and `EngineRefused` if it
    answers with a status that repeating does not change.
    """

    def __init__(
        self, url: str = DEFAULT_URL, patience: Patience | None = None, token: TokenSource = token_of_environment
    ) -> None:
        """Prepare a client; `token` is asked when the client is entered."""
        self._url = url.rstrip("/")
        self._patience = patience or Patience()
        self._token = token
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        headers = token_header(self._token())
        timeout = aiohttp.ClientTimeout(total=self._patience.call_seconds)
        self._session = aiohttp.ClientSession(timeout=timeout, headers=headers)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def post_events(self, events: Sequence[bytes]) -> Submission:
        """Post events, each one line of JSON, in one batch; a batch that is too large (413) is sent in halves."""
        if not events:
            return Submission(0, ())
        answer = await self._call("POST", "/v1/events", b"\n".join(events) + b"\n", large_is_answer=True)
        if answer.status == 413:
            return await self._post_in_halves(events)
        return _submission(_json(answer))

    async def _post_in_halves(self, events: Sequence[bytes]) -> Submission:
        if len(events) == 1:
            reason = f"too_large: an event of {len(events[0])} bytes"
            return Submission(0, (RejectedEvent(0, identify(events[0]).id, reason),), 0)
        middle = len(events) // 2
        first = await self.post_events(events[:middle])
        second = await self.post_events(events[middle:])
        moved = tuple(RejectedEvent(item.index + middle, item.id, item.reason) for item in second.refused)
        return first.followed_by(replace(second, refused=moved))

    async def sync(self, wait_seconds: float = 30.0) -> JsonObject:
        """Wait until the read model shows every event that was accepted before the call, at most `wait_seconds`.

        Returns `{"accepted", "applied", "lag", "log"}`: counts of events, the difference, and the id of the log.
        """
        return _json_object(await self._call("GET", f"/v1/sync?wait={wait_seconds:g}"))

    async def log_id(self) -> str | None:
        """The id of the log that the engine appends to; None for an engine of a version that does not report it."""
        found = _json_object(await self._call("GET", "/v1/sync")).get("log")
        return None if found is None else str(found)

    async def ready(self) -> bool:
        """Whether the engine is ready; one attempt, and False if it does not answer."""
        try:
            return (await self._once("GET", "/readyz", None)).status == 200
        except (aiohttp.ClientError, TimeoutError, OSError):
            return False

    async def kpis(self) -> JsonObject:
        """The figures of `/v1/kpis`: events by type, duplicates, dead letters, signals, alerts."""
        return _json_object(await self._call("GET", "/v1/kpis"))

    async def get(self, path: str, filters: Mapping[str, str] | None = None) -> Json:
        """The JSON body of a GET of `path`."""
        return _json(await self._call("GET", _with_query(path, filters or {})))

    def rows(self, table: Topic, **filters: str) -> AsyncIterator[JsonObject]:
        """All rows of a list, such as `positions`, that pass its filters, fetched page by page."""
        return self._pages(f"/v1/{table}", filters)

    def positions(self, **filters: str) -> AsyncIterator[JsonObject]:
        """All positions that pass the filters of `/v1/positions`, fetched page by page."""
        return self._pages("/v1/positions", filters)

    def signals(self, **filters: str) -> AsyncIterator[JsonObject]:
        """All signals that pass the filters of `/v1/signals`, fetched page by page."""
        return self._pages("/v1/signals", filters)

    def alerts(self, **filters: str) -> AsyncIterator[JsonObject]:
        """All alerts that pass the filters of `/v1/alerts`, fetched page by page."""
        return self._pages("/v1/alerts", filters)

    def dead_letters(self, **filters: str) -> AsyncIterator[JsonObject]:
        """All dead letters that pass the filters of `/v1/dead-letters`, fetched page by page."""
        return self._pages("/v1/dead-letters", filters)

    async def stream(self, tables: Sequence[str], since: str | None = None) -> AsyncIterator[Told]:
        """Every change of some tables from now on, or after the id `since` of an earlier stream.

        Something comes at once, as soon as changes are followed. It never ends by itself: raises `EngineUnreachable`
        when the connection is lost, and `EngineRefused`, with status 410 where the engine cannot go on from `since`.
        """
        session, path = self._opened(), _with_query("/v1/stream", {"tables": ",".join(tables)})
        headers = {} if since is None else {"Last-Event-ID": since}
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=self._patience.seconds, sock_read=STREAM_SECONDS)
        try:
            async with session.get(
                self._url + path, timeout=timeout, read_bufsize=MAX_STREAM_LINE, headers=headers
            ) as response:
                if response.status != 200:
                    answer = _Answer(response.status, await response.read(), None)
                    if response.status not in _TRY_AGAIN:
                        raise _rejection(answer)
                    raise EngineUnreachable(f"{self._url} does not stream now: {response.status} {_problem(answer)}")
                async for each in told(response.content):
                    yield each
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise EngineUnreachable(f"the stream of {self._url} is lost ({network_cause(error)})") from error
        raise EngineUnreachable(f"the stream of {self._url} was ended")

    async def replay_dead_letter(self, letter: str) -> Json:
        """Append the event of a dead letter again, after what it lacked was mended. Returns the engine's answer."""
        return _json(await self._call("POST", f"/v1/dead-letters/{quote(letter, safe='')}/replay", b""))

    async def answer(self, table: Topic, name: str, verb: str, body: Mapping[str, object]) -> JsonObject:
        """Answer a signal or an alert, by `accept` say. Returns it as it is then; the same again changes nothing."""
        path = f"/v1/{table}/{quote(name, safe='')}/{verb}"
        return _json_object(await self._call("POST", path, json.dumps(body).encode()))

    async def accept_clock(self, by: str) -> Json:
        """Accept a wall clock that has jumped ahead, in the name of the person `by`: the engine takes events again."""
        return _json(await self._call("POST", "/v1/clock/accept", json.dumps({"by": by}).encode()))

    async def report_connector(self, name: str, report: JsonObject) -> bool:
        """Tell the engine how a connector is; one attempt, and False if it does not answer or does not take it."""
        try:
            answer = await self._once("PUT", f"/v1/connectors/{quote(name, safe='')}", json.dumps(report).encode())
        except (aiohttp.ClientError, TimeoutError, OSError):
            return False
        return answer.status < 400

    async def _pages(self, path: str, filters: Mapping[str, str]) -> AsyncIterator[JsonObject]:
        query = {"limit": str(PAGE), **filters}
        while True:
            page = _json_object(await self._call("GET", _with_query(path, query)))
            for item in page["items"]:
                yield item
            if not page.get("next"):
                return
            query["cursor"] = str(page["next"])

    async def _call(self, method: str, path: str, body: bytes | None = None, large_is_answer: bool = False) -> _Answer:
        started, pause = time.monotonic(), _FIRST_PAUSE_SECONDS
        while True:
            limit, wait = self._patience.seconds, pause
            try:
                answer = await self._once(method, path, body)
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                cause = network_cause(error)
            else:
                if answer.status < 400 or (answer.status == 413 and large_is_answer):
                    return answer
                if answer.status not in _TRY_AGAIN:
                    raise _rejection(answer)
                cause = f"{answer.status} {_problem(answer)}"
                limit = self._patience.busy_seconds if answer.status == 429 else limit
                wait = pause if answer.retry_after is None else answer.retry_after
            if time.monotonic() - started + wait > limit:
                within = f" within {limit:g} s" if limit else ""
                raise EngineUnreachable(f"no answer from {self._url}{within} ({cause})")
            await asyncio.sleep(wait)
            pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            raise RuntimeError("the client is used outside of its `async with`")
        return self._session

    async def _once(self, method: str, path: str, body: bytes | None) -> _Answer:
        headers = {"Content-Type": "application/x-ndjson"} if body else {}
        async with self._opened().request(method, self._url + path, data=body, headers=headers) as response:
            return _Answer(response.status, await response.read(), _seconds(response.headers.get("Retry-After")))


def _with_query(path: str, filters: Mapping[str, str]) -> str:
    if not filters:
        return path
    return path + "?" + "&".join(f"{quote(name)}={quote(value, safe='')}" for name, value in filters.items())


def _seconds(header: str | None) -> float | None:
    try:
        return None if header is None else max(0.0, float(header))
    except ValueError:
        return None


def _json(answer: _Answer) -> Json:
    try:
        return json.loads(answer.body)
    except ValueError:
        raise EngineRefused(answer.status, "not JSON; is this a Stockline engine?") from None


def _json_object(answer: _Answer) -> JsonObject:
    body = _json(answer)
    if not isinstance(body, dict):
        raise EngineRefused(answer.status, "not a JSON object; is this a Stockline engine?")
    return body


def _submission(body: Json) -> Submission:
    refused = tuple(RejectedEvent(int(item["index"]), item.get("id"), str(item["reason"])) for item in body["refused"])
    duplicates = body.get("duplicates")
    return Submission(int(body["accepted"]), refused, None if duplicates is None else int(duplicates))


def _rejection(answer: _Answer) -> StocklineError:
    if answer.status in (401, 403):
        return EngineDenied(f"the engine answered {answer.status}: {_problem(answer)}")
    return EngineRefused(answer.status, _problem(answer))


def _problem(answer: _Answer) -> str:
    try:
        body = json.loads(answer.body)
        return str(body.get("detail") or body.get("title") or body)
    except (ValueError, AttributeError):
        return answer.body[:200].decode(errors="replace")
