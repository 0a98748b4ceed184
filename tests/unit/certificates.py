"""Certificates that sign themselves, with their keys, as PEM files; valid long before and after the tests run."""

from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat

BEGINS, ENDS = datetime(2020, 1, 1, tzinfo=UTC), datetime(2999, 1, 1, tzinfo=UTC)


class Pair(NamedTuple):
    certificate: Path
    key: Path


def pair(folder: Path, name: str = "server", ends: datetime = ENDS, password: bytes | None = None) -> Pair:
    """Write a new pair for localhost and 127.0.0.1; with a password the key is encrypted."""
    key, subject = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    names = [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
    made = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number(), BEGINS, ends)
        .add_extension(x509.SubjectAlternativeName(names), critical=True)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    written = Pair(folder / f"{name}.pem", folder / f"{name}.key")
    written.certificate.write_bytes(made.public_bytes(Encoding.PEM))
    locked = NoEncryption() if password is None else BestAvailableEncryption(password)
    written.key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, locked))
    return written
