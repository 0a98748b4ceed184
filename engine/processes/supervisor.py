"""The supervisor of `stockline worker --workers N`: it keeps N worker processes running."""

import logging
import signal
import subprocess
import sys
import time
from pathlib import Path

from engine.core.errors import EnvironmentFailure, UsageError
from engine.processes.lifecycle import environment_of_child, stop_signals
from engine.settings import Settings

STOP_SECONDS = 30.0
LOOK_SECONDS = 0.1
FIRST_PAUSE, LAST_PAUSE = 0.5, 10.0
STEADY_SECONDS = 30.0
"""After a worker that lived so long, the pause before the next start is the first one again."""

log = logging.getLogger("stockline")


def command_of(kafka: str, settings: Settings, tokens: Path | None, index: int) -> list[str]:
    """The command of the worker with this number, from 0 on; each listens on a port of its own."""
    port = settings.port + index if settings.port else 0
    command = [sys.executable, "-m", "engine", "worker", "--kafka", kafka, "--data", str(settings.data)]
    command += ["--host", settings.host, "--port", str(port)]
    files = {"tokens": tokens, "tls-certificate": settings.tls_certificate, "tls-key": settings.tls_key}
    command += [part for name, file in files.items() if file is not None for part in (f"--{name}", str(file))]
    return command + (["--insecure"] if settings.insecure else [])


class Supervisor:
    """Keeps a number of workers running; one that ends is started again, after a pause that grows."""

    def __init__(self, kafka: str, settings: Settings, workers: int, tokens: Path | None = None) -> None:
        """Prepare the commands of the workers, which take all else from the environment as this process does."""
        self._slots = [_Slot(command_of(kafka, settings, tokens, index)) for index in range(workers)]
        self._stopping = False

    def run(self) -> int:
        """Supervise until asked to stop, or until a worker ends with wrong usage; returns the exit code."""
        for number in stop_signals():
            signal.signal(number, self._stop)
        for slot in self._slots:
            slot.start()
        while not self._stopping:
            for slot in self._slots:
                if slot.check() == UsageError.exit_code:
                    self._end()
                    return UsageError.exit_code
            time.sleep(LOOK_SECONDS)
        return self._end()

    def _stop(self, *_: object) -> None:
        self._stopping = True

    def _end(self) -> int:
        for slot in self._slots:
            slot.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        return max((slot.wait(deadline) for slot in self._slots), default=0)


class _Slot:
    """One of the worker processes: the one that runs, or the pause before it is started again."""

    def __init__(self, command: list[str]) -> None:
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None
        self._started = 0.0
        self._pause = FIRST_PAUSE

    def start(self) -> None:
        # In a session of its own, so that an interrupt from the terminal reaches the supervisor only, which passes
        # it on.
        self._process = subprocess.Popen(self._command, env=environment_of_child(), start_new_session=True)
        self._started = time.monotonic()

    def check(self) -> int | None:
        """Start the worker again if it has ended; returns the exit code if that would not help."""
        if self._process is None:
            if time.monotonic() >= self._started + self._pause:
                self.start()
            return None
        code = self._process.poll()
        if code is None or code == UsageError.exit_code:
            return code
        lived = time.monotonic() - self._started
        self._pause = FIRST_PAUSE if lived > STEADY_SECONDS else min(2 * self._pause, LAST_PAUSE)
        log.warning("worker %d ended with %d; started again in %.1f s", self._process.pid, code, self._pause)
        self._process, self._started = None, time.monotonic()
        return None

    def terminate(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()

    def wait(self, deadline: float) -> int:
        """The exit code of an orderly end; the worker is killed if it has not ended at `deadline` (monotonic)."""
        if self._process is None:
            return 0
        try:
            code = max(0, self._process.wait(max(0.1, deadline - time.monotonic())))
            if code:
                log.warning("worker %d ended with %d while it stopped", self._process.pid, code)
            return code
        except subprocess.TimeoutExpired:
            log.warning("worker %d did not stop within %g s and was killed", self._process.pid, STOP_SECONDS)
            self._process.kill()
            self._process.wait()
            return EnvironmentFailure.exit_code
