"""The engine as a child process, for commands that need one of their own."""

import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.error import URLError
from urllib.request import urlopen

from engine.core.errors import EnvironmentFailure
from engine.processes.lifecycle import environment_of_child

READY_SECONDS = 30.0
STOP_SECONDS = 20.0
HOST = "127.0.0.1"
OF_HTTPS = "STOCKLINE_TLS_"


class ChildEngine:
    """`stockline run` on a data directory, with its clock on the log; a context manager that stops it cleanly."""

    def __init__(self, data: Path, port: int) -> None:
        self.url = f"http://{HOST}:{port}"
        self._data = data
        self._port = port
        self._log = data.parent / f"{data.name}.log"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "engine", "run", "--data", str(self._data)]
        command += ["--clock", "log", "--host", HOST, "--port", str(self._port)]
        # It is spoken to by HTTP on this machine, whatever the environment says of other processes.
        environment = {name: value for name, value in environment_of_child().items() if not name.startswith(OF_HTTPS)}
        with self._log.open("wb") as log:
            # In a session of its own, so that an interrupt from the terminal reaches this process only, which ends it.
            self._process = subprocess.Popen(
                command, stdout=log, stderr=subprocess.STDOUT, env=environment, start_new_session=True
            )
        try:
            self._wait_until_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def running(self) -> bool:
        """Whether the process runs."""
        return self._process is not None and self._process.poll() is None

    def stop(self) -> None:
        """End the process; it is killed if it has not ended after 20 seconds."""
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._process = None

    def last_words(self) -> str:
        """The last 2,000 characters that the engine has written."""
        return self._log.read_text(errors="replace")[-2000:].strip() if self._log.exists() else ""

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            if not self.running:
                raise EnvironmentFailure(f"the engine did not start: {self.last_words()}")
            if _answers(f"{self.url}/readyz"):
                return
            time.sleep(0.05)
        raise EnvironmentFailure(f"the engine was not ready within {READY_SECONDS:g} s: {self.last_words()}")


def free_port(wanted: int) -> int:
    """The wanted port of 127.0.0.1 if it is free, else another free one."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise EnvironmentFailure("no port is free")


def _answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=2) as response:
            return bool(response.status == 200)
    except (URLError, OSError):
        return False
