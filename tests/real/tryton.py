"""A real Tryton for tests and `make erp`: a process on this machine, whose clock the tests move through weeks.

Every server starts on a copy of a template (`tryton_template.py`): of a file of SQLite, or of a PostgreSQL of its own.
"""

import os
import shutil
import sqlite3
import subprocess
import time
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psycopg

from tests.real.kafka import Missing, free_port
from tests.real.postgres import Postgres
from tests.real.tryton_rpc import Rpc
from tests.real.tryton_series import CURRENT, Series
from tests.real.tryton_template import (
    BEGINNING,
    CLOCK_SECONDS,
    CONFIGURATION,
    DATABASE,
    Clock,
    postgres_template,
    sqlite_template,
)
from tests.real.tryton_world import PASSWORD

READY_SECONDS = 240.0

SERVER = """\
import runpy, select, sys, time
# The library that moves the clock makes sleeping until a moment of the steady clock an error.
time.sleep = lambda seconds: select.select([], [], [], seconds)
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


class Tryton(Rpc):
    """A server on a copy of the template; a context manager that ends it. `url` is its address, `clock` its time."""

    def __init__(self, data: Path, port: int | None = None, series: Series = CURRENT) -> None:
        """Prepare a server in the directory `data`, which gets the template where it is new."""
        data.mkdir(parents=True, exist_ok=True)
        self.data = data
        self.port = port or free_port()
        super().__init__(f"http://127.0.0.1:{self.port}", series, DATABASE, PASSWORD)
        self._process: subprocess.Popen[bytes] | None = None
        configuration = CONFIGURATION.format(database=self._prepare(), port=self.port)
        (data / "trytond.conf").write_text(configuration)

    def _prepare(self) -> str:
        """Make its database and its clock; returns what its configuration says of the database."""
        self.clock = Clock(self.data / "clock")
        self._file = self.data / f"{DATABASE}.sqlite"
        if not self._file.exists():
            shutil.copyfile(sqlite_template(self.series), self._file)
            self.clock.set(BEGINNING + timedelta(hours=1))
        return f"uri = sqlite://\npath = {self.data}"

    def _environment(self) -> dict[str, str]:
        return self.clock.environment()

    def start(self) -> Self:
        """Start it and wait until it answers."""
        program, configuration = self.series.program, str(self.data / "trytond.conf")
        with (self.data / "trytond.log").open("ab") as log:
            self._process = subprocess.Popen(
                [program("python"), "-c", SERVER, program("trytond"), "-c", configuration, "-d", DATABASE],
                env=self._environment(),
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

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()


class TrytonOnPostgres(Tryton):
    """A server on a PostgreSQL, which stamps what is written; so both have this machine's time, and keep it."""

    def _prepare(self) -> str:
        self._store = Postgres(postgres_template(self.series))
        return f"uri = {self._store.uri}"

    def _environment(self) -> dict[str, str]:
        return dict(os.environ)

    def lock(self, statement: str) -> "psycopg.Connection[Any]":
        """Rows that `statement` locks until the connection is closed, as another program's transaction does."""
        connection = psycopg.connect(self._store.uri + DATABASE)
        connection.execute(statement.encode())
        return connection

    def sql(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Run a statement in its database behind its back, and return the rows."""
        with psycopg.connect(self._store.uri + DATABASE, autocommit=True) as connection:
            found = connection.execute(statement.encode(), values or None)
            return found.fetchall() if found.description else []

    def start(self) -> Self:
        """Start the PostgreSQL, and the server on it."""
        self._store.start()
        return super().start()

    def kill(self) -> None:
        """End both at once, and remove the data of the PostgreSQL."""
        super().kill()
        self._store.__exit__(None, None, None)
