"""HTTPS of the process itself: the door to the library that reads certificates, and what is served with them."""

import asyncio
import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from ssl import Purpose, SSLContext, SSLError, SSLObject, create_default_context
from typing import NamedTuple

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from engine.core.errors import UsageError
from engine.settings import Settings

LOOK_SECONDS = 30.0
"""How often the files are looked at: a certificate that was renewed is served after so long at the latest."""
WARN_DAYS = 14
REPEAT_SECONDS = 86_400.0
"""So often it is said again that the certificate ends soon, or has ended."""

log = logging.getLogger("stockline")


class Certificate:
    """The certificate of this process with its key, in PEM files that may be renewed while it serves.

    Attributes:
        context: what connections are accepted with; it serves the newest certificate that was in order.
    """

    def __init__(self, certificate: Path, key: Path, clock: Callable[[], float] = time.time) -> None:
        """Read both files; raises UsageError that says which is not in order, and why."""
        self._certificate, self._key, self._clock = certificate, key, clock
        self._warn_from = 0.0
        self._state = self._looked()
        self._newest = _loaded(certificate, key)
        self.context = self._newest.context
        self.context.sni_callback = self._serve_newest
        self._warn()

    def refresh(self) -> None:
        """Take the files anew where they have changed; as long as they are not in order the former ones are served."""
        if (state := self._looked()) != self._state:
            self._state = state
            try:
                self._newest = _loaded(self._certificate, self._key)
            except UsageError as error:
                log.error("the renewed certificate is not taken, and the former one stays: %s", error)
            else:
                self._warn_from = 0.0
                log.info("%s was renewed and is served from now on", self._certificate)
        self._warn()

    async def watch(self) -> None:
        """Refresh now and then; runs until it is cancelled."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            await asyncio.to_thread(self.refresh)

    def _serve_newest(self, connection: SSLObject, _name: str, _context: SSLContext) -> None:
        """Called in every handshake: one that has begun goes on with what was the newest then."""
        connection.context = self._newest.context

    def _looked(self) -> tuple[tuple[int, int, int] | None, ...]:
        return tuple(map(_state, (self._certificate, self._key)))

    def _warn(self) -> None:
        """Say, once a day, that the certificate is not or soon no longer valid."""
        now = self._clock()
        if now >= self._warn_from and (trouble := self._newest.trouble(datetime.fromtimestamp(now, UTC))) is not None:
            self._warn_from = now + REPEAT_SECONDS
            log.warning("the certificate %s %s", self._certificate, trouble)


class _Loaded(NamedTuple):
    """A certificate that can be served, and from when until when it is valid."""

    context: SSLContext
    begins: datetime
    ends: datetime

    def trouble(self, now: datetime) -> str | None:
        """What is wrong with its time; None where it is valid for a while."""
        if now < self.begins:
            return f"is valid from {self.begins:%Y-%m-%d %H:%M} UTC on: until then callers refuse it"
        if now >= self.ends:
            return f"has ended on {self.ends:%Y-%m-%d %H:%M} UTC: callers refuse it, renew it"
        if now >= self.ends - timedelta(days=WARN_DAYS):
            return f"ends on {self.ends:%Y-%m-%d %H:%M} UTC: renew it, callers refuse it from then on"
        return None


def certificate_of(settings: Settings) -> Certificate | None:
    """The certificate that the settings name; None where the process serves HTTP. Raises UsageError."""
    if settings.tls_certificate is None or settings.tls_key is None:
        return None
    return Certificate(settings.tls_certificate, settings.tls_key)


def _loaded(certificate: Path, key: Path) -> _Loaded:
    own = _first_certificate(certificate)
    _require_key_of(own, key, certificate)
    context = create_default_context(Purpose.CLIENT_AUTH)
    context.set_alpn_protocols(["http/1.1"])
    try:
        context.load_cert_chain(certificate, key)
    except (SSLError, OSError) as error:
        raise UsageError(f"{certificate} cannot be served with the key {key}: {error}") from None
    return _Loaded(context, own.not_valid_before_utc, own.not_valid_after_utc)


def _first_certificate(path: Path) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificates(_content(path, "--tls-certificate"))[0]
    except ValueError:
        raise UsageError(
            f"{path} holds no certificate in PEM, which begins with -----BEGIN CERTIFICATE-----: --tls-certificate is "
            "the certificate of this server, followed by those up to its authority"
        ) from None


def _require_key_of(own: x509.Certificate, path: Path, certificate: Path) -> None:
    content = _content(path, "--tls-key")
    try:
        key = load_pem_private_key(content, None)
    except TypeError:
        raise UsageError(
            f"the key {path} is encrypted, and nobody is there to enter its password: decrypt it with "
            f"`openssl pkey -in {path} -out FILE`, and let only the owner of this process read FILE"
        ) from None
    except (ValueError, UnsupportedAlgorithm):
        raise UsageError(f"{path} holds no private key in PEM: --tls-key is the key of {certificate}") from None
    if key.public_key() != own.public_key():
        raise UsageError(
            f"the key {path} does not belong to the first certificate in {certificate}: give the pair that was made "
            "together, with the certificate of this server before those of its authority"
        )


def _content(path: Path, option: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read {path}, which {option} names: {error.strerror}") from None


def _state(path: Path) -> tuple[int, int, int] | None:
    """What changes when a file is written or replaced; None where it is missing."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
