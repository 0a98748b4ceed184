"""HTTPS of the process itself: what is wrong with a pair of files, what is served, and how a renewed pair is taken."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import ClientError, ClientSession, CookieJar, TCPConnector

from engine.access.gate import LoginGate, SessionKeep
from engine.access.last_used import LastUsed
from engine.access.tokens import TokenFile
from engine.core.errors import UsageError
from engine.processes import child
from engine.processes.admission import admission_of
from engine.processes.supervisor import command_of
from engine.settings import AccessSettings, Settings, load_settings
from engine.telemetry import Telemetry
from engine.web import server
from engine.web.admission import Admission
from engine.web.bodies import Intake, Limits
from engine.web.ports import Context
from engine.web.tls import Certificate, certificate_of
from tests.unit.certificates import ENDS, Pair, pair
from tests.unit.fake_service import FakeService
from tests.unit.logins import principal
from tests.unit.web_client import SECONDS, figures

# what is wrong --------------------------------------------------------------------------------------------------------


def garbled(path: Path) -> None:
    path.write_text("no PEM")


def exchanged(made: Pair) -> None:
    certificate, key = made.certificate.read_bytes(), made.key.read_bytes()
    made.certificate.write_bytes(key)
    made.key.write_bytes(certificate)


FAULTS: dict[str, tuple[Callable[[Pair], object], str]] = {
    "no certificate": (lambda made: made.certificate.unlink(), r"cannot read .*server\.pem, which --tls-certificate"),
    "no key": (lambda made: made.key.unlink(), r"cannot read .*server\.key, which --tls-key names: No such file"),
    "garbled certificate": (lambda made: garbled(made.certificate), r"server\.pem holds no certificate in PEM"),
    "garbled key": (lambda made: garbled(made.key), r"server\.key holds no private key in PEM"),
    "exchanged": (exchanged, r"server\.pem holds no certificate in PEM"),
    "encrypted": (
        lambda made: pair(made.key.parent, password=b"correct horse"),
        r"the key .*server\.key is encrypted, .* decrypt it with `openssl pkey -in .*server\.key",
    ),
    "another's key": (
        lambda made: pair(made.key.parent, "other").key.replace(made.key),
        r"server\.key does not belong to the first certificate in .*server\.pem",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_is_wrong_with_the_files_is_said_before_anything_is_served(tmp_path: Path, fault: str) -> None:
    made = pair(tmp_path)
    damage, sentence = FAULTS[fault]
    damage(made)
    with pytest.raises(UsageError, match=sentence):
        Certificate(*made)


def test_one_file_of_the_two_is_not_taken(tmp_path: Path) -> None:
    for name in ("tls_certificate", "tls_key"):
        with pytest.raises(UsageError, match="HTTPS needs both"):
            load_settings(**{name: tmp_path / "file"})
    assert certificate_of(Settings()) is None


@pytest.mark.parametrize(
    ("now", "said"),
    [
        (datetime(2019, 12, 31, tzinfo=UTC), "is valid from 2020-01-01 00:00 UTC on"),
        (ENDS - timedelta(days=15), None),
        (ENDS - timedelta(days=14), "ends on 2999-01-01 00:00 UTC: renew it"),
        (ENDS, "has ended on 2999-01-01 00:00 UTC"),
    ],
)
def test_a_certificate_that_is_not_or_soon_no_longer_valid_is_warned_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, now: datetime, said: str | None
) -> None:
    Certificate(*pair(tmp_path), clock=now.timestamp)
    assert [said is not None and said in line for line in caplog.messages] == ([] if said is None else [True])


def test_the_warning_comes_once_a_day_until_the_certificate_is_renewed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    now = [ENDS.timestamp()]
    certificate = Certificate(*pair(tmp_path), clock=lambda: now[0])
    for warnings in (1, 1, 2):
        certificate.refresh()
        assert sum("has ended" in line for line in caplog.messages) == warnings
        now[0] += 43_200
    pair(tmp_path, ends=ENDS + timedelta(days=900))
    now[0] += 86_400
    certificate.refresh()
    assert sum("has ended" in line for line in caplog.messages) == 2


@pytest.mark.parametrize(
    ("settings", "public_url", "warnings"),
    [
        (Settings(host="0.0.0.0"), None, 1),
        (Settings(host="0.0.0.0"), "http://stock.example.com", 1),
        (Settings(host="0.0.0.0"), "https://stock.example.com", 0),
        (Settings(host="0.0.0.0", tls_certificate=Path("server.pem"), tls_key=Path("server.key")), None, 0),
        (Settings(host="127.0.0.1"), "http://stock.example.com", 0),
    ],
)
def test_logins_in_the_clear_are_warned_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, settings: Settings, public_url: str | None, warnings: int
) -> None:
    TokenFile(tmp_path / "tokens").create(principal("operator"), None)
    admission_of(settings, AccessSettings(tokens=tmp_path / "tokens", public_url=public_url))
    assert ["without HTTPS" in line for line in caplog.messages] == [True] * warnings


def test_a_supervisor_gives_the_files_to_its_workers(tmp_path: Path) -> None:
    made = pair(tmp_path)
    settings = Settings(tls_certificate=made.certificate, tls_key=made.key)
    command = command_of("localhost:9092", settings, None, 1)
    assert command[-4:] == ["--tls-certificate", str(made.certificate), "--tls-key", str(made.key)]


def test_the_engine_of_the_demo_speaks_http_whatever_the_environment_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: dict[str, str] = {}

    def start(_command: list[str], env: dict[str, str], **_: object) -> None:
        given.update(env)
        raise FileNotFoundError

    monkeypatch.setattr("engine.processes.child.subprocess.Popen", start)
    for name in ("TLS_CERTIFICATE", "TLS_KEY", "MEMORY_MIB"):
        monkeypatch.setenv(f"STOCKLINE_{name}", "64")
    with pytest.raises(FileNotFoundError), child.ChildEngine(tmp_path / "data", 1):
        pass
    assert {name for name in given if name.startswith(("STOCKLINE_TLS", "STOCKLINE_M"))} == {"STOCKLINE_MEMORY_MIB"}


# what is served -------------------------------------------------------------------------------------------------------


@asynccontextmanager
async def served(
    folder: Path, certificate: Certificate | None, local_only: bool = True
) -> AsyncIterator[tuple[str, str]]:
    """A server that asks for logins, over HTTPS where there is a certificate: its URL, and a viewer's token."""
    tokens, service = TokenFile(folder / "tokens"), FakeService()
    gate = LoginGate(tokens, LastUsed(folder / "tokens"), SessionKeep(b"s" * 32, 3600), None)
    context = Context(service, service.columns, Intake(Limits(1 << 20)), Telemetry(figures))
    app = server.application(context, local_only, Admission(gate))
    async with server.serving(app, server.bind("127.0.0.1", 0), certificate) as url:
        yield url, tokens.create(principal("viewer"), None)[1]


def trusting(path: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(path))


@asynccontextmanager
async def caller(url: str, made: Pair) -> AsyncIterator[ClientSession]:
    """A caller that keeps cookies as a browser does: those that are `Secure` go over HTTPS only."""
    connector = TCPConnector(ssl=trusting(made.certificate))
    async with ClientSession(url, connector=connector, cookie_jar=CookieJar(unsafe=True)) as client:
        yield client


async def test_a_person_logs_in_over_https_and_the_cookie_is_kept(tmp_path: Path) -> None:
    made = pair(tmp_path)
    async with served(tmp_path, Certificate(*made)) as (url, token), caller(url, made) as client:
        assert url.startswith("https://127.0.0.1:")
        async with client.post("/login", data={"token": token, "next": "/"}, allow_redirects=False) as answer:
            assert answer.status == 303
        async with client.get("/v1/me") as answer:
            assert (await answer.json())["login"] == "session"


async def test_only_pages_of_https_are_ours(tmp_path: Path) -> None:
    made = pair(tmp_path)
    async with served(tmp_path, Certificate(*made)) as (url, token), caller(url, made) as client:
        for origin, status in ((url, 101), (url.replace("https:", "http:"), 403)):
            headers = {"Authorization": f"Bearer {token}", "Origin": origin}
            handshake = {"Upgrade": "websocket", "Connection": "Upgrade"}
            keys = {"Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}
            async with client.get("/v1/live", headers=headers | handshake | keys) as answer:
                assert answer.status == status
                answer.close()


@pytest.mark.parametrize("https", [True, False])
@pytest.mark.parametrize("local_only", [True, False])
async def test_browsers_are_told_to_stay_with_https_where_other_machines_call(
    tmp_path: Path, https: bool, local_only: bool
) -> None:
    made = pair(tmp_path)
    certificate = Certificate(*made) if https else None
    async with served(tmp_path, certificate, local_only) as (url, _), caller(url, made) as client:
        for path in ("/healthz", "/v1/me"):
            async with client.get(path) as answer:
                told = answer.headers.get("Strict-Transport-Security")
                assert told == ("max-age=31536000" if https and not local_only else None)


async def test_who_speaks_http_to_https_gets_nothing_and_disturbs_nobody(tmp_path: Path) -> None:
    made = pair(tmp_path)
    async with served(tmp_path, Certificate(*made)) as (url, _), caller(url, made) as client:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rsplit(":", 1)[1]))
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert b"HTTP" not in await reader.read()
        writer.close()
        async with client.get("/healthz") as answer:
            assert answer.status == 200


async def refused(client: ClientSession) -> bool:
    """Whether a call finds its connection closed."""
    try:
        async with client.get("/healthz") as answer:
            assert answer.status == 200
            return False
    except ClientError:
        return True


async def test_connections_that_never_begin_tls_are_limited_like_all_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "room_for_connections", lambda: 2)
    made = pair(tmp_path)
    async with served(tmp_path, Certificate(*made)) as (url, _), caller(url, made) as client:
        port = int(url.rsplit(":", 1)[1])
        silent = [(await asyncio.open_connection("127.0.0.1", port))[1] for _ in range(2)]
        assert await refused(client)
        for writer in silent:
            writer.close()
        async with asyncio.timeout(SECONDS):
            while await refused(client):  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.01)


# renewal --------------------------------------------------------------------------------------------------------------


async def shown(url: str, name: str, trusted: Path) -> bytes | None:
    """The certificate that the server shows to who asks for a name; for an address TLS names no server."""
    port = int(url.rsplit(":", 1)[1])
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trusting(trusted), server_hostname=name)
    shown: bytes | None = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    await writer.wait_closed()
    return shown


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1"])
async def test_a_renewed_certificate_is_served_without_a_restart(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    caplog.set_level(logging.INFO, "stockline")
    made, renewed = pair(tmp_path), pair(tmp_path, "renewed")
    certificate = Certificate(*made)
    async with served(tmp_path, certificate) as (url, _), caller(url, made) as client:
        former = await shown(url, name, made.certificate)
        async with client.get("/healthz"):
            pass
        renewed.certificate.replace(made.certificate)
        certificate.refresh()
        assert "does not belong to the first certificate" in caplog.messages[-1], "its key has not come yet"
        with pytest.raises(ssl.SSLError):
            await shown(url, name, made.certificate)
        renewed.key.replace(made.key)
        certificate.refresh()
        assert "was renewed and is served" in caplog.messages[-1]
        assert await shown(url, name, made.certificate) not in (former, None)
        async with client.get("/healthz") as answer:
            assert answer.status == 200, "a connection that was open goes on"
