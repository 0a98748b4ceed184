"""A real Tryton 8.2 for tests and `make erp`: a process on this machine, whose clock the tests move through weeks.

Its packages come from PyPI into an environment of their own under `.cache`, what moves its clock from Debian. A
template database with the world of `tryton_world.py` is made once; every server starts on a copy of it.
"""

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.real.alone import CACHE, alone
from tests.real.kafka import Missing, free_port
from tests.real.podman import apt
from tests.real.tryton_rpc import Rpc
from tests.real.tryton_world import PASSWORD

FOLDER = Path(__file__).parent
PINS, WORLD = FOLDER / "tryton-8.2.txt", FOLDER / "tryton_world.py"
HOME = CACHE / "tryton-8.2"
BIN = HOME / "environment" / "bin"
CLOCK_LIBRARY = CACHE / "faketime"
MODULES = ("stock", "purchase", "purchase_request", "stock_supply", "stock_lot")
DATABASE = "erp"
BEGINNING = datetime(2026, 3, 2, 7, 0, tzinfo=UTC)
"""The simulated moment at which the template was made: a Monday at eight in the morning of the company."""
READY_SECONDS = 60.0
CLOCK_SECONDS = 1
"""A process learns within this time that its clock was moved."""

SERVER = """\
import runpy, select, sys, time
# The library that moves the clock makes sleeping until a moment of the steady clock an error.
time.sleep = lambda seconds: select.select([], [], [], seconds)
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""

CONFIGURATION = """\
[database]
uri = sqlite://
path = {data}
[web]
listen = 127.0.0.1:{port}
[session]
max_age = 31536000
timeout = 31536000
"""


def template() -> Path:
    """The template database, made where it is not there yet; raises Missing where Tryton cannot be had."""
    digest = sha256(PINS.read_bytes() + WORLD.read_bytes() + repr(MODULES).encode()).hexdigest()[:16]
    made = HOME / f"template-{digest}.sqlite"
    if not made.exists():
        with alone(HOME.name):
            if not made.exists():
                _environment()
                _make_template(made)
    return made


def clock_library() -> Path:
    """The shared object of libfaketime, from its Debian package; raises Missing."""
    found = sorted(CLOCK_LIBRARY.glob("usr/lib/*/faketime/libfaketimeMT.so.1"))
    if not found:
        with alone(CLOCK_LIBRARY.name), tempfile.TemporaryDirectory(dir=CACHE) as fresh:
            # apt's own user fetches the package where it may write into the folder.
            Path(fresh).chmod(0o755)
            apt("download", "libfaketime", folder=Path(fresh))
            for package in Path(fresh).glob("libfaketime_*.deb"):
                _run(["dpkg-deb", "-x", str(package), str(CLOCK_LIBRARY)])
        found = sorted(CLOCK_LIBRARY.glob("usr/lib/*/faketime/libfaketimeMT.so.1"))
    if not found:
        raise Missing("the package libfaketime holds no libfaketimeMT.so.1")
    return found[0]


def _environment() -> None:
    kept = HOME / "complete"
    if kept.exists() and kept.read_text() == PINS.read_text():
        return
    shutil.rmtree(HOME, ignore_errors=True)
    _run([sys.executable, "-m", "venv", str(BIN.parent)])
    _run([str(BIN / "python"), "-m", "pip", "install", "--quiet", "--no-deps", "-r", str(PINS)])
    kept.write_text(PINS.read_text())


def _make_template(made: Path) -> None:
    with tempfile.TemporaryDirectory(dir=HOME) as folder:
        data = Path(folder)
        (data / f"{DATABASE}.sqlite").touch()
        (data / "password").write_text(PASSWORD)
        configuration = data / "trytond.conf"
        configuration.write_text(CONFIGURATION.format(data=data, port=0))
        clock = Clock(data / "clock")
        clock.set(BEGINNING)
        environment = clock.environment() | {"TRYTONPASSFILE": str(data / "password")}
        chosen = ["-c", str(configuration), "-d", DATABASE]
        activate = [*chosen, "-u", *MODULES, "--activate-dependencies", "--email", "admin@example.com"]
        _run([str(BIN / "python"), str(BIN / "trytond-admin"), *activate], environment)
        _run([str(BIN / "python"), str(WORLD), str(configuration), DATABASE], environment)
        with closing(sqlite3.connect(data / f"{DATABASE}.sqlite")) as database:
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (data / f"{DATABASE}.sqlite").replace(made)


def _run(command: list[str], environment: dict[str, str] | None = None) -> None:
    done = subprocess.run(command, env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode:
        said = " ".join((done.stdout + done.stderr).split())[-800:]
        raise Missing(f"`{' '.join(command)[:120]}` failed: {said}")


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
            # Tryton looks at the clock so often that reading the file each time is a good part of its work.
            "FAKETIME_CACHE_DURATION": str(CLOCK_SECONDS),
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


class Tryton(Rpc):
    """A server on a copy of the template; a context manager that ends it. `url` is its address, `clock` its time."""

    def __init__(self, data: Path, port: int | None = None) -> None:
        """Prepare a server in the directory `data`, which gets the template where it is new."""
        data.mkdir(parents=True, exist_ok=True)
        self.data = data
        self.port = port or free_port()
        super().__init__(f"http://127.0.0.1:{self.port}", DATABASE, PASSWORD)
        self.clock = Clock(data / "clock")
        self._file = data / f"{DATABASE}.sqlite"
        self._process: subprocess.Popen[bytes] | None = None
        if not self._file.exists():
            shutil.copyfile(template(), self._file)
            self.clock.set(BEGINNING + timedelta(hours=1))
        (data / "trytond.conf").write_text(CONFIGURATION.format(data=data, port=self.port))

    def start(self) -> Self:
        """Start it and wait until it answers."""
        with (self.data / "trytond.log").open("ab") as log:
            self._process = subprocess.Popen(
                [BIN / "python", "-c", SERVER, BIN / "trytond", "-c", self.data / "trytond.conf", "-d", DATABASE],
                env=self.clock.environment(),
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        deadline = time.monotonic() + READY_SECONDS
        while not self.answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise Missing(f"Tryton did not start: {self.last_words()}")
            time.sleep(0.05)
        return self

    def last_words(self) -> str:
        """The end of what it wrote."""
        return (self.data / "trytond.log").read_text(errors="replace")[-1500:]

    def kill(self) -> None:
        """End it at once, as a power cut of the process."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def set_time(self, moment: datetime) -> None:
        """Move its clock to `moment`, from where it goes on."""
        self.clock.set(moment)
        if self._process is not None:
            time.sleep(CLOCK_SECONDS * 1.1)

    def advance(self, **span: float) -> datetime:
        """Move its clock on by a span (`days=3`), and return the moment."""
        self.set_time(self.clock.now() + timedelta(**span))
        return self.clock.now()

    def sql(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Run a statement in its database behind its back, and return the rows."""
        with closing(sqlite3.connect(self._file, timeout=30)) as database:
            rows = database.execute(statement, values).fetchall()
            database.commit()
            return rows

    def key(self, login: str = "stockline") -> str:
        """The key of a login's application for the REST interface."""
        ((key,),) = self.sql(
            "SELECT a.key FROM res_user_application a JOIN res_user u ON u.id = a.user WHERE u.login = ?", login
        )
        return str(key)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
