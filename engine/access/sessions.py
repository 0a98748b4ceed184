"""Sessions of people in a browser: a signed cookie that says who they are and until when."""

import secrets
import time

import msgspec
from msgspec import Struct

from engine.access.denial import NotLoggedIn
from engine.access.jwt import Signer
from engine.access.principal import Login, Principal

SECRET_BYTES = 32


class _Session(Struct, frozen=True):
    """What the cookie says; `token` is the id of the token with which the person logged in, where it was one."""

    principal: Principal
    session: str
    exp: int
    token: str | None = None


class Ended(Struct, frozen=True):
    """A session that was ended, and until when it would have lasted, in seconds of the Unix epoch."""

    session: str
    until: float


class Sessions:
    """Begins and ends sessions.

    A session needs no store: every copy of the process that has the same secret reads it, also after a restart. One
    that was ended before its time is remembered until then, by every process that was told.
    """

    def __init__(self, secret: bytes, seconds: float) -> None:
        self._signer = Signer(secret, "stockline-session")
        self.seconds = seconds
        self._ended: dict[str, float] = {}

    def begin(self, login: Login) -> str:
        """The cookie of a new session; it ends with the login from which it was made, if that is earlier."""
        now = time.time()
        seconds = self.seconds if login.expires is None else min(self.seconds, login.expires - now)
        principal = msgspec.to_builtins(login.principal)
        claims = {"principal": principal, "session": secrets.token_hex(8), "token": login.token}
        return self._signer.sign(claims, seconds)

    def login(self, cookie: str) -> Login:
        """The login of a cookie; raises NotLoggedIn if it was not signed here, has expired or was ended."""
        try:
            found = msgspec.convert(self._signer.read(cookie), _Session)
        except msgspec.ValidationError:
            raise NotLoggedIn("the session is of another version; log in again", "login_expired") from None
        login = Login(found.principal, "session", found.exp, found.token, found.session)
        if not self.holds(login):
            raise NotLoggedIn("you have logged out; log in again", "login_expired")
        return login

    def holds(self, login: Login) -> bool:
        """Whether the session was not ended."""
        return login.session not in self._ended

    def end(self, session: str, until: float) -> None:
        """End a session before its time, which is `until` (seconds of the Unix epoch)."""
        now = time.time()
        if until <= now:
            return
        self._ended = {ended: last for ended, last in self._ended.items() if last > now}
        self._ended[session] = until
