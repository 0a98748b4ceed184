"""Logins of the shipped command: tokens by its own commands, and people and programs of a real OpenID provider."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit
from urllib.request import Request, urlopen

import pytest

from tests.integration.process import Answer, Stockline, stockline
from tests.real import oidc
from tests.real.kafka import Missing, free_port

ROLES = {"stock-planners": "planner", "stock-admins": "operator", "vendors": "supplier", "machines": "adapter"}
SESSION, LOGIN = "__Host-stockline", "__Host-stockline-login"


def event(source: str, number: int) -> dict[str, Any]:
    data = {"receipt": str(number), "sku": "A", "location": "L", "qty": 5}
    told = {"specversion": "1.0", "id": f"r-{number}", "source": source, "type": "goods.received"}
    return {**told, "time": "2026-03-02T09:00:00Z", "data": data}


def created(tokens: Path, *arguments: str) -> str:
    made = stockline("token", "create", *arguments, "--tokens", str(tokens))
    assert made.returncode == 0, made.stderr
    return made.stdout.decode().strip()


# tokens ---------------------------------------------------------------------------------------------------------------


def test_beyond_this_machine_it_does_not_start_without_logins(tmp_path: Path) -> None:
    refused = stockline("run", "--data", str(tmp_path / "data"), "--host", "0.0.0.0", "--port", "0")
    assert refused.returncode == 2
    assert b"refusing to listen on 0.0.0.0: callers must log in" in refused.stderr
    assert not (tmp_path / "data").exists()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Stockline, Path]]:
    folder = tmp_path_factory.mktemp("logins")
    created(folder / "tokens", "olga", "--role", "operator")
    with Stockline(folder / "data", "--tokens", str(folder / "tokens")) as engine:
        yield engine, folder


def test_commands_log_in_by_the_environment_or_a_file_and_never_by_an_argument(
    served: tuple[Stockline, Path], tmp_path: Path
) -> None:
    engine, folder = served
    token = created(folder / "tokens", "vic", "--role", "viewer")
    file = tmp_path / "token"
    file.write_text(token + "\n")
    without = stockline("signals", "--url", engine.url)
    assert without.returncode == 2
    assert b"needs a login" in without.stderr
    assert stockline("signals", "--url", engine.url, STOCKLINE_TOKEN=token).returncode == 0
    assert stockline("--token-file", str(file), "signals", "--url", engine.url).returncode == 0
    denied = stockline("dead-letters", "--url", engine.url, STOCKLINE_TOKEN_FILE=str(file))
    assert denied.returncode == 2
    assert b"for the role operator; vic has viewer" in denied.stderr


def test_a_sender_sends_its_own_events_until_its_token_is_revoked(
    served: tuple[Stockline, Path], tmp_path: Path
) -> None:
    engine, folder = served
    token = created(folder / "tokens", "wms", "--role", "adapter", "--source", "wms")
    for source in ("wms", "erp"):
        lines = [json.dumps(event(source, number)) + "\n" for number in range(3)]
        (tmp_path / f"{source}.ndjson").write_text("".join(lines))
    own, foreign = (
        stockline("send", str(tmp_path / f"{source}.ndjson"), "--url", engine.url, STOCKLINE_TOKEN=token)
        for source in ("wms", "erp")
    )
    assert (own.returncode, foreign.returncode) == (0, 2), (own.stderr, foreign.stderr)
    assert b"sends events of wms only. Nothing of the body was taken" in foreign.stderr
    bearer = {"Authorization": f"Bearer {token}"}
    assert engine.call("GET", "/v1/sync", headers=bearer).json["accepted"] == 3
    assert stockline("token", "revoke", "wms", "--tokens", str(folder / "tokens")).returncode == 0
    assert engine.call("GET", "/v1/sync", headers=bearer).status == 401
    listed = stockline("token", "list", "--tokens", str(folder / "tokens"), "--json").stdout.decode()
    [row] = [row for row in map(json.loads, listed.splitlines()) if row["name"] == "wms"]
    assert (row["roles"], row["limited_to"], row["status"]) == ("adapter", "wms", "revoked")
    # The secret itself may hold the character that parts a token.
    assert token.split("_", 2)[2] not in listed + engine.errors()


def test_who_logged_out_is_not_let_in_again_by_a_restart(tmp_path: Path) -> None:
    form = urlencode({"token": created(tmp_path / "tokens", "ann", "--role", "viewer"), "next": "/"}).encode()
    settings = {"STOCKLINE_TOKENS": str(tmp_path / "tokens"), "STOCKLINE_SESSION_SECRET": "s" * 32}

    def begun(engine: Stockline) -> dict[str, str]:
        entered = engine.call("POST", "/login", form, "application/x-www-form-urlencoded")
        return {"Cookie": cookie(entered, SESSION)}

    with Stockline(tmp_path / "data", settings=settings) as engine:
        ended, kept = begun(engine), begun(engine)
        assert engine.call("POST", "/logout", headers=ended | {"X-Stockline": "page"}).status == 204
        engine.kill()
    with Stockline(tmp_path / "data", settings=settings) as engine:
        assert [engine.call("GET", "/v1/me", headers=session).status for session in (ended, kept)] == [401, 200]


# a provider -----------------------------------------------------------------------------------------------------------


class Site(NamedTuple):
    engine: Stockline
    issuer: str

    @property
    def callback(self) -> str:
        return f"{self.engine.url}/login/callback"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder, port = tmp_path_factory.mktemp("oidc"), free_port()
    (folder / "secret").write_text(oidc.SECRET + "\n")
    try:
        with oidc.provider(f"http://127.0.0.1:{port}/login/callback") as issuer:
            settings = {
                "STOCKLINE_OIDC_ISSUER": issuer,
                "STOCKLINE_OIDC_CLIENT_ID": oidc.CLIENT,
                "STOCKLINE_OIDC_CLIENT_SECRET_FILE": str(folder / "secret"),
                "STOCKLINE_OIDC_AUDIENCE": oidc.AUDIENCE,
                "STOCKLINE_OIDC_ROLES_CLAIM": "groups",
                "STOCKLINE_OIDC_ROLES": json.dumps(ROLES),
                "STOCKLINE_OIDC_SUPPLIER_CLAIM": "vendor",
                "STOCKLINE_OIDC_SOURCE_CLAIM": "system",
            }
            with Stockline(folder / "data", "--port", str(port), settings=settings) as engine:
                yield Site(engine, issuer)
    except Missing as missing:
        pytest.skip(f"no OpenID provider: {missing}")


def cookie(answer: Answer, name: str) -> str:
    [found] = [line for line in answer.headers["set-cookie"].splitlines() if line.startswith(f"{name}=")]
    return found.partition(";")[0]


def came_back(site: Site, person: str) -> tuple[str, str]:
    """The cookie of the login that began, and the path at which the person comes back from the provider."""
    begun = site.engine.call("GET", "/login/provider?next=/stock")
    assert begun.status == 303
    back = oidc.Person(person).log_in(begun.headers["location"], site.callback)
    return cookie(begun, LOGIN), f"{urlsplit(back).path}?{urlsplit(back).query}"


@pytest.mark.real
def test_a_person_logs_in_at_the_provider_by_code_and_pkce(site: Site) -> None:
    begun, back = came_back(site, "pia")
    foreign = site.engine.call("GET", back.replace("state=", "state=x"), headers={"Cookie": begun})
    assert (foreign.status, b"belongs to another login" in foreign.body) == (401, True)
    entered = site.engine.call("GET", back, headers={"Cookie": begun})
    assert (entered.status, entered.headers["location"]) == (303, "/stock")
    session = {"Cookie": cookie(entered, SESSION)}
    me = site.engine.call("GET", "/v1/me", headers=session).json
    assert (me["name"], me["roles"], me["login"], me["source"]) == ("pia", ["planner"], "session", None)
    # The code counts once, and a browser that did not begin the login cannot end it.
    assert site.engine.call("GET", back, headers={"Cookie": begun}).status == 401
    assert site.engine.call("GET", back).status == 401
    code = back.partition("code=")[2].partition("&")[0]
    told = site.engine.errors()
    assert not [each for each in (code, oidc.SECRET, session["Cookie"].partition("=")[2]) if each in told]


@pytest.mark.real
def test_the_claims_of_the_provider_are_the_rights_of_a_login(site: Site) -> None:
    begun, back = came_back(site, "nobody")
    refused = site.engine.call("GET", back, headers={"Cookie": begun})
    assert (refused.status, b"at least one role" in refused.body, "set-cookie" in refused.headers) == (403, True, False)
    begun, back = came_back(site, "vera")
    entered = site.engine.call("GET", back, headers={"Cookie": begun})
    session = {"Cookie": cookie(entered, SESSION)}
    me = site.engine.call("GET", "/v1/me", headers=session).json
    assert (me["roles"], me["supplier"]) == (["supplier"], "ACME")
    assert site.engine.call("GET", "/v1/positions", headers=session).status == 403


def machine_token(issuer: str, **asked: str) -> str:
    form = urlencode({"grant_type": "client_credentials", **asked}).encode()
    secret = base64.b64encode(f"{oidc.MACHINE}:{oidc.MACHINE_SECRET}".encode()).decode()
    with urlopen(Request(f"{issuer}/token", form, {"Authorization": f"Basic {secret}"}), timeout=60) as answer:
        return str(json.load(answer)["access_token"])


@pytest.mark.real
def test_a_program_sends_the_providers_token(site: Site) -> None:
    bearer = {"Authorization": f"Bearer {machine_token(site.issuer, resource=oidc.AUDIENCE)}"}
    me = site.engine.call("GET", "/v1/me", headers=bearer).json
    assert (me["name"], me["roles"], me["login"], me["source"]) == ("wms-leeds", ["adapter"], "provider", "wms/leeds")
    own, foreign = (json.dumps(event(source, 1)).encode() for source in ("wms/leeds", "erp"))
    assert site.engine.call("POST", "/v1/events", own, headers=bearer).status == 202
    assert site.engine.call("POST", "/v1/events", foreign, headers=bearer).status == 403
    altered = {"Authorization": bearer["Authorization"][:-8] + "AAAAAAAA"}
    assert site.engine.call("GET", "/v1/me", headers=altered).json["reason"] == "login_invalid"
