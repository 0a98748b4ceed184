"""The gate: it proves who calls, by the token, the provider's token or the cookie that came with the call."""

import logging
import time
from collections.abc import Awaitable, Callable
from typing import NamedTuple, Protocol

from engine.access.denial import NotLoggedIn
from engine.access.jwt import Signer
from engine.access.last_used import LastUsed
from engine.access.principal import LOCAL, Login
from engine.access.provider import Provider
from engine.access.sessions import Sessions
from engine.access.tokens import MARK, TokenFile
from engine.core.errors import StocklineError

Tell = Callable[[str, float], Awaitable[None]]
"""Takes a session that was ended and when it would have ended by itself, in seconds of the Unix epoch."""

log = logging.getLogger("stockline")


class Gate(Protocol):
    """What the entrances of a process ask."""

    @property
    def asks(self) -> bool:
        """Whether callers have to log in."""

    async def login(self, bearer: str | None, cookie: str | None) -> Login | None:
        """Who calls, by the bearer token or else the cookie of a call; None without either. Raises NotLoggedIn."""

    def holds(self, login: Login) -> bool:
        """Whether a login that was proven is still in force, as a stream that is open asks now and then."""

    def write_last_used(self) -> None:
        """Keep when each token was last used."""


class OpenGate:
    """The gate of a process that asks nobody for a login."""

    asks = False

    async def login(self, _bearer: str | None, _cookie: str | None) -> Login:
        """Whoever calls from this machine."""
        return Login(LOCAL, "none")

    def holds(self, _login: Login) -> bool:
        """A login that nobody asked for does not end."""
        return True

    def write_last_used(self) -> None:
        """There are no tokens."""


class SessionKeep(NamedTuple):
    """The secret with which sessions are signed, and how long one lasts."""

    secret: bytes
    seconds: float


class LoginGate:
    """The gate of a process that asks for a login: tokens of Stockline, an OpenID provider, sessions.

    Attributes:
        sessions: the sessions of people in a browser.
        logins: signs what a login at the provider must bring back.
        provider: the OpenID provider; None where there is none.
        tell: tells whoever takes the same sessions, now or after a restart, that one was ended; None where nobody does.
    """

    asks = True

    def __init__(self, tokens: TokenFile, used: LastUsed, keep: SessionKeep, provider: Provider | None) -> None:
        self._tokens, self._used = tokens, used
        self.sessions = Sessions(keep.secret, keep.seconds)
        self.logins = Signer(keep.secret, "stockline-login")
        self.provider = provider
        self.tell: Tell | None = None

    async def login(self, bearer: str | None, cookie: str | None) -> Login | None:
        """Who calls, by the bearer token or else the cookie of a call; None without either. Raises NotLoggedIn."""
        if bearer is not None:
            return await self.by_token(bearer)
        if cookie is None:
            return None
        login = self.sessions.login(cookie)
        if not self.holds(login):
            raise NotLoggedIn("the token with which you logged in is no longer in force", "login_expired")
        return login

    async def by_token(self, text: str) -> Login:
        """The login of a token of Stockline or of the provider; raises NotLoggedIn."""
        if text.startswith(MARK):
            login = self._by_file(text)
            self._used.note(login.token or "")
            return login
        if self.provider is None:
            raise NotLoggedIn(f"the token is not one of Stockline's, which begin with {MARK}", "login_invalid")
        return await self.provider.login(text)

    def _by_file(self, text: str) -> Login:
        try:
            return self._tokens.login(text)
        except NotLoggedIn:
            raise
        except StocklineError as error:
            # What is wrong with the file is for its owner; to the caller no token is known.
            log.error("no token is taken: %s", error)
            raise NotLoggedIn("the token is not known here", "login_invalid") from None

    def holds(self, login: Login) -> bool:
        """Whether a login that was proven is still in force."""
        if login.expires is not None and login.expires <= time.time():
            return False
        try:
            return (login.token is None or self._tokens.holds(login.token)) and self.sessions.holds(login)
        except StocklineError as error:
            log.error("no token is taken: %s", error)
            return False

    async def log_out(self, login: Login) -> None:
        """End a session before its time, here and wherever it is taken; a login of another kind has none."""
        if login.session is None or login.expires is None:
            return
        self.sessions.end(login.session, login.expires)
        if self.tell is not None:
            await self.tell(login.session, login.expires)

    def write_last_used(self) -> None:
        """Keep when each token was last used."""
        self._used.write()
