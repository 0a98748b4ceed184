"""`stockline worker`: one worker, or a supervisor of several."""

import asyncio
import logging
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from engine import settings as settings_module
from engine.core.errors import EnvironmentFailure, UsageError
from engine.processes.lifecycle import environment_of_child, stop_signals

STOP_SECONDS = 30.0
FIRST_PAUSE, LAST_PAUSE = 0.5, 10.0
STEADY_SECONDS = 30.0
"""A worker that lived so long is started again at once."""

KafkaOption = Annotated[
    str | None,
    typer.Option("--kafka", metavar="HOST:PORT", help="Brokers, with commas between.", show_default="STOCKLINE_KAFKA"),
]
HostOption = Annotated[str | None, typer.Option(help="The address to listen on.", show_default="127.0.0.1")]
InsecureOption = Annotated[
    bool | None, typer.Option("--insecure", help="Listen beyond this machine, although nobody has to log in.")
]
log = logging.getLogger("stockline")


def worker(
    kafka: KafkaOption = None,
    workers: Annotated[int, typer.Option(min=1, help="How many processes.")] = 1,
    data: Annotated[
        Path | None, typer.Option(help="The directory of the rows, a cache.", show_default="stockline-data")
    ] = None,
    host: HostOption = None,
    port: Annotated[int, typer.Option(help="For metrics and health; each worker takes the next. 0: any.")] = 8090,
    insecure: InsecureOption = None,
) -> None:
    """Fold the events of a Kafka cluster until interrupted. What is not given comes from STOCKLINE_KAFKA and so on."""
    kafka_settings = settings_module.load_kafka(kafka=kafka)
    settings = settings_module.load(data=data, host=host, port=port, insecure=insecure)
    quiet()
    if workers > 1:
        raise typer.Exit(Supervisor(kafka_settings.kafka, settings, workers).run())
    # Everything that runs is imported here, so that the other commands start without it.
    from engine.processes import cluster

    def announce(url: str) -> None:
        typer.echo(f"stockline worker {os.getpid()} is in group {kafka_settings.group}; metrics at {url}/metrics")

    asyncio.run(cluster.work(settings, kafka_settings, announce))


def web(
    kafka: KafkaOption = None,
    data: Annotated[
        Path | None, typer.Option(help="The directory of the view, a cache.", show_default="stockline-data")
    ] = None,
    host: HostOption = None,
    port: Annotated[int | None, typer.Option(help="The port; 0 takes a free one.", show_default="8080")] = None,
    insecure: InsecureOption = None,
) -> None:
    """Serve HTTP and the live view over a Kafka cluster until interrupted; any number of copies may run."""
    kafka_settings = settings_module.load_kafka(kafka=kafka)
    settings = settings_module.load(data=data, host=host, port=port, insecure=insecure)
    quiet()
    from engine.processes import cluster

    def announce(url: str) -> None:
        typer.echo(f"stockline serves {url} from Kafka at {kafka_settings.kafka}")

    asyncio.run(cluster.serve(settings, kafka_settings, announce))


def quiet() -> None:
    """Our own log at INFO; the Kafka client repeats itself while a broker is away, and we say it once."""
    level = logging.getLogger().level
    for name in ("engine", "stockline"):
        logging.getLogger(name).setLevel(min(logging.INFO, level))
    if level > logging.DEBUG:
        for name in ("aiokafka", "asyncio"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
        logging.getLogger("engine.bus.kafka").setLevel(logging.WARNING)


class Supervisor:
    """Keeps a number of workers running; one that ends is started again, after a pause that grows."""

    def __init__(self, kafka: str, settings: settings_module.Settings, workers: int) -> None:
        self._kafka = kafka
        self._settings = settings
        self._slots = [_Slot(self._command(index)) for index in range(workers)]
        self._stopping = False

    def _command(self, index: int) -> list[str]:
        settings = self._settings
        port = settings.port + index if settings.port else 0
        command = [sys.executable, "-m", "engine", "worker", "--kafka", self._kafka, "--data", str(settings.data)]
        command += ["--host", settings.host, "--port", str(port)]
        return command + (["--insecure"] if settings.insecure else [])

    def run(self) -> int:
        """Supervise until asked to stop; the exit code."""
        for number in stop_signals():
            signal.signal(number, self._stop)
        for slot in self._slots:
            slot.start()
        while not self._stopping:
            for slot in self._slots:
                if (code := slot.look()) == UsageError.exit_code:
                    self._end()
                    return code
            time.sleep(0.1)
        return self._end()

    def _stop(self, *_: object) -> None:
        self._stopping = True

    def _end(self) -> int:
        for slot in self._slots:
            slot.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        return max((slot.wait(deadline) for slot in self._slots), default=0)


class _Slot:
    """One place for a worker."""

    def __init__(self, command: list[str]) -> None:
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None
        self._started = 0.0
        self._pause = FIRST_PAUSE

    def start(self) -> None:
        # A session of its own: an interrupt from the terminal is ours to pass on.
        self._process = subprocess.Popen(self._command, env=environment_of_child(), start_new_session=True)
        self._started = time.monotonic()

    def look(self) -> int | None:
        """The exit code of a worker that cannot be helped by starting it again."""
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
        """The exit code of an ordered end; killed where it does not come in time."""
        if self._process is None:
            return 0
        try:
            return max(0, self._process.wait(max(0.1, deadline - time.monotonic())))
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            return EnvironmentFailure.exit_code
