"""A cluster that asks for a name, a password and a certificate: SASL_SSL with mTLS, through the shipped commands."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.process import Stockline, Workers, environment
from tests.integration.test_kafka import STORY
from tests.real.kafka import Broker, Missing, free_port

pytestmark = [pytest.mark.real, pytest.mark.slow]

PASSWORD = "correct horse"


def certificate(place: Path, name: str) -> None:
    """A key and a certificate that signs itself, as PEM."""
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}"]
    command += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", f"{name}.key", "-out", f"{name}.pem"]
    try:
        subprocess.run(command, cwd=place, check=True, capture_output=True)
    except FileNotFoundError:
        raise Missing("certificates are made with `openssl`") from None


def listening(place: Path, port: int, plain: int) -> dict[str, str]:
    """The settings of a broker that asks for a password and a certificate at `port`, and for nothing at `plain`."""
    controller, login = free_port(), "org.apache.kafka.common.security.plain.PlainLoginModule"
    (place / "both.pem").write_text((place / "broker.key").read_text() + (place / "broker.pem").read_text())
    return {
        "listeners": f"PLAINTEXT://127.0.0.1:{plain},SECURE://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{plain},SECURE://127.0.0.1:{port}",
        "controller.quorum.voters": f"1@127.0.0.1:{controller}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,SECURE:SASL_SSL,CONTROLLER:PLAINTEXT",
        "inter.broker.listener.name": "PLAINTEXT",
        "listener.name.secure.sasl.enabled.mechanisms": "PLAIN",
        "listener.name.secure.plain.sasl.jaas.config": f'{login} required user_ann="{PASSWORD}";',
        "listener.name.secure.ssl.client.auth": "required",
        "listener.name.secure.ssl.keystore.type": "PEM",
        "listener.name.secure.ssl.keystore.location": str(place / "both.pem"),
        "listener.name.secure.ssl.truststore.type": "PEM",
        "listener.name.secure.ssl.truststore.location": str(place / "client.pem"),
    }


@pytest.fixture
def secured(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The settings with which a client may use a broker that lets nobody else in."""
    try:
        for name in ("broker", "client"):
            certificate(tmp_path, name)
        port, plain = free_port(), free_port()
        broker = Broker(tmp_path / "kafka", plain, listening(tmp_path, port, plain))
    except Missing as missing:
        pytest.skip(f"no secured Kafka: {missing}")
    (tmp_path / "password").write_text(PASSWORD + "\n")
    with broker:
        yield {
            "STOCKLINE_KAFKA": f"127.0.0.1:{port}",
            "STOCKLINE_SECURITY_PROTOCOL": "SASL_SSL",
            "STOCKLINE_SASL_MECHANISM": "PLAIN",
            "STOCKLINE_USERNAME": "ann",
            "STOCKLINE_PASSWORD_FILE": str(tmp_path / "password"),
            "STOCKLINE_CA_FILE": str(tmp_path / "broker.pem"),
            "STOCKLINE_CERT_FILE": str(tmp_path / "client.pem"),
            "STOCKLINE_KEY_FILE": str(tmp_path / "client.key"),
        }


def test_the_whole_way_over_sasl_and_mutual_tls(
    secured: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = secured["STOCKLINE_KAFKA"]
    with Workers(address, tmp_path / "rows", 2, **secured) as workers:
        workers.wait_owned()
        monkeypatch.setattr("tests.integration.process.environment", lambda: {**environment(), **secured})
        with Stockline(tmp_path / "view", "--kafka", address, verb="web") as engine:
            engine.send(*STORY)
            assert engine.get("/v1/sync?wait=100")["lag"] == 0
            assert engine.get("/v1/signals")["items"][0]["qty"] == 84
        assert workers.stop() == 0
    (tmp_path / "password").write_text("wrong\n")
    with Workers(address, tmp_path / "rows", 1, **secured) as workers:
        assert workers.wait() in (2, 3)
        assert "check STOCKLINE_USERNAME" in workers.said() or "cannot be reached" in workers.said()
        assert PASSWORD not in workers.said()
