"""Tokens of programs and people, in a file that holds no secret: of each token only a hash is kept.

A token is `slk_ID_SECRET`. The id finds it in the file, and names it in lists and logs. The secret has 256 random bits,
so its SHA-256 can neither be inverted nor guessed; the slow hashes that passwords need would only cost every call time.
"""

import fcntl
import hashlib
import hmac
import os
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
from msgspec import Struct

from engine.access.denial import NotLoggedIn
from engine.access.principal import Login, Principal, Role, flaw
from engine.core.errors import EnvironmentFailure, UsageError

MARK = "slk_"
"""What every token begins with, so that a token in a file or a log is recognised as one."""
WRITABLE_BY_OTHERS = 0o022


class Token(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A token as it is kept: whose it is, what it may do, until when, and the SHA-256 of its secret in hex."""

    id: str
    name: str
    roles: tuple[Role, ...]
    source: str | None = None
    supplier: str | None = None
    created: datetime
    expires: datetime | None = None
    revoked: datetime | None = None
    sha256: str

    @property
    def principal(self) -> Principal:
        """Who calls with this token."""
        return Principal(self.name, frozenset(self.roles), self.source, self.supplier)

    def status(self, now: datetime) -> str:
        """`active`, `expired` or `revoked`."""
        if self.revoked is not None:
            return "revoked"
        return "expired" if self.expires is not None and self.expires <= now else "active"


class _Kept(Struct):
    tokens: list[Token]


class TokenFile:
    """The tokens in a file. It is read again whenever it has changed, so a token that is revoked stops at once."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self._path, self._clock = path, clock
        self._read: tuple[tuple[int, ...] | None, dict[str, Token]] = (None, {})

    def all(self) -> list[Token]:
        """Every token, by name and age; none where there is no file. Raises UsageError if the file is not in order."""
        return sorted(self._tokens().values(), key=lambda token: (token.name, token.created))

    def create(self, principal: Principal, days: int | None) -> tuple[Token, str]:
        """Keep a new token and return it with its text, which nothing can show again; raises UsageError."""
        if principal.name is None or (fault := flaw(principal)) is not None:
            raise UsageError(fault if principal.name is not None else "a token has a name")
        now, secret = self._now(), secrets.token_urlsafe(32)
        token = Token(
            id=secrets.token_hex(4),
            name=principal.name,
            roles=tuple(sorted(principal.roles)),
            source=principal.source,
            supplier=principal.supplier,
            created=now,
            expires=None if days is None else now + timedelta(days=days),
            sha256=_hash(secret),
        )
        with self._changing() as tokens:
            tokens[token.id] = token
        return token, f"{MARK}{token.id}_{secret}"

    def revoke(self, name: str) -> list[Token]:
        """Revoke the token of an id, or all tokens of a name; raises UsageError if none of them is in force."""
        now = self._now()
        with self._changing() as tokens:
            found = [each for each in tokens.values() if name in (each.id, each.name) and each.revoked is None]
            if not found:
                raise UsageError(f"there is no token of the id or the name {name} in {self._path} that is in force")
            for each in found:
                tokens[each.id] = msgspec.structs.replace(each, revoked=now)
        return found

    def login(self, text: str) -> Login:
        """The login of a token; raises NotLoggedIn if it is unknown, expired or revoked."""
        name, _, secret = text.removeprefix(MARK).partition("_")
        token = self._tokens().get(name)
        if token is None or not hmac.compare_digest(token.sha256, _hash(secret)):
            raise NotLoggedIn("the token is not known here", "login_invalid")
        match token.status(self._now()):
            case "expired":
                raise NotLoggedIn(f"the token {token.id} of {token.name} has expired", "login_expired")
            case "revoked":
                raise NotLoggedIn(f"the token {token.id} of {token.name} was revoked", "login_expired")
        expires = None if token.expires is None else token.expires.timestamp()
        return Login(token.principal, "token", expires, token=token.id)

    def holds(self, name: str) -> bool:
        """Whether the token of this id is in force."""
        token = self._tokens().get(name)
        return token is not None and token.status(self._now()) == "active"

    def _now(self) -> datetime:
        return datetime.fromtimestamp(int(self._clock()), UTC)

    def _tokens(self) -> dict[str, Token]:
        """The tokens by id. Whatever is wrong with the file counts as no token, or it would let in who was revoked."""
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise EnvironmentFailure(f"cannot read {self._path}: {error.strerror}") from None
        state = (found.st_mtime_ns, found.st_size, found.st_ino, found.st_mode)
        if state != self._read[0]:
            self._read = state, {}
            if found.st_mode & WRITABLE_BY_OTHERS:
                raise UsageError(f"others may write {self._path}, and so make tokens: `chmod 600 {self._path}`")
            self._read = state, {token.id: token for token in self._decoded().tokens}
        return self._read[1]

    def _decoded(self) -> _Kept:
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=_Kept)
        except OSError as error:
            raise EnvironmentFailure(f"cannot read {self._path}: {error.strerror}") from None
        except msgspec.MsgspecError as error:
            raise UsageError(f"{self._path} is no file of tokens: {error}") from None

    @contextmanager
    def _changing(self) -> Iterator[dict[str, Token]]:
        """The tokens, written back at the end; a second command that changes them waits until then."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with _locked(self._path.with_name(self._path.name + ".lock")):
                tokens = dict(self._tokens())
                yield tokens
                replace_file(self._path, msgspec.json.format(msgspec.json.encode(_Kept(list(tokens.values())))))
        except OSError as error:
            raise EnvironmentFailure(f"cannot write {self._path}: {error.strerror}") from None


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def replace_file(path: Path, content: bytes) -> None:
    """Write a file that only its owner reads (0600), whole or not at all."""
    fresh = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise


def _hash(secret: str) -> str:
    # A header that is not UTF-8 arrives as text with surrogates, and is no secret of ours in any case.
    return hashlib.sha256(secret.encode(errors="replace")).hexdigest()
