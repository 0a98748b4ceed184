"""The composition of a process's admission: from the settings to the gate and the limits of every login."""

import logging
import secrets

from engine.access.claims import ClaimNames
from engine.access.gate import Gate, LoginGate, OpenGate, SessionKeep
from engine.access.last_used import LastUsed
from engine.access.principal import ROLES, Role
from engine.access.provider import Client, Provider
from engine.access.sessions import SECRET_BYTES
from engine.access.tokens import TokenFile
from engine.core.errors import UsageError
from engine.settings import AccessSettings, Settings
from engine.web.admission import Admission, Limits

log = logging.getLogger("stockline")


def admission_of(settings: Settings, access: AccessSettings | None) -> Admission:
    """Who may call, by the settings; raises UsageError where a process would listen to everybody without being told.

    Callers log in where a file of tokens or a provider is named, wherever other machines reach the process, and where
    a proxy lets them in, which for the process is this machine. On this machine alone nobody has to, and nobody where
    `access` is not given.
    """
    if access is None:
        return Admission(OpenGate())
    limits = Limits(access.calls_per_second, access.calls_at_once)
    return Admission(_gate(settings, access), limits, access.public_url)


def is_local_only(settings: Settings) -> bool:
    """Whether calls to a host name that is not this machine's are rejected."""
    return settings.on_this_machine and not settings.insecure


def _gate(settings: Settings, access: AccessSettings) -> Gate:
    named = access.tokens is not None or access.oidc_issuer is not None
    if settings.insecure:
        if named:
            raise UsageError("--insecure asks nobody for a login, and tokens or a provider ask everybody: give one")
        log.warning("listening on %s: nobody has to log in, whoever reaches it reads and writes", settings.host)
        return OpenGate()
    if settings.on_this_machine and not named and access.public_url is None:
        return OpenGate()
    path = access.token_file(settings.data)
    tokens = TokenFile(path)
    if access.oidc_issuer is None and not tokens.all():
        raise UsageError(
            f"refusing to listen on {access.public_url or settings.host}: callers must log in, and there is no token "
            f"in {path}. Make one with `stockline token create NAME --role operator --tokens {path}`, or set "
            "STOCKLINE_OIDC_ISSUER; "
            "--insecure listens all the same, and lets everybody read and write"
        )
    if not settings.on_this_machine:
        _warn_of_clear_text(settings, access)
    keep = SessionKeep(_session_secret(access), access.session_hours * 3600)
    return LoginGate(tokens, LastUsed(path), keep, _provider(access))


def _warn_of_clear_text(settings: Settings, access: AccessSettings) -> None:
    """Say that others may read along, unless this process speaks HTTPS or a proxy is known that does."""
    if settings.tls_certificate is None and not (access.public_url or "").startswith("https:"):
        log.warning(
            "listening on %s without HTTPS: who sees the network reads tokens and sessions. Give --tls-certificate and "
            "--tls-key, or name the proxy that speaks HTTPS before it by STOCKLINE_PUBLIC_URL",
            settings.host,
        )


def _session_secret(access: AccessSettings) -> bytes:
    given = access.secret("session_secret")
    if given is None:
        return secrets.token_bytes(SECRET_BYTES)
    if len(given) < SECRET_BYTES:
        raise UsageError(f"STOCKLINE_SESSION_SECRET has at least {SECRET_BYTES} characters: `openssl rand -hex 32`")
    return given.encode()


def _provider(access: AccessSettings) -> Provider | None:
    issuer, client_id = access.oidc_issuer, access.oidc_client_id
    if issuer is None or client_id is None:
        return None
    client = Client(issuer, client_id, access.secret("oidc_client_secret"), access.oidc_audience or client_id)
    roles = {text: _role(role) for text, role in access.oidc_roles.items()}
    names = ClaimNames(
        access.oidc_name_claim, access.oidc_roles_claim, roles, access.oidc_supplier_claim, access.oidc_source_claim
    )
    return Provider(client, names)


def _role(text: str) -> Role:
    for role in ROLES:
        if role == text:
            return role
    raise UsageError(f"STOCKLINE_OIDC_ROLES names {text!r}, and a role is one of {', '.join(ROLES)}")
