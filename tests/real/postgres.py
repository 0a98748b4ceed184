"""A real PostgreSQL for tests: a server of their own on this machine, on a free port of the loopback.

The programs are the machine's, or come from Debian's packages into `.cache`. The server refuses to run as root, so
where root runs the tests it runs as nobody, in a folder of the temporary directory.
"""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psycopg

from tests.real.alone import CACHE
from tests.real.debian import unpacked
from tests.real.kafka import Missing, free_port

FETCHED = CACHE / "postgresql"
PACKAGES = ("postgresql-15", "libpq5")
NOBODY = 65534
USER, DATABASE = "postgres", "postgres"
READY_SECONDS = 240.0


def programs() -> Path:
    """The folder of `postgres` and `initdb`, fetched where this machine has none; raises Missing."""
    initdb = "usr/lib/postgresql/*/bin/initdb"
    found = sorted(Path("/").glob(initdb)) or sorted(unpacked(FETCHED.name, *PACKAGES).glob(initdb))
    return found[-1].parent


class Postgres:
    """A server with an empty database, or on a copy of `template`, the data of one that was stopped.

    A context manager that ends it and removes its data.
    """

    def __init__(self, template: Path | None = None) -> None:
        self.port = free_port()
        self._programs = programs()
        self._process: subprocess.Popen[bytes] | None = None
        self._folder = Path(tempfile.mkdtemp(prefix="stockline-postgres-"))
        self._owner = NOBODY if os.geteuid() == 0 else None
        if self._owner is not None:
            os.chown(self._folder, self._owner, self._owner)
        if template is not None:
            self._copy(template)
            return
        # A folder that is killed with the tests is small: no file is filled in advance.
        made = ["-A", "trust", "-U", USER, "-E", "UTF8", "--locale=C.UTF-8", "--no-sync", "--wal-segsize=1"]
        self._run([self._programs / "initdb", "-D", self.data, *made])

    @property
    def data(self) -> Path:
        """The folder of its data."""
        return self._folder / "data"

    @property
    def address(self) -> str:
        """Its address in the form that libpq reads, without a password."""
        return f"host=127.0.0.1 port={self.port} dbname={DATABASE} user={USER}"

    @property
    def uri(self) -> str:
        """Its address as a URI that names no database."""
        return f"postgresql://{USER}@127.0.0.1:{self.port}/"

    def start(self) -> Self:
        """Start it and wait until it takes connections."""
        settings = {"listen_addresses": "127.0.0.1", "port": self.port, "unix_socket_directories": self._folder}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._programs / "postgres", "-D", self.data, *options],
                env=self._environment(),
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                user=self._owner,
                group=self._owner,
                extra_groups=[] if self._owner is not None else None,
                start_new_session=True,
            )
        deadline = time.monotonic() + READY_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise Missing(f"PostgreSQL did not start: {(self._folder / 'log').read_text()[-500:]}")
            time.sleep(0.05)
        return self

    def kill(self) -> None:
        """End it at once, as a crash; its child processes see that and end by themselves."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
            # The next server refuses the data until the last child of this one has let go of the shared memory.
            deadline = time.monotonic() + READY_SECONDS
            while _is_worked_in(self.data):
                assert time.monotonic() < deadline, "a child of a killed server goes on"
                time.sleep(0.02)

    def stop(self) -> None:
        """End it in order: what it has is in its data, and no connection may be open."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait()
            self._process = None

    def connect(self, autocommit: bool = True) -> "psycopg.Connection[Any]":
        """A connection for a test's own statements."""
        return psycopg.connect(self.address, autocommit=autocommit)

    def sql(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Run one statement by itself and return its rows."""
        with self.connect() as connection:
            found = connection.execute(statement.encode(), values or None)
            return found.fetchall() if found.description else []

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            # Killed, it would leave a megabyte of shared memory to the machine, of which a container has little.
            self._process.send_signal(signal.SIGQUIT)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(READY_SECONDS)
        self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _copy(self, template: Path) -> None:
        shutil.copytree(template, self.data)
        self.data.chmod(0o700)
        if self._owner is not None:
            for path in (self.data, *self.data.rglob("*")):
                os.chown(path, self._owner, self._owner)

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.address, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def _environment(self) -> dict[str, str]:
        libraries = os.pathsep.join(str(found.parent) for found in FETCHED.glob("usr/lib/*/libpq.so.5"))
        return os.environ | {"LD_LIBRARY_PATH": libraries, "LC_ALL": "C.UTF-8"}

    def _run(self, command: list[str | Path]) -> None:
        _run(
            command,
            env=self._environment(),
            user=self._owner,
            group=self._owner,
            extra_groups=[] if self._owner is not None else None,
            cwd=self._folder,
        )


def _is_worked_in(folder: Path) -> bool:
    """Whether it is the working directory of a process: a server and its children are in that of their data."""
    for path in Path("/proc").glob("[0-9]*/cwd"):
        with suppress(OSError):
            if path.readlink() == folder:
                return True
    return False


def _run(command: list[str | Path], **how: Any) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, **how)
    except OSError as error:
        raise Missing(f"{command[0]} cannot be run: {error.strerror}") from error
    if done.returncode:
        said = " ".join((done.stdout + done.stderr).split())[-500:]
        raise Missing(f"`{' '.join(map(str, command))[:120]}` failed: {said}")
