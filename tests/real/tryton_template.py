"""Tryton's packages and databases for tests: what takes minutes to make is made once, and kept in `.cache`.

The packages come from PyPI into an environment of their own for each series, what moves a server's clock from Debian.
A template is a database with Tryton's modules and the world of `tryton_world.py`; every server starts on a copy of one.
"""

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from tests.real.alone import alone
from tests.real.debian import unpacked
from tests.real.kafka import Missing
from tests.real.postgres import Postgres
from tests.real.tryton_series import Series
from tests.real.tryton_world import PASSWORD

WORLD = Path(__file__).parent / "tryton_world.py"
MODULES = ("stock", "purchase", "purchase_request", "stock_supply", "stock_lot")
DATABASE = "erp"
BEGINNING = datetime(2026, 3, 2, 7, 0, tzinfo=UTC)
"""The simulated moment at which the template was made: a Monday at eight in the morning of the company."""
CLOCK_SECONDS = 1
"""A process learns within this time that its clock was moved."""

CONFIGURATION = """\
[database]
{database}
[web]
listen = 127.0.0.1:{port}
[session]
max_age = 31536000
timeout = 31536000
"""


def sqlite_template(series: Series) -> Path:
    """The file of the template, made where it is not there yet; raises Missing where Tryton cannot be had."""
    made = series.home / f"template-{_digest(series)}.sqlite"
    if not made.exists():
        with alone(series.home.name):
            if not made.exists():
                _environment(series)
                _make_on_sqlite(series, made)
    return made


def postgres_template(series: Series) -> Path:
    """The data of a PostgreSQL that was stopped, with the template in it; raises Missing."""
    made = series.home / f"template-{_digest(series)}.postgres"
    if not made.exists():
        with alone(series.home.name):
            if not made.exists():
                _environment(series)
                _make_on_postgres(series, made)
    return made


def clock_library() -> Path:
    """The shared object of libfaketime, from its Debian package; raises Missing."""
    found = sorted(unpacked("faketime", "libfaketime").glob("usr/lib/*/faketime/libfaketimeMT.so.1"))
    if not found:
        raise Missing("the package libfaketime holds no libfaketimeMT.so.1")
    return found[0]


class Clock:
    """The time that a process lives in: this machine's, moved by the seconds in a file that it reads every second."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._library = clock_library()

    def environment(self) -> dict[str, str]:
        """The variables with which a process lives in this time."""
        return os.environ | {
            "LD_PRELOAD": str(self._library),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            # Tryton looks at the clock so often that reading the file each time is a good part of its work. The library
            # reads it again when more than so many whole seconds have passed: with 1 that takes up to two seconds.
            "FAKETIME_CACHE_DURATION": str(CLOCK_SECONDS - 1),
            "NO_FAKE_STAT": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            # Else timed waits end at once, and Python's threads spend ten times a call's work on waiting.
            "FAKETIME_FORCE_MONOTONIC_FIX": "0",
            # The file says seconds of UTC; a difference has no time zone.
            "TZ": "UTC",
        }

    def set(self, moment: datetime) -> None:
        """It is `moment` now, and time goes on from there."""
        fresh = self._file.with_suffix(".fresh")
        fresh.write_text(f"{moment.timestamp() - time.time():+.6f}\n")
        fresh.replace(self._file)

    def now(self) -> datetime:
        """The moment that it is in there."""
        return datetime.fromtimestamp(time.time() + float(self._file.read_text()), UTC)


def _digest(series: Series) -> str:
    made_of = series.pins.read_bytes() + WORLD.read_bytes() + repr(MODULES).encode()
    return sha256(made_of).hexdigest()[:16]


def _environment(series: Series) -> None:
    kept, pins = series.home / "complete", series.pins.read_text()
    if kept.exists() and kept.read_text() == pins:
        return
    shutil.rmtree(series.home, ignore_errors=True)
    _run([sys.executable, "-m", "venv", str(series.home / "environment")])
    _run(
        [
            series.program("python"),
            "-m",
            "pip",
            "install",
            "--quiet",
            "--no-compile",
            "--no-deps",
            "-r",
            str(series.pins),
        ]
    )
    kept.write_text(pins)


def _make_on_sqlite(series: Series, made: Path) -> None:
    with tempfile.TemporaryDirectory(dir=series.home) as folder:
        data = Path(folder)
        (data / f"{DATABASE}.sqlite").touch()
        clock = Clock(data / "clock")
        clock.set(BEGINNING)
        _fill(series, data, f"uri = sqlite://\npath = {data}", clock.environment())
        with closing(sqlite3.connect(data / f"{DATABASE}.sqlite")) as database:
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (data / f"{DATABASE}.sqlite").replace(made)


def _make_on_postgres(series: Series, made: Path) -> None:
    with tempfile.TemporaryDirectory(dir=series.home) as folder, Postgres() as server:
        # The tests kill processes and no machine: what the system has taken is not lost.
        server.sql("ALTER SYSTEM SET fsync = off")
        server.sql("SELECT pg_reload_conf()")
        server.sql(f"CREATE DATABASE {DATABASE}")
        _fill(series, Path(folder), f"uri = {server.uri}", dict(os.environ))
        server.stop()
        shutil.copytree(server.data, Path(folder) / "data")
        (Path(folder) / "data").replace(made)


def _fill(series: Series, folder: Path, database: str, environment: dict[str, str]) -> None:
    """Activate the modules in a database that is empty, and make the world in it."""
    (folder / "password").write_text(PASSWORD)
    configuration = folder / "trytond.conf"
    configuration.write_text(CONFIGURATION.format(database=database, port=0))
    chosen = ["-c", str(configuration), "-d", DATABASE]
    activate = [*chosen, "-u", *MODULES, "--activate-dependencies", "--email", "admin@example.com"]
    python = series.program("python")
    known = environment | {"TRYTONPASSFILE": str(folder / "password")}
    _run([python, series.program("trytond-admin"), *activate], known)
    _run([python, str(WORLD), str(configuration), DATABASE], known)


def _run(command: list[str], environment: dict[str, str] | None = None) -> None:
    done = subprocess.run(command, env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode:
        said = " ".join((done.stdout + done.stderr).split())[-800:]
        raise Missing(f"`{' '.join(command)[:120]}` failed: {said}")
