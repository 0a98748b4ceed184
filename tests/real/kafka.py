"""A real Kafka for tests, benchmarks and `make kafka`: Apache Kafka 4 in KRaft mode, one node, on this machine only.

The jars come from Maven Central into `.cache`, once. A broker has a data directory and a port of its own and lives in a
process group of its own; it can be killed, stopped and started again on the same data.
"""

import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.real.alone import CACHE, alone

ROOT = Path(__file__).parents[2]
POM = Path(__file__).with_name("pom.xml")
VERSION = POM.read_text().split("<version>")[2].split("<")[0]
JARS = CACHE / f"kafka-{VERSION}"
# Chromium calls no server on port 10080.
PORTS, SHARES = range(10_081, 30_000), 16
READY_SECONDS = 180.0
STOP_SECONDS = 20.0

PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller_port}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={data}
auto.create.topics.enable=false
num.partitions=8
offsets.topic.num.partitions=4
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=200
group.min.session.timeout.ms=1000
log.cleaner.backoff.ms=500
log.segment.delete.delay.ms=1000
log.initial.task.delay.ms=500
log.retention.check.interval.ms=2000
"""


QUICK = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
"""For a Java that lives for minutes: what it would gain by compiling better it would not earn back."""
THOROUGH = ()
"""For a broker that is measured."""


class Missing(Exception):
    """A part that a broker needs is not on this machine; the message names it."""


def jars() -> Path:
    """The folder of Kafka's jars, fetched where they are not there yet; raises Missing."""
    if not shutil.which("java"):
        raise Missing("Kafka needs Java 17 (no `java` on the path)")
    if not _complete():
        with alone(JARS.name):
            if not _complete():
                _fetch()
    return JARS


def _complete() -> bool:
    complete = JARS / "complete"
    return complete.exists() and complete.read_text() == POM.read_text()


def _fetch() -> None:
    if not shutil.which("mvn"):
        raise Missing("Kafka's jars come through Maven (no `mvn` on the path)")
    with tempfile.TemporaryDirectory(dir=JARS.parent) as fresh:
        command = ["mvn", "-B", "-q", "-f", str(POM), "dependency:copy-dependencies", f"-DoutputDirectory={fresh}/libs"]
        done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        if done.returncode:
            raise Missing(f"Maven could not fetch Kafka's jars: {(done.stdout + done.stderr).strip()[-500:]}")
        (Path(fresh) / "libs" / "complete").write_text(POM.read_text())
        shutil.rmtree(JARS, ignore_errors=True)
        (Path(fresh) / "libs").replace(JARS)


_given: set[int] = set()
_formatted: dict[str, bytes] = {}
"""What an empty directory of a broker holds once it is formatted, by the names of the files."""
NAMED, CLUSTER_ID = "meta.properties", re.compile(rb"(?m)^cluster\.id=.*$")


def free_port() -> int:
    """A port that is free at the moment.

    It is none that the system gives to clients: seconds may pass until a broker listens on it, and in the meantime the
    tests of other processes connect to theirs. For the same reason no port is given twice, and each of the processes
    that share the tests has its own.
    """
    share = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % SHARES
    while True:
        port = secrets.choice(PORTS[share::SHARES])
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            if port not in _given:
                _given.add(port)
                return port


class Broker:
    """One broker; a context manager that ends it. `address` is HOST:PORT."""

    def __init__(
        self,
        data: Path,
        port: int | None = None,
        settings: dict[str, str] | None = None,
        compiler: Sequence[str] = QUICK,
    ) -> None:
        """Prepare a broker on the directory `data`, which is formatted where it is new."""
        self._compiler = compiler
        self.port = port or free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.data = data
        self._process: subprocess.Popen[bytes] | None = None
        self._classpath = f"{jars()}/*"
        data.mkdir(parents=True, exist_ok=True)
        self._config = data / "server.properties"
        if not self._config.exists():
            text = PROPERTIES.format(port=self.port, controller_port=free_port(), data=data / "logs")
            self._config.write_text(text + "".join(f"{name}={value}\n" for name, value in (settings or {}).items()))
            (data / "log4j2.properties").write_text(LOG4J)
            self._format()

    def _java(self, *arguments: str, heap: str = "256m", compiler: Sequence[str] = QUICK) -> list[str]:
        options = [f"-Xmx{heap}", *compiler]
        log4j = f"-Dlog4j2.configurationFile={self.data / 'log4j2.properties'}"
        return ["java", *options, log4j, "-cp", self._classpath, *arguments]

    def _format(self) -> None:
        """Format the directory: a Java for the first of a process, and a copy with an id of its own for the others."""
        name, logs = urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("="), self.data / "logs"
        if not _formatted:
            # One id in 64 begins with a dash, which would be taken for an option.
            command = self._java("kafka.tools.StorageTool", "format", f"--cluster-id={name}", "-c", str(self._config))
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode:
                raise Missing(f"Kafka's storage could not be formatted: {(done.stdout + done.stderr)[-1000:]}")
            _formatted.update({path.name: path.read_bytes() for path in logs.iterdir()})
            return
        logs.mkdir()
        for file, content in _formatted.items():
            of_this = CLUSTER_ID.sub(b"cluster.id=" + name.encode(), content) if file == NAMED else content
            (logs / file).write_bytes(of_this)

    def start(self) -> Self:
        """Start it and wait until it answers."""
        with (self.data / "kafka.log").open("ab") as log:
            self._process = subprocess.Popen(
                self._java("kafka.Kafka", str(self._config), heap="1g", compiler=self._compiler),
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise Missing(f"Kafka ended while it started: {self.last_words()}")
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return self
            time.sleep(0.05)
        raise Missing(f"Kafka was not ready within {READY_SECONDS:g} s: {self.last_words()}")

    def last_words(self) -> str:
        """The end of what it wrote."""
        return (self.data / "kafka.log").read_text(errors="replace")[-1500:]

    @property
    def pid(self) -> int:
        """The process of the running broker."""
        assert self._process is not None
        return self._process.pid

    def signal(self, number: signal.Signals) -> None:
        """Send the process a signal: SIGSTOP and SIGCONT freeze and thaw it."""
        os.kill(self.pid, number)

    def kill(self) -> None:
        """End it at once, as a power cut of the process."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def stop(self) -> None:
        """End it in good order."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGCONT)
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def cpu_seconds(self) -> float:
        """The processor time that the process has used."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill() if kind is not None else self.stop()


LOG4J = """\
status=error
appender.console.type=Console
appender.console.name=console
appender.console.layout.type=PatternLayout
appender.console.layout.pattern=%d %p %c: %m%n
rootLogger.level=warn
rootLogger.appenderRef.console.ref=console
"""


def main() -> int:
    """`make kafka`: a broker to play with, until interrupted."""
    data = CACHE / "kafka-data"
    port = int(os.environ.get("KAFKA_PORT", "9092"))
    try:
        with Broker(data, port, compiler=THOROUGH) as broker:
            print(f"Kafka {VERSION} answers on {broker.address}, data in {data}; Ctrl+C ends it", flush=True)
            signal.sigwait({signal.SIGINT, signal.SIGTERM})
    except Missing as error:
        print(f"kafka: {error}", file=sys.stderr)
        return 3
    return 0


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    sys.exit(main())
