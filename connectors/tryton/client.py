"""A client of Tryton's JSON-RPC: one session of one user on one database.

A call that only reads is repeated, with back-off, where the server is busy (503: its transactions collided) or the
connection broke. A call that writes is not: whether it took effect is unknown, and only its caller can find out. An
expired session is opened again once. A password that is refused is not tried again: after some wrong ones Tryton also
refuses the right one for a while (429).
"""

import asyncio
import gzip
import random
import re
import zlib
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

import aiohttp

from connectors.base import Json, JsonObject
from connectors.network import network_cause
from connectors.profiles import Unreachable
from connectors.tryton import wire
from engine.core.errors import UsageError

ATTEMPTS: Final = 5
FIRST_PAUSE_SECONDS: Final = 0.2
GZIP: Final = b"\x1f\x8b"
BUSY: Final = (429, 502, 503, 504)
KEPT_OF_CONTEXT: Final = ("company", "companies", "company_filter", "employee", "groups")


@dataclass(frozen=True)
class Access:
    """Where a server is and who calls: its address, the database, a login with its password, seconds for one call."""

    url: str
    database: str
    user: str
    password: str
    timeout_seconds: float = 60.0


@dataclass(frozen=True)
class _Session:
    """A login that was accepted: the header that says so, and the context that each call is given."""

    authorization: str
    context: JsonObject


class TrytonClient:
    """An asynchronous context manager, which logs in on its entry.

    Every call raises `Unreachable` for what may pass, `UsageError` for what a person must mend, and `TrytonRefused`, or
    one of its subclasses `TrytonAsks` and `TrytonChanged`, where Tryton answers with an error of its own.
    """

    def __init__(self, access: Access) -> None:
        self._access = access
        self._http: aiohttp.ClientSession | None = None
        self._session: _Session | None = None
        self.version: tuple[int, int] = (0, 0)
        """The server's series, such as (8, 2)."""

    async def __aenter__(self) -> Self:
        timeout = aiohttp.ClientTimeout(total=self._access.timeout_seconds)
        # The server's header says gzip also where the body is plain, so the body itself is looked at.
        self._http = aiohttp.ClientSession(timeout=timeout, auto_decompress=False)
        try:
            self.version = await self._ask_version()
            self._session = await self._log_in()
        except BaseException:
            await self._http.close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._http is not None:
            await self._http.close()
            self._http = None

    @property
    def context(self) -> JsonObject:
        """The context of the login: company and groups. Names are given in English, whatever the user reads."""
        return dict(self._logged_in().context)

    @property
    def company(self) -> int:
        """The id of the company that the login works for."""
        company = self.context.get("company")
        if not isinstance(company, int):
            raise UsageError(f"the Tryton user {self._access.user!r} has no company: give it one, with access to it")
        return company

    async def call(self, method: str, *params: Json, context: JsonObject | None = None) -> Json:
        """Call `method` ("model.purchase.purchase.write") once. `context` is added to that of the login."""
        return await self._call(method, params, context)

    async def read_call(self, method: str, *params: Json, context: JsonObject | None = None) -> Json:
        """Call a method that changes nothing; it is repeated where the server is busy or the connection breaks."""
        pause = FIRST_PAUSE_SECONDS
        for _ in range(ATTEMPTS - 1):
            try:
                return await self._call(method, params, context)
            except Unreachable:
                # Sessions that collided do not come back at the same moment.
                await asyncio.sleep(pause * random.uniform(0.5, 1.5))
                pause *= 2
        return await self._call(method, params, context)

    async def search_read(
        self,
        model: str,
        domain: Sequence[Json],
        fields: Sequence[str],
        page: tuple[Sequence[Sequence[str]], int | None] = ((("id", "ASC"),), None),
        context: JsonObject | None = None,
    ) -> list[JsonObject]:
        """The records of `model` that meet `domain`; `page` is their order and how many at most (None: all).

        A field of a relation is named with a dot ("product.code") and answered below "product.".
        """
        order, limit = page
        method = f"model.{model}.search_read"
        ordered = [list(each) for each in order]
        found = await self.read_call(method, list(domain), 0, limit, ordered, list(fields), context=context)
        return list(found)

    async def read(self, model: str, ids: Sequence[int], fields: Sequence[str]) -> list[JsonObject]:
        """The records with `ids` that exist, by id; one that was deleted is left out."""
        return await self.search_read(model, [["id", "in", list(ids)]], fields, context={"active_test": False})

    async def count(self, model: str, domain: Sequence[Json]) -> int:
        """How many records of `model` meet `domain`."""
        return int(await self.read_call(f"model.{model}.search_count", list(domain)))

    async def _call(self, method: str, params: Sequence[Json], context: JsonObject | None) -> Json:
        for last in (False, True):
            session = self._logged_in()
            body = wire.encode({"id": 1, "method": method, "params": [*params, session.context | (context or {})]})
            status, answer = await self._post(self._path, body, session.authorization)
            if status != 401 or last:
                return _result(status, answer, method)
            self._session = await self._log_in()
        raise AssertionError("the second answer is returned")

    @property
    def _path(self) -> str:
        return f"/{self._access.database}/rpc/" if self.version >= (8, 0) else f"/{self._access.database}/"

    def _logged_in(self) -> _Session:
        if self._session is None:
            raise RuntimeError("the client is used outside of its `async with`")
        return self._session

    async def _ask_version(self) -> tuple[int, int]:
        body = wire.encode({"id": 0, "method": "common.server.version", "params": []})
        for path in ("/rpc/", "/"):
            status, answer = await self._post(path, body)
            if status in BUSY:
                raise Unreachable(f"{self._access.url} answers {status}")
            found = re.match(rb'.*"result"\s*:\s*"(\d+)\.(\d+)', answer, re.DOTALL) if status == 200 else None
            if found:
                return int(found[1]), int(found[2])
        raise UsageError(
            f"{self._access.url} does not answer as a Tryton server: is `url` its address, without a path?"
        )

    async def _log_in(self) -> _Session:
        access = self._access
        params = [access.user, {"password": access.password}, "en"]
        status, answer = await self._post(
            self._path, wire.encode({"id": 0, "method": "common.db.login", "params": params})
        )
        if status in (401, 403):
            raise UsageError(f"Tryton refuses the login of {access.user!r} on the database {access.database!r}")
        if status == 404:
            raise UsageError(f"Tryton has no database {access.database!r}")
        found = _result(status, answer, "common.db.login")
        if not found:
            raise UsageError(f"Tryton refuses the login of {access.user!r} on the database {access.database!r}")
        number, token, *_ = found
        header = "Session " + b64encode(f"{access.user}:{number}:{token}".encode()).decode()
        self._session = _Session(header, {})
        preferences = await self._call("model.res.user.get_preferences", [True], None)
        kept = {name: preferences[name] for name in KEPT_OF_CONTEXT if preferences.get(name) is not None}
        return _Session(header, kept | {"language": "en"})

    async def _post(self, path: str, body: bytes, authorization: str | None = None) -> tuple[int, bytes]:
        if self._http is None:
            raise RuntimeError("the client is used outside of its `async with`")
        headers = {"Content-Type": "application/json", "Accept-Encoding": "gzip"}
        if authorization:
            headers["Authorization"] = authorization
        url = self._access.url.rstrip("/") + path
        try:
            async with self._http.post(url, data=body, headers=headers) as response:
                return response.status, _plain(await response.read())
        except aiohttp.InvalidURL:
            raise UsageError(f"{self._access.url!r} is no address of a server") from None
        except (aiohttp.ClientError, TimeoutError, OSError, EOFError, zlib.error) as error:
            raise Unreachable(f"no answer of Tryton at {self._access.url}: {network_cause(error)}") from None


def _plain(body: bytes) -> bytes:
    return gzip.decompress(body) if body.startswith(GZIP) else body


def _result(status: int, answer: bytes, method: str) -> Json:
    """The result in an answer; raises what its status, or the error in it, stands for."""
    if status in BUSY or status >= 500:
        raise Unreachable(f"Tryton answers {status} to {method}")
    if status == 401:
        raise Unreachable(f"Tryton accepts the login and then refuses its session ({method})")
    if status == 403:
        raise UsageError(f"Tryton does not let the user call {method}")
    try:
        body = wire.decode(answer)
    except ValueError:
        body = None
    if isinstance(body, dict) and "error" in body:
        raise wire.error_of(body["error"])
    if status != 200 or not isinstance(body, dict):
        raise wire.TrytonRefused(str(status), f"{method} is answered with what is no result")
    return body.get("result")
