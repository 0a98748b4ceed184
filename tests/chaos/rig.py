"""The parts: a broker with a proxy in front of it for the workers, and the supervisor of the workers."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Self

from tests.chaos.proxy import Proxy
from tests.chaos.topics import lag
from tests.real.kafka import Broker, free_port

ROOT = Path(__file__).parents[2]
STOP_SECONDS = 120.0
POLL_SECONDS = 0.5


class Workers:
    """`stockline worker --workers N` with what it wrote."""

    def __init__(self, address: str, data: Path, count: int, settings: dict[str, str]) -> None:
        self.log = data.parent / f"{data.name}.log"
        environment = {name: value for name, value in os.environ.items() if not name.startswith("STOCKLINE_")}
        with self.log.open("ab") as written:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "engine", "worker", "--kafka", address, "--workers", str(count),
                 "--data", str(data), "--port", "0"],
                cwd=ROOT, env={**environment, **settings}, stdout=written, stderr=written, start_new_session=True,
            )  # fmt: skip

    def pids(self) -> list[int]:
        """The worker processes that live now."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        with suppress(OSError):
            return [int(pid) for pid in children.read_text().split()]
        return []

    def stop(self) -> int:
        """End all in good order; the exit code."""
        for pid in self.pids():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
        self.process.terminate()
        try:
            return self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            return -9

    def kill(self) -> None:
        """End all at once."""
        pids = self.pids()
        self.process.kill()
        self.process.wait()
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


class Rig:
    """Broker, proxy and workers. `direct` is for load and readers, workers go through the proxy."""

    def __init__(self, place: Path, workers: int, session_ms: int = 3_000) -> None:
        self.place = place
        self.count = workers
        proxied, listening = free_port(), free_port()
        port, controller = free_port(), free_port()
        settings = {
            "listeners": f"PLAINTEXT://127.0.0.1:{port},PROXIED://127.0.0.1:{proxied},CONTROLLER://127.0.0.1:{controller}",
            "controller.quorum.voters": f"1@127.0.0.1:{controller}",
            "advertised.listeners": f"PLAINTEXT://127.0.0.1:{port},PROXIED://127.0.0.1:{listening}",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,PROXIED:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "inter.broker.listener.name": "PLAINTEXT",
        }
        self.broker = Broker(place / "kafka", port, settings)
        self.direct = self.broker.address
        self.through = f"127.0.0.1:{listening}"
        self.proxy = Proxy(listening, proxied)
        self.data = place / "rows"
        self.settings = {
            "STOCKLINE_SESSION_TIMEOUT_MS": str(session_ms),
            "STOCKLINE_REQUEST_TIMEOUT_MS": "5000",
            "STOCKLINE_TRANSACTION_TIMEOUT_MS": "10000",
            "STOCKLINE_COMMIT_RECORDS": "200",
        }
        self.workers: Workers | None = None

    async def __aenter__(self) -> Self:
        await asyncio.to_thread(self.broker.start)
        await self.proxy.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self.workers is not None:
            self.workers.kill()
        await self.proxy.stop()
        self.broker.kill()

    def start_workers(self, **settings: str) -> Workers:
        """Start the supervisor of the workers."""
        self.workers = Workers(self.through, self.data, self.count, {**self.settings, **settings})
        return self.workers

    async def stop_workers(self) -> int:
        """Stop it in good order."""
        assert self.workers is not None
        workers, self.workers = self.workers, None
        return await asyncio.to_thread(workers.stop)

    async def drained(self, seconds: float) -> int:
        """Wait until all of the log is folded; how many records it holds. Raises TimeoutError."""
        deadline = time.monotonic() + seconds
        folded, end = 0, -1
        while time.monotonic() < deadline:
            with suppress(Exception):
                folded, end = await lag(self.direct)
                if folded >= end > 0:
                    return end
            await asyncio.sleep(POLL_SECONDS)
        raise TimeoutError(f"after {seconds:g} s {folded} of {end} records are folded\n{self.last_words()}")

    async def progressed(self, records: int, seconds: float) -> None:
        """Wait until that many more records are folded. Raises TimeoutError."""
        before: int | None = None
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            with suppress(Exception):
                folded, _ = await lag(self.direct)
                before = folded if before is None else before
                if folded >= before + records:
                    return
            await asyncio.sleep(POLL_SECONDS)
        raise TimeoutError(f"no progress within {seconds:g} s\n{self.last_words()}")

    def last_words(self) -> str:
        """The end of what the workers wrote."""
        log = self.place / "rows.log"
        return log.read_text(errors="replace")[-4000:] if log.exists() else ""
