"""Admission of every call: who calls, whether they may make this call, and whether they call too often.

This is the first of two guards. It knows the operation; the second, `engine.web.guard`, knows the data.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import NamedTuple
from urllib.parse import quote

from aiohttp import web
from aiohttp.typedefs import Handler

from engine.access.denial import Forbidden, NotLoggedIn
from engine.access.gate import Gate
from engine.access.limits import Allowance, AtOnce
from engine.access.principal import NOBODY, Login
from engine.access.rules import ANYONE, RULES, require_operation
from engine.aio import end
from engine.core.errors import StocklineError
from engine.web.ports import LOGIN
from engine.web.problems import Problem

SESSION_COOKIE = "__Host-stockline"
PAGE_HEADER = "X-Stockline"
"""A page sends this header with every write. Another site's page cannot: its browser would ask us first."""
FORM_OPERATION = "logIn"
"""A form sends no header of ours. Its `Origin` has been checked, and whoever is logged in may log in as another."""
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
FAILURES_AT_ONCE, FAILURES_PER_SECOND = 20, 0.2
"""How many wrong logins of an address are told what is wrong: some at once, then one in five seconds."""

audit = logging.getLogger("stockline.audit")


class Limits(NamedTuple):
    """What one login may do: calls a second, calls at once; and how often a login that is in use is looked at again."""

    per_second: float = 100
    at_once: int = 64
    recheck_seconds: float = 15


class Admission:
    """The gate of a process with its limits, and the calls that run behind it.

    Attributes:
        gate: proves who calls.
        public_url: the address that callers use where a proxy stands before this process.
    """

    def __init__(self, gate: Gate, limits: Limits | None = None, public_url: str | None = None) -> None:
        self.gate, self.public_url = gate, public_url
        self._limits = limits or Limits()
        self._calls = Allowance(self._limits.per_second, 2 * self._limits.per_second)
        self._failures = Allowance(FAILURES_PER_SECOND, FAILURES_AT_ONCE)
        self._at_once = AtOnce(self._limits.at_once)
        self._running: dict[int, tuple[web.Request, Login]] = {}

    async def login(self, request: web.Request) -> Login | None:
        """Who makes a call; None for nobody. Raises NotLoggedIn; TooOften once an address has failed too often."""
        bearer = _bearer(request)
        try:
            return await self.gate.login(bearer, request.cookies.get(SESSION_COOKIE))
        except NotLoggedIn:
            # Behind a proxy all callers share an address, so one who fails must not lock out the others.
            if bearer is not None:
                self.failed(request)
            raise

    def failed(self, request: web.Request) -> None:
        """Count a wrong login of an address; raises TooOften once there were too many."""
        self._failures.take(f"the address {request.remote}")

    def slot(self, request: web.Request, login: Login) -> AbstractContextManager[None]:
        """What a call of this login runs in; raises TooOften."""
        if login.means == "none":
            return nullcontext()
        subject = str(login.principal.name)
        self._calls.take(subject)
        return self._slot(request, login, subject)

    @contextmanager
    def _slot(self, request: web.Request, login: Login, subject: str) -> Iterator[None]:
        with self._at_once.one(subject):
            self._running[id(request)] = request, login
            try:
                yield
            finally:
                del self._running[id(request)]

    async def watch(self) -> None:
        """End the calls whose login has ended, such as a stream of a token that was revoked; it runs for ever."""
        while True:
            await asyncio.sleep(self._limits.recheck_seconds)
            self.gate.write_last_used()
            held: dict[Login, bool] = {}
            for request, login in list(self._running.values()):
                if not held.setdefault(login, self.gate.holds(login)) and request.transport is not None:
                    audit.info("the login of %s has ended, and with it %s", login.principal.name, request.path)
                    request.transport.abort()


ADMISSION = web.AppKey("admission", Admission)
OPERATIONS = web.AppKey[Mapping[web.AbstractRoute, str]]("operations")


def install(app: web.Application, admission: Admission, operations: Mapping[web.AbstractRoute, str]) -> None:
    """Let a process admit calls; `operations` are the ids of its routes, by which they have their rules."""
    app[ADMISSION], app[OPERATIONS] = admission, operations
    app.cleanup_ctx.append(_watching)


async def _watching(app: web.Application) -> AsyncIterator[None]:
    watching = asyncio.create_task(app[ADMISSION].watch())
    yield
    await end(watching)
    app[ADMISSION].gate.write_last_used()


@web.middleware
async def admitted(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Admits a call.

    1. Ask who calls, by what came with the call.
    2. Ask the rule of the operation; one without a rule is nobody's.
    3. Refuse what another site's page may have made a browser send under the cookie of a session.
    4. Run the call within the limits of its login, and log it where it writes.
    """
    operation = request.app[OPERATIONS].get(request.match_info.route)
    if operation is None:
        return await handler(request)
    admission = request.app[ADMISSION]
    login = await _login(admission, request, operation)
    if login is None:
        if RULES.get(operation, frozenset()) is not ANYONE:
            _lead_to_login(request)
        require_operation(NOBODY, operation)
        return await handler(request)
    _require_rule(request, login, operation)
    request[LOGIN] = login
    if login.means == "session" and operation != FORM_OPERATION:
        _require_own_page(request)
    with admission.slot(request, login):
        if request.method in SAFE_METHODS or login.means == "none":
            return await handler(request)
        return await _noted(request, handler, login, operation)


def _lead_to_login(request: web.Request) -> None:
    """A person who opens a page is led to the login; a script or a program gets the problem that the caller raises."""
    if request.method in ("GET", "HEAD") and "text/html" in request.headers.get("Accept", ""):
        raise web.HTTPSeeOther(f"/login?next={quote(request.path_qs, safe='')}")


def _require_rule(request: web.Request, login: Login, operation: str) -> None:
    try:
        require_operation(login.principal, operation)
    except Forbidden:
        audit.warning("%s may not %s %s", login.principal.name, operation, request.path)
        raise


async def _noted(request: web.Request, handler: Handler, login: Login, operation: str) -> web.StreamResponse:
    """Run a write, and log who made it, also that of an adapter, whose events name a system and no login."""
    outcome = "failed"
    try:
        response = await handler(request)
        outcome = str(response.status)
        return response
    except (StocklineError, web.HTTPException) as error:
        outcome = type(error).__name__
        raise
    finally:
        by = f"token {login.token}" if login.token else login.means
        audit.info("%s (%s) %s %s: %s", login.principal.name, by, operation, request.path, outcome)


async def _login(admission: Admission, request: web.Request, operation: str) -> Login | None:
    """Who calls; where anyone may call, a login that has expired is none: the page to log in anew must open."""
    try:
        return await admission.login(request)
    except NotLoggedIn:
        if RULES.get(operation, frozenset()) is ANYONE:
            return None
        _lead_to_login(request)
        raise


def _bearer(request: web.Request) -> str | None:
    given = request.headers.get("Authorization")
    if given is None:
        return None
    scheme, _, token = given.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise NotLoggedIn("`Authorization` is `Bearer TOKEN`", "login_invalid")
    return token.strip()


def is_handshake(request: web.Request) -> bool:
    """Whether a call opens a WebSocket, which a page of any site may try."""
    return request.headers.get("Upgrade", "").lower() == "websocket"


def _require_own_page(request: web.Request) -> None:
    """Refuse what only a page of ours may do: a browser sends the cookie with what other pages make it send, too."""
    if is_handshake(request) and "Origin" not in request.headers:
        raise Problem(403, "a socket that is opened with a session tells its `Origin`", "foreign_origin")
    if request.method not in SAFE_METHODS and PAGE_HEADER not in request.headers:
        raise Problem(403, f"a write with a session has the header `{PAGE_HEADER}`", "foreign_origin")
