"""The signature of a webhook: HMAC-SHA256 over its time, its key's id, the attributes in its headers, and its body.

    Stockline-Signature: t=1767225600,key=2026-01,v1=5f2a...

The signed text is `<t>.<key>.`, then `<name>:<value>` and a line feed for each `ce-` header in the order of the names
(a CloudEvent in binary mode has its meaning there), then an empty line and the body. The time bounds how long somebody
who listened may send it again; the key's id lets an old and a new secret be valid side by side.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Final

from pydantic import Field

from connectors.mapping.language import Declared
from connectors.profiles import Secret
from engine.core.errors import StocklineError

HEADER: Final = "Stockline-Signature"
ATTRIBUTE_PREFIX: Final = "ce-"
_FORM = re.compile(r"t=(\d{1,12}),key=([A-Za-z0-9._-]{1,64}),v1=([0-9a-f]{64})", re.ASCII)


class Key(Declared):
    """A key of signatures: its id, which the header names, and the secret."""

    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")]
    secret: Secret


class NotSigned(StocklineError):
    """A webhook has no valid signature; the message says why, and never what it should have been."""


@dataclass(frozen=True)
class Message:
    """What is signed: the attributes of a CloudEvent in binary mode by name (in lower case), and the body."""

    attributes: Mapping[str, str]
    body: bytes

    def _signed(self, at: int, key: str) -> bytes:
        headers = "".join(f"{ATTRIBUTE_PREFIX}{name}:{self.attributes[name]}\n" for name in sorted(self.attributes))
        return f"{at}.{key}.{headers}\n".encode() + self.body

    def signature(self, at: int, key: str, secret: str) -> str:
        """The header of a message that is sent `at`, in seconds of the Unix epoch."""
        digest = hmac.new(secret.encode(), self._signed(at, key), hashlib.sha256).hexdigest()
        return f"t={at},key={key},v1={digest}"


class Verifier:
    """Checks signatures against several keys, so that a key can be replaced while the other is still in use."""

    def __init__(self, secrets: Mapping[str, str], window_seconds: float) -> None:
        self._secrets = secrets
        self._window = window_seconds

    def check(self, header: str | None, message: Message, now: float) -> None:
        """Raises `NotSigned` unless the header is that of the message, by a key that is valid, and not too old."""
        found = _FORM.fullmatch(header or "")
        if found is None:
            raise NotSigned(f"there is no header {HEADER} of the form `t=SECONDS,key=ID,v1=HEX`")
        at, key = int(found[1]), found[2]
        secret = self._secrets.get(key)
        # An unknown key costs the same time as a known one, so that answers do not tell which ids exist.
        expected = message.signature(at, key, secret if secret is not None else "none")
        if not hmac.compare_digest(expected, header or "") or secret is None:
            raise NotSigned("the signature is not that of this message by a key that is valid")
        if abs(now - at) > self._window:
            raise NotSigned(f"the signature is older or newer than {self._window:g} seconds: compare the clocks")
