"""What a request carries to be let in: nothing, a key, or an OAuth 2.0 token of the client credentials flow."""

import json
import time
from collections.abc import Mapping

import aiohttp

from connectors.base import JsonObject
from connectors.profiles import Unreachable
from connectors.redaction import remember
from connectors.rest.profile import ApiKey, Auth, OAuth2
from engine.core.errors import UsageError

SPARE_SECONDS = 30.0
"""A token is renewed so long before it ends, so that none ends on its way."""
SHORTEST_SECONDS = 5.0
USUAL_SECONDS = 300.0
MAX_ANSWER = 64 * 1024


class Credentials:
    """The headers of a profile's `[auth]`. A token is kept until it ends, or until `refused` says that it was."""

    def __init__(self, auth: Auth | None, session: aiohttp.ClientSession) -> None:
        self._auth = auth
        self._session = session
        self._token = ""
        self._until = 0.0

    async def headers(self) -> Mapping[str, str]:
        """The headers of a request. Raises `Unreachable`, or `UsageError` where the credentials are not accepted."""
        if self._auth is None:
            return {}
        if isinstance(self._auth, ApiKey):
            return {self._auth.header: self._auth.prefix + self._auth.key.reveal()}
        if time.monotonic() >= self._until:
            await self._renew(self._auth)
        return {"Authorization": f"Bearer {self._token}"}

    @property
    def may_be_renewed(self) -> bool:
        """Whether a request that was answered by 401 may be let in after `refused`."""
        return isinstance(self._auth, OAuth2)

    def refused(self) -> None:
        """Forget the token: the next request asks for a new one."""
        self._until = 0.0

    async def _renew(self, auth: OAuth2) -> None:
        form = {"grant_type": "client_credentials", "client_id": auth.client_id}
        form |= {"client_secret": auth.client_secret.reveal()} | ({"scope": auth.scope} if auth.scope else {})
        asked = time.monotonic()
        try:
            async with self._session.post(auth.token_url, data=form, allow_redirects=False) as response:
                status, given = response.status, _json_object(await response.content.read(MAX_ANSWER))
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Unreachable(f"no token from {auth.token_url}: {type(error).__name__}") from None
        if status in (400, 401, 403):
            why = str(given.get("error", status))[:200]
            raise UsageError(f"{auth.token_url} does not accept the client {auth.client_id}: {why}")
        if status != 200 or not isinstance(token := given.get("access_token"), str):
            raise Unreachable(f"no token from {auth.token_url}: it answered {status}")
        remember(token)
        self._token, lasts = token, given.get("expires_in")
        seconds = float(lasts) if isinstance(lasts, int | float) else USUAL_SECONDS
        self._until = asked + max(SHORTEST_SECONDS, seconds - SPARE_SECONDS)


def _json_object(body: bytes) -> JsonObject:
    """The answer of a token endpoint; an empty object where it is none."""
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
