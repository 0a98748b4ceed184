"""Tokens of an OpenID provider: which count, how keys change, and what the claims mean."""

from __future__ import annotations

import base64
import hmac
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, RSAKey

from engine.access import provider as providers
from engine.access.claims import ClaimNames, login_of
from engine.access.denial import Forbidden, NotLoggedIn
from engine.access.jwt import Keys, Signer, UnknownKey
from engine.access.principal import Principal
from engine.access.provider import Client, Provider, ProviderUnavailable
from engine.web import server

ISSUER, AUDIENCE = "https://login.example.com", "stockline"
RSA = RSAKey.generate_key(2048, {"kid": "rsa"})
OTHER = RSAKey.generate_key(2048, {"kid": "rsa"})
EC = ECKey.generate_key("P-256", {"kid": "ec"})
NAMES = ClaimNames("preferred_username", "realm.roles", {"planners": "planner", "vendors": "supplier"}, "vendor", "src")
NOW = int(time.time())
DAY = 24 * 3600
"""The tokens below are made long before the tests run, where they run with all others."""


def public(*keys: RSAKey | ECKey) -> Any:
    return KeySet(list(keys)).as_dict(private=False)


def claims(**given: Any) -> dict[str, Any]:
    told = {"iss": ISSUER, "aud": AUDIENCE, "exp": NOW + DAY, "sub": "42", "preferred_username": "pia"}
    return {name: value for name, value in {**told, **given}.items() if value is not None}


def signed(key: Any = RSA, alg: str = "RS256", kid: str = "rsa", **given: Any) -> str:
    return jwt.encode({"alg": alg, "kid": kid}, claims(**given), key, algorithms=[alg])


def signed_with_the_public_key() -> str:
    """A token whose HMAC has the public key as its secret, by hand, because the library makes none."""
    parts = [json.dumps(part).encode() for part in ({"alg": "HS256", "kid": "rsa"}, claims())]
    text = b".".join(base64.urlsafe_b64encode(part).rstrip(b"=") for part in parts)
    mac = hmac.digest(RSA.as_pem(private=False), text, "sha256")
    return f"{text.decode()}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"


@pytest.mark.parametrize(
    ("token", "reason"),
    [
        (signed(), None),
        (signed(EC, "ES256", "ec"), None),
        (signed(aud=["other", AUDIENCE]), None),
        (signed(exp=NOW - 120), "login_expired"),
        (signed(exp=None), "login_invalid"),
        (signed(nbf=NOW + DAY // 2), "login_invalid"),
        (signed(aud="other"), "login_invalid"),
        (signed(aud=None), "login_invalid"),
        (signed(iss="https://evil.example"), "login_invalid"),
        (signed(iss=None), "login_invalid"),
        (signed(OTHER), "login_invalid"),
        (signed_with_the_public_key(), "login_invalid"),
        ("eyJhbGciOiJub25lIn0." + signed().split(".")[1] + ".", "login_invalid"),
        (signed()[:-4], "login_invalid"),
        ("not a token", "login_invalid"),
        ("a.b.c", "login_invalid"),
    ],
)
def test_a_token_counts_if_it_is_the_providers_for_us_and_now(token: str, reason: str | None) -> None:
    keys = Keys(public(RSA, EC))
    if reason is None:
        assert keys.claims(token, ISSUER, AUDIENCE)["sub"] == "42"
        return
    with pytest.raises(NotLoggedIn) as denied:
        keys.claims(token, ISSUER, AUDIENCE)
    assert denied.value.reason == reason


def test_clocks_may_differ_by_a_minute() -> None:
    assert Keys(public(RSA)).claims(signed(exp=int(time.time()) - 20), ISSUER, AUDIENCE)["sub"] == "42"


def test_a_key_that_is_not_there_is_told_apart() -> None:
    with pytest.raises(UnknownKey):
        Keys(public(RSA, EC)).claims(signed(kid="new"), ISSUER, AUDIENCE)


@pytest.mark.parametrize("document", [{}, {"keys": []}, {"keys": "x"}, {"keys": [{"kty": "RSA"}]}, []])
def test_what_is_no_set_of_keys_is_said(document: Any) -> None:
    with pytest.raises(ValueError, match="no set of keys"):
        Keys(document)


def test_what_one_purpose_has_signed_counts_for_no_other() -> None:
    session, login = Signer(b"k" * 32, "session"), Signer(b"k" * 32, "login")
    assert session.read(session.sign({"a": 1}, 60))["a"] == 1
    for text in (session.sign({}, 60), Signer(b"x" * 32, "login").sign({}, 60), login.sign({}, -1), ""):
        with pytest.raises(NotLoggedIn):
            login.read(text)


# claims ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "principal"),
    [
        ({"realm": {"roles": ["planners", "cooks"]}}, Principal("pia", frozenset({"planner"}))),
        ({"realm.roles": "planners"}, Principal("pia", frozenset({"planner"}))),
        ({"realm": {"roles": ["planners"]}, "preferred_username": None}, Principal("42", frozenset({"planner"}))),
        ({"realm": {"roles": ["planners"]}, "vendor": "ACME"}, Principal("pia", frozenset({"planner"}))),
        ({"realm": {"roles": ["vendors"]}, "vendor": "ACME"}, Principal("pia", frozenset({"supplier"}), None, "ACME")),
        # The texts of a provider are no roles of ours where a table says what they mean.
        ({"realm": {"roles": ["operator"]}}, None),
        ({"realm": {"roles": []}}, None),
        ({"realm": "planners"}, None),
        ({}, None),
        ({"realm": {"roles": ["vendors"]}}, None),
        ({"realm": {"roles": ["vendors", "planners"]}, "vendor": "ACME"}, None),
    ],
)
def test_the_claims_are_a_login_with_roles_or_none(given: dict[str, Any], principal: Principal | None) -> None:
    if principal is None:
        with pytest.raises(Forbidden):
            login_of(claims(**given), NAMES)
        return
    login = login_of(claims(**given), NAMES)
    assert (login.principal, login.means, login.expires) == (principal, "provider", NOW + DAY)


@pytest.mark.parametrize("name", ["", " pia", "p" * 65, "p\nia", "*"])
def test_a_name_that_an_event_could_not_bear_is_no_login(name: str) -> None:
    with pytest.raises(NotLoggedIn):
        login_of(claims(preferred_username=name, sub=None, realm={"roles": ["planners"]}), NAMES)


def test_without_a_table_the_texts_are_our_roles() -> None:
    names = NAMES._replace(role_of={}, roles="roles")
    assert login_of(claims(roles=["viewer", "x"]), names).principal.roles == {"viewer"}


# over HTTP ------------------------------------------------------------------------------------------------------------


class Served:
    """A provider's two documents, as they are now, and how often the keys were asked for."""

    def __init__(self) -> None:
        self.keys: Any = public(RSA)
        self.status, self.asked, self.issuer = 200, 0, ""

    async def discovery(self, _: web.Request) -> web.Response:
        named = {name: f"{self.issuer}/{name}" for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")}
        return web.json_response({"issuer": self.issuer, **named})

    async def jwks(self, _: web.Request) -> web.Response:
        self.asked += 1
        return web.json_response(self.keys, status=self.status)


@asynccontextmanager
async def served() -> AsyncIterator[tuple[Served, Provider]]:
    one, app = Served(), web.Application()
    app.router.add_get("/.well-known/openid-configuration", one.discovery)
    app.router.add_get("/jwks_uri", one.jwks)
    async with server.serving(app, server.bind("127.0.0.1", 0)) as url:
        one.issuer = url
        yield one, Provider(Client(url, AUDIENCE, None, AUDIENCE), NAMES)


async def test_keys_are_kept_and_asked_for_again_when_a_token_names_a_new_one(monkeypatch: pytest.MonkeyPatch) -> None:
    async with served() as (one, provider):

        async def name_of(key: Any, alg: str, kid: str) -> str | None:
            token = signed(key, alg, kid, iss=one.issuer, realm={"roles": ["planners"]})
            return (await provider.login(token)).principal.name

        for _ in range(3):
            assert await name_of(RSA, "RS256", "rsa") == "pia"
        assert one.asked == 1
        one.keys = public(EC)
        # A flood of tokens with invented keys does not become a flood of calls to the provider.
        with pytest.raises(NotLoggedIn):
            await name_of(EC, "ES256", "ec")
        assert one.asked == 1
        monkeypatch.setattr(providers, "REFETCH_SECONDS", 0.0)
        assert await name_of(EC, "ES256", "ec") == "pia"
        with pytest.raises(NotLoggedIn):
            await name_of(RSA, "RS256", "rsa")
        # Where the provider does not answer, the keys of before go on counting.
        one.status = 500
        monkeypatch.setattr(providers, "KEYS_SECONDS", 0.0)
        assert await name_of(EC, "ES256", "ec") == "pia"


async def test_a_provider_that_cannot_be_asked_is_said() -> None:
    async with served() as (one, provider):
        one.status = 503
        with pytest.raises(ProviderUnavailable, match="answered 503"):
            await provider.login(signed())
        one.issuer, one.status = "https://evil.example", 200
        stranger = Provider(Client(provider._client.issuer, AUDIENCE, None, AUDIENCE), NAMES)  # noqa: SLF001
        with pytest.raises(ProviderUnavailable, match="says that it is"):
            await stranger.login(signed())
    with pytest.raises(ProviderUnavailable, match="does not answer"):
        await Provider(Client("http://127.0.0.1:9", AUDIENCE, None, AUDIENCE), NAMES).login(signed())
