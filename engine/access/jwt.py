"""JSON Web Tokens: the door to the library that signs ours and checks those of a provider."""

import time
from collections.abc import Mapping
from typing import Any

from joserfc import jwt
from joserfc.errors import ExpiredTokenError, InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet, OctKey

from engine.access.denial import NotLoggedIn
from engine.core.errors import StocklineError

ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "Ed25519", "EdDSA"]
"""What a provider may sign with: public keys only. A token that asks for `none`, or for HMAC under a public key that
everybody knows, is refused."""
LEEWAY_SECONDS = 60
"""By how much the provider's clock may differ from ours."""

Claims = Mapping[str, Any]
"""The claims of a token: JSON, checked where it is read."""


class UnknownKey(StocklineError):
    """The token names a key that the set does not have: the provider may have changed its keys."""


class Keys:
    """The public keys of a provider."""

    def __init__(self, document: Any) -> None:
        """Read a JWK set; raises ValueError if it is none."""
        try:
            self._keys = KeySet.import_key_set(document)
        except (JoseError, KeyError, TypeError, ValueError) as error:
            raise ValueError(f"it is no set of keys: {error}") from None

    def claims(self, text: str, issuer: str, audience: str) -> Claims:
        """The claims of a token for us that is in force; raises UnknownKey or NotLoggedIn."""
        try:
            token = jwt.decode(text, self._keys, algorithms=ALGORITHMS)
        except InvalidKeyIdError:
            raise UnknownKey from None
        except (JoseError, ValueError) as error:
            raise NotLoggedIn(f"the token cannot be trusted: {error}", "login_invalid") from None
        return _checked(token.claims, iss={"essential": True, "value": issuer}, aud=_essential(audience))


class Signer:
    """Signs claims with a secret of ours, and reads back what it has signed."""

    def __init__(self, secret: bytes, purpose: str) -> None:
        self._key, self._purpose = OctKey.import_key(secret), purpose

    def sign(self, claims: Claims, seconds: float) -> str:
        """The claims as a token that ends in so many seconds."""
        stamped = {**claims, "aud": self._purpose, "exp": int(time.time() + seconds)}
        return jwt.encode({"alg": "HS256"}, stamped, self._key)

    def read(self, text: str) -> Claims:
        """The claims that were signed for this purpose; raises NotLoggedIn."""
        try:
            token = jwt.decode(text, self._key, algorithms=["HS256"])
        except (JoseError, ValueError):
            raise NotLoggedIn("the session is not known here; log in again", "login_expired") from None
        return _checked(token.claims, leeway=0, aud=_essential(self._purpose))


def _essential(value: str) -> dict[str, Any]:
    return {"essential": True, "value": value}


def _checked(claims: Claims, leeway: int = LEEWAY_SECONDS, **wanted: Any) -> Claims:
    registry = jwt.JWTClaimsRegistry(leeway=leeway, exp={"essential": True}, **wanted)
    try:
        registry.validate(dict(claims))
    except ExpiredTokenError:
        raise NotLoggedIn("the login has expired; log in again", "login_expired") from None
    except (JoseError, ValueError, TypeError) as error:
        raise NotLoggedIn(f"the token is not for this service now: {error}", "login_invalid") from None
    return claims
