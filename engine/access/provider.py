"""An OpenID provider: its endpoints and keys, its tokens, and the login of people by code and PKCE."""

import asyncio
import base64
import hashlib
import logging
import secrets
import time
from typing import Any, NamedTuple
from urllib.parse import urlencode

import aiohttp
import msgspec
from msgspec import Struct

from engine.access.claims import ClaimNames, login_of
from engine.access.denial import NotLoggedIn
from engine.access.jwt import Claims, Keys, UnknownKey
from engine.access.principal import Login
from engine.core.errors import EnvironmentFailure

log = logging.getLogger("stockline")

KEYS_SECONDS = 3600.0
"""How long the keys are used before they are asked for again."""
REFETCH_SECONDS = 10.0
"""Keys are asked for at most so often, however many tokens name a key that nobody knows."""
TIMEOUT_SECONDS = 10.0
MOST_BYTES = 1024 * 1024
SCOPES = "openid profile email"


class ProviderUnavailable(EnvironmentFailure):
    """The provider does not answer, or not as OpenID Connect says; logins by it do not work meanwhile."""


class Client(NamedTuple):
    """What the provider knows us as: the issuer's URL, our id and secret there, and for whom its tokens must be."""

    issuer: str
    client_id: str
    client_secret: str | None
    audience: str


class Begun(Struct, frozen=True):
    """A login that has begun: what must come back, kept in a signed cookie of the browser meanwhile."""

    state: str
    nonce: str
    verifier: str


class _Endpoints(Struct):
    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str


class _Granted(Struct):
    id_token: str


class Provider:
    """Asks the provider for what it publishes, when that is needed, and keeps it for a while."""

    def __init__(self, client: Client, names: ClaimNames) -> None:
        self._client, self._names = client, names
        self._endpoints: _Endpoints | None = None
        self._keys: Keys | None = None
        self._fetched = -KEYS_SECONDS
        self._fetching = asyncio.Lock()

    async def login(self, token: str) -> Login:
        """The login of a token that the provider made for our audience; raises NotLoggedIn, Forbidden."""
        return login_of(await self._claims(token, self._client.audience), self._names)

    async def begin(self, back: str) -> tuple[str, Begun]:
        """The URL at which a person logs in, who comes `back` to our URL, and what to keep until then."""
        begun = Begun(secrets.token_urlsafe(24), secrets.token_urlsafe(24), secrets.token_urlsafe(48))
        digest = hashlib.sha256(begun.verifier.encode()).digest()
        asked = {
            "response_type": "code",
            "client_id": self._client.client_id,
            "redirect_uri": back,
            "scope": SCOPES,
            "state": begun.state,
            "nonce": begun.nonce,
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        endpoint = (await self._known_endpoints()).authorization_endpoint
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(asked)}", begun

    def check_issuer(self, issuer: str | None) -> None:
        """See that an answer is of this provider, where it says whose it is (RFC 9207); raises NotLoggedIn."""
        if issuer is not None and issuer != self._client.issuer:
            raise NotLoggedIn("the answer is of another provider; begin again", "login_invalid")

    async def finish(self, code: str, back: str, begun: Begun) -> Login:
        """The login of a person who has come back with a code; raises NotLoggedIn, Forbidden."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": back,
            "client_id": self._client.client_id,
            "code_verifier": begun.verifier,
        }
        endpoint = (await self._known_endpoints()).token_endpoint
        granted = await self._ask("POST", endpoint, _Granted, form)
        claims = await self._claims(granted.id_token, self._client.client_id)
        if not secrets.compare_digest(str(claims.get("nonce")), begun.nonce):
            raise NotLoggedIn("the provider's answer belongs to another login; begin again", "login_invalid")
        return login_of(claims, self._names)

    async def _claims(self, token: str, audience: str) -> Claims:
        """The claims of a token; keys that it names and we do not have are asked for, for providers change them."""
        issuer = self._client.issuer
        try:
            return (await self._current_keys(KEYS_SECONDS)).claims(token, issuer, audience)
        except UnknownKey:
            pass
        try:
            return (await self._current_keys(REFETCH_SECONDS)).claims(token, issuer, audience)
        except UnknownKey:
            raise NotLoggedIn("the token's key is none of the provider's", "login_invalid") from None

    async def _current_keys(self, seconds: float) -> Keys:
        """The keys, at most so many seconds old; old ones where the provider does not answer."""
        async with self._fetching:
            if self._keys is not None and time.monotonic() - self._fetched < seconds:
                return self._keys
            try:
                document = await self._ask("GET", (await self._known_endpoints()).jwks_uri, dict[str, Any])
                self._keys = Keys(document)
            except (ProviderUnavailable, ValueError) as error:
                if self._keys is None:
                    raise ProviderUnavailable(f"the keys of {self._client.issuer} cannot be had: {error}") from None
                log.warning("the keys of %s cannot be had, the former ones are used: %s", self._client.issuer, error)
            self._fetched = time.monotonic()
            return self._keys

    async def _known_endpoints(self) -> _Endpoints:
        if self._endpoints is None:
            issuer = self._client.issuer
            found = await self._ask("GET", issuer.rstrip("/") + "/.well-known/openid-configuration", _Endpoints)
            if found.issuer != issuer:
                raise ProviderUnavailable(
                    f"the provider at {issuer} says that it is {found.issuer}: set that as the issuer"
                )
            self._endpoints = found
        return self._endpoints

    async def _ask(self, method: str, url: str, kind: type[Any], form: dict[str, str] | None = None) -> Any:
        """The JSON of an answer; the client's secret goes with a form, and redirects are not followed."""
        secret = self._client.client_secret
        auth = aiohttp.BasicAuth(self._client.client_id, secret) if form is not None and secret else None
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout) as session,
                session.request(method, url, data=form, auth=auth, allow_redirects=False) as answer,
            ):
                body = await answer.content.read(MOST_BYTES)
                while not answer.content.at_eof() and len(body) < MOST_BYTES:
                    body += await answer.content.read(MOST_BYTES)
                status = answer.status
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise ProviderUnavailable(f"{url} does not answer: {type(error).__name__}") from None
        if form is not None and 400 <= status < 500:
            raise NotLoggedIn("the provider did not take the code; log in again", "login_invalid")
        if status != 200:
            raise ProviderUnavailable(f"{url} answered {status}")
        try:
            return msgspec.json.decode(body, type=kind)
        except msgspec.MsgspecError as error:
            raise ProviderUnavailable(f"{url} does not answer as OpenID Connect says: {error}") from None
