"""HTTPS of the shipped command, for its own commands and for what trusts its certificate."""

from __future__ import annotations

import json
import ssl
from http.client import HTTPSConnection
from pathlib import Path

from tests.integration.process import Stockline, stockline
from tests.unit.certificates import pair


def test_the_engine_serves_https_to_who_trusts_its_certificate(tmp_path: Path) -> None:
    made = pair(tmp_path)
    https = ("--tls-certificate", str(made.certificate), "--tls-key", str(made.key))
    with Stockline(tmp_path / "data", *https) as engine:
        trusting = ssl.create_default_context(cafile=str(made.certificate))
        caller = HTTPSConnection("localhost", engine.port, timeout=120, context=trusting)
        try:
            caller.request("GET", "/healthz")
            with caller.getresponse() as answer:
                assert json.loads(answer.read())["status"] == "ok"
        finally:
            caller.close()
        url = f"https://localhost:{engine.port}"
        trusted = stockline("positions", "--url", url, SSL_CERT_FILE=str(made.certificate))
        assert trusted.returncode == 0, trusted.stderr
        doubted = stockline("positions", "--url", url)
        assert doubted.returncode == 3
        assert b"its certificate is not trusted: self-signed certificate; SSL_CERT_FILE names" in doubted.stderr
        assert engine.stop() == 0


def test_a_key_of_another_certificate_ends_the_start_with_a_sentence(tmp_path: Path) -> None:
    made, other = pair(tmp_path), pair(tmp_path, "other")
    certificate, key = str(made.certificate), str(other.key)
    start = ("run", "--data", str(tmp_path / "data"), "--port", "0")
    refused = stockline(*start, STOCKLINE_TLS_CERTIFICATE=certificate, STOCKLINE_TLS_KEY=key)
    assert refused.returncode == 2
    assert b"other.key does not belong to the first certificate" in refused.stderr
    assert not (tmp_path / "data").exists()
