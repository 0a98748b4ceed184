"""Speaks to the other system: credentials, pace, patience, and what its answers mean.

    what happens                         a request that may be repeated            a writing one
    no answer, half an answer, 5xx       repeated, then `Unreachable`              `Unreachable`, at once
    429, 503 with Retry-After            repeated after the wait                   the same: it did not take effect
    401                                  repeated at once with a new token,        the same
                                         then as for 429; `UsageError` for a key
    400, 404, 409, 412, 422 ...          `UsageError`                              `PushRefused`, with its words
    200 that holds an error              `Unreachable`                             `PushRefused`, with its words

A writing request may be repeated where the profile names the header of an idempotency key.
"""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import TracebackType
from typing import NamedTuple, Self
from urllib.parse import urlencode, urljoin, urlsplit

import aiohttp

from connectors.base import Json
from connectors.network import network_cause
from connectors.orders import PushRefused
from connectors.profiles import Unreachable
from connectors.rest.answers import at_path, pace_seconds, parsed, wait_seconds, words
from connectors.rest.auth import Credentials
from connectors.rest.profile import Auth, Limits
from engine.core.errors import StocklineError, UsageError

FIRST_PAUSE_SECONDS = 0.25
CHUNK = 64 * 1024


@dataclass(frozen=True)
class Asked:
    """A request, filled in. `error` is the path of what makes a 200 a failure; `writes`: it changes something."""

    method: str
    url: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Json = None
    error: str | None = None
    writes: bool = False
    may_repeat: bool = True


class _Answer(NamedTuple):
    status: int
    headers: Mapping[str, str]
    body: bytes


class Passing(StocklineError):
    """An attempt failed, another one may not. `wait` is what the other system asks for; then nothing took effect."""

    def __init__(self, why: str, wait: float | None = None) -> None:
        super().__init__(why)
        self.wait = wait


class RestClient:
    """A client of the system at `url`; an asynchronous context manager."""

    def __init__(self, url: str, auth: Auth | None, limits: Limits) -> None:
        self._url, self._auth, self._limits = url.rstrip("/"), auth, limits
        self._session: aiohttp.ClientSession | None = None
        self._next_at = 0.0

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=self._limits.timeout_seconds))
        self._credentials = Credentials(self._auth, self._session)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    def url(self, path: str) -> str:
        """The address of a path of the profile."""
        return self._url + path

    def link(self, link: str, of: str) -> str:
        """The address of a link in the answer of `of`. Raises `UsageError` for one to another host."""
        found = urljoin(of, link)
        if urlsplit(found)[:2] != urlsplit(self._url)[:2]:
            raise UsageError(f"a link leads away from {self._url}: credentials are not sent there")
        return found

    async def ask(self, asked: Asked) -> Json:
        """The JSON of an answer, its numbers as text; None where it is empty. For errors see the module."""
        pause = FIRST_PAUSE_SECONDS
        for attempts_left in reversed(range(self._limits.attempts)):
            try:
                return _meaning(asked, await self._let_in(asked, pause))
            except Passing as failure:
                wait = pause if failure.wait is None else failure.wait
                repeats = asked.may_repeat or failure.wait is not None
                if not attempts_left or not repeats or wait > self._limits.longest_wait_seconds:
                    raise Unreachable(f"{self._url}: {failure}") from None
            await asyncio.sleep(wait)
            pause *= 2
        raise AssertionError("the last attempt returns or raises")

    async def _let_in(self, asked: Asked, pause: float) -> _Answer:
        """The answer; a token that is refused is asked for anew, once, and nothing took effect by then."""
        answer = await self._once(asked)
        if answer.status == 401 and self._credentials.may_be_renewed:
            self._credentials.refused()
            answer = await self._once(asked)
            if answer.status == 401:
                raise Passing("it refuses a token that was given just now (401)", pause)
        return answer

    async def _once(self, asked: Asked) -> _Answer:
        if self._session is None:
            raise RuntimeError("the client is used outside of its `async with`")
        headers = {"Accept": "application/json", **asked.headers, **await self._credentials.headers()}
        await self._pace()
        url = asked.url + ("?" if "?" not in asked.url else "&") * bool(asked.query) + urlencode(asked.query)
        try:
            async with self._session.request(
                asked.method, url, headers=headers, json=asked.body, allow_redirects=False
            ) as response:
                answer = _Answer(response.status, response.headers, await self._body(response))
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Passing(network_cause(error)) from None
        self._next_at = max(self._next_at, time.monotonic() + pace_seconds(answer.headers, datetime.now(UTC)))
        return answer

    async def _pace(self) -> None:
        """Wait for this request's turn; each takes one of the turns of a second."""
        now = time.monotonic()
        at = max(self._next_at, now)
        self._next_at = at + 1 / self._limits.requests_per_second
        if at - now > self._limits.longest_wait_seconds:
            raise Passing(f"its rate limit is used up for {at - now:.0f} s", at - now)
        await asyncio.sleep(at - now)

    async def _body(self, response: aiohttp.ClientResponse) -> bytes:
        body = bytearray()
        async for chunk in response.content.iter_chunked(CHUNK):
            body += chunk
            if len(body) > self._limits.body_bytes:
                most = self._limits.body_bytes
                raise UsageError(f"{self._url}: an answer is longer than {most} bytes: ask for smaller pages")
        return bytes(body)


def _meaning(asked: Asked, answer: _Answer) -> Json:
    status = answer.status
    if status in (429, 503) and (wait := wait_seconds(answer.headers, datetime.now(UTC))) is not None:
        raise Passing(f"it answered {status}", wait)
    if status in (408, 429) or status >= 500:
        # A 429 says that nothing was done, also where it does not say how long to wait.
        raise Passing(f"it answered {status}", FIRST_PAUSE_SECONDS * 4 if status == 429 else None)
    try:
        body = parsed(answer.body)
    except ValueError as error:
        if status < 300:
            raise Passing(f"its answer is not JSON: {error}") from None
        body = answer.body[:1000].decode(errors="replace")
    if status in (401, 403):
        raise UsageError(f"{asked.url}: it does not let us in ({status} {words(body)}): look at the credentials")
    if status >= 300:
        raise _refused(asked, f"{status} {words(body)}")
    if asked.error is not None and (failure := at_path(body, asked.error)) is not None:
        if asked.writes:
            raise PushRefused(words(failure))
        raise Passing(words(failure))
    return body


def _refused(asked: Asked, why: str) -> PushRefused | UsageError:
    return PushRefused(why) if asked.writes else UsageError(f"{asked.url}: it refuses the request: {why}")
