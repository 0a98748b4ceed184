"""`stockline connectors run` on a folder: of this machine, and of a real SFTP server; both sides are killed."""

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.connectors.folder import HEAD, PROFILE, rows
from tests.integration.process import COMMAND, ROOT, Stockline, environment, stockline
from tests.real.kafka import Missing
from tests.real.sftp import SftpServer

FILES, ROWS = 3, 4000
SECONDS = 180.0


@pytest.fixture(scope="module")
def server() -> Iterator[SftpServer]:
    try:
        running = SftpServer()
    except Missing as missing:
        pytest.skip(f"no SFTP server: {missing}")
    with running:
        yield running


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Stockline]:
    with Stockline(tmp_path / "data", "--clock", "log") as running:
        yield running


def profile_of(folder: Path, engine: Stockline, path: Path, more: str = "") -> Path:
    """The profile of a connector that reads CSV files in `path`."""
    (folder / "wms.toml").write_text(PROFILE)
    profile = folder / "acme.toml"
    profile.write_text(f"""\
kind = "folder"
name = "acme"
engine = "{engine.url}"
interval_seconds = 0.2
path = "{path}"
ready = "renamed"
files = [{{ pattern = "*.csv", profile = "{folder / "wms.toml"}" }}]
{more}
""")
    return profile


def access_to(server: SftpServer, known_hosts: Path) -> str:
    """The part of a profile that says how to enter a server."""
    return (
        f'[sftp]\nhost = "127.0.0.1"\nport = {server.port}\nuser = "{server.user}"\n'
        f'known_hosts = "{known_hosts}"\nkey = {{ file = "{server.key}" }}\n'
    )


def begin(profile: Path) -> "subprocess.Popen[bytes]":
    """`stockline connectors run`, with its state beside the profile."""
    with (profile.parent / "connector.log").open("ab") as log:
        return subprocess.Popen(
            [*COMMAND, "connectors", "run", str(profile), "--state", str(profile.parent / "state")],
            cwd=ROOT,
            env=environment(),
            stdout=log,
            stderr=log,
        )


def issued(engine: Stockline) -> int:
    found: int = engine.get("/v1/kpis")["events"].get("stock.issued", 0)
    return found


def wait_for(engine: Stockline, count: int, log: Path) -> None:
    deadline = time.monotonic() + SECONDS
    while issued(engine) < count:
        assert time.monotonic() < deadline, (issued(engine), log.read_text()[-2000:])
        time.sleep(0.05)


@pytest.mark.real
@pytest.mark.slow
def test_an_sftp_folder_is_read_exactly_once_whoever_is_killed(
    tmp_path: Path, engine: Stockline, server: SftpServer
) -> None:
    profile = profile_of(tmp_path, engine, server.files, access_to(server, server.known_hosts))
    log = tmp_path / "connector.log"
    for number in range(FILES):
        server.put(f"{number}.csv", (HEAD + rows(number * ROWS, ROWS)).encode())
    (server.files / "link.csv").symlink_to(tmp_path / "wms.toml")
    for number in range(1, 5):
        process = begin(profile)
        wait_for(engine, number * 2000, log)
        if number == 2:
            server.kill()
            time.sleep(1.5)
            server.start()
        process.kill()
        process.wait()
    process = begin(profile)
    wait_for(engine, FILES * ROWS, log)
    deadline = time.monotonic() + SECONDS
    while len(list(server.files.glob("archive/*.receipt.json"))) < FILES or list(server.files.glob("[0-9].csv")):
        assert time.monotonic() < deadline, log.read_text()[-2000:]
        time.sleep(0.1)
    process.terminate()
    assert process.wait(120) == 0
    assert issued(engine) == FILES * ROWS
    assert [path.name for path in server.files.glob("*.csv")] == ["link.csv"]
    archived = sorted(path.read_text() for path in server.files.glob("archive/*.csv"))
    assert archived == sorted(HEAD + rows(number * ROWS, ROWS) for number in range(FILES))


@pytest.mark.real
def test_a_server_with_another_key_is_never_spoken_to(tmp_path: Path, engine: Stockline, server: SftpServer) -> None:
    stranger = tmp_path / "known_hosts"
    stranger.write_bytes(f"[127.0.0.1]:{server.port} ".encode() + (server.folder / "authorized_keys").read_bytes())
    profile = profile_of(tmp_path, engine, server.files, access_to(server, stranger))
    ran = stockline("connectors", "check", str(profile))
    assert ran.returncode == 2, ran
    assert "Host key is not trusted" in ran.stderr.decode()
    assert "PRIVATE" not in ran.stderr.decode() + ran.stdout.decode()


def test_a_local_folder_is_checked_and_read_once(tmp_path: Path, engine: Stockline) -> None:
    inbox = tmp_path / "in"
    inbox.mkdir()
    (inbox / "a.csv").write_text(HEAD + rows(0, 30) + "D99;2026-03-02T08:00:00Z;A;1;PAL\n")
    profile = profile_of(tmp_path, engine, inbox)
    ran = stockline("connectors", "check", str(profile))
    assert (ran.returncode, "1 files wait, a.csv" in ran.stdout.decode()) == (1, True), ran
    assert os.listdir(inbox) == ["a.csv"]
    state = ("--state", str(tmp_path / "state"))
    ran = stockline("connectors", "run", str(profile), "--once", *state)
    assert ran.returncode == 1, ran
    assert issued(engine) == 30
    (tmp_path / "wms.toml").write_text(PROFILE.replace("DZ = 12", "DZ = 12\nPAL = 480"))
    ran = stockline("connectors", "replay", str(profile))
    assert ran.returncode == 0, ran
    assert issued(engine) == 31
    assert (inbox / "rejected").is_dir()
