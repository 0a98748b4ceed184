"""The shipped command as a process, spoken to over HTTP: no engine code here."""

import json
import os
import re
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from http.client import HTTPConnection
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-m", "engine"]
READY = re.compile(rb"stockline serves https?://127\.0\.0\.1:(\d+) from")
START_SECONDS, STOP_SECONDS = 240.0, 240.0


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("STOCKLINE_")}


def stockline(*arguments: str, stdin: bytes = b"", **settings: str) -> subprocess.CompletedProcess[bytes]:
    """Run a command to its end; `settings` are variables of its environment."""
    return subprocess.run(
        [*COMMAND, *arguments], cwd=ROOT, env=environment() | settings, input=stdin, capture_output=True, timeout=600
    )


class Client:
    """What listens on `port` of this machine, spoken to over HTTP."""

    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def call(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        content_type: str = "application/json",
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=600)
        try:
            typed = {"Content-Type": content_type} if body is not None else {}
            connection.request(method, path, body, typed | dict(headers or {}))
            answer = connection.getresponse()
            # Of a header that comes twice, as `Set-Cookie` may, each value is a line.
            found: dict[str, str] = {}
            for name, value in answer.getheaders():
                found[name.lower()] = f"{found[name.lower()]}\n{value}" if name.lower() in found else value
            return Answer(answer.status, found, answer.read())
        finally:
            connection.close()

    def patiently(self, path: str, headers: Mapping[str, str] | None = None) -> Answer:
        """The answer to a GET, once the lists that a new process fills are whole."""
        deadline = time.monotonic() + START_SECONDS
        while True:
            answer = self.call("GET", path, headers=headers)
            is_loading = answer.status == 503 and answer.json["reason"] == "loading"
            if not is_loading or time.monotonic() > deadline:
                return answer
            time.sleep(0.1)

    def get(self, path: str) -> Any:
        answer = self.patiently(path)
        assert answer.status == 200, answer
        return answer.json

    def post(self, path: str, value: Any) -> Answer:
        return self.call("POST", path, json.dumps(value).encode())

    def send(self, *events: dict[str, Any]) -> Any:
        """Post events as lines; all of them must be taken."""
        body = b"\n".join(json.dumps(event).encode() for event in events)
        answer = self.call("POST", "/v1/events", body, "application/x-ndjson")
        assert answer.status == 202, answer
        assert (answer.json["accepted"], answer.json["refused"]) == (len(events), []), answer
        return answer.json

    def everything(self, path: str) -> list[Any]:
        """All pages of a list in order of name or time."""
        items: list[Any] = []
        cursor = ""
        while True:
            page = self.get(f"{path}{'&' if '?' in path else '?'}limit=1000{cursor}")
            items += page["items"]
            if page["next"] is None:
                assert page["total"] == len(items)
                return items
            cursor = f"&cursor={page['next']}"


class Stockline(Client):
    """`stockline run` or `web` on a data directory; killed at the end when it still runs."""

    def __init__(
        self, data: Path, *arguments: str, verb: str = "run", settings: Mapping[str, str] | None = None
    ) -> None:
        self.data = data
        self._errors = (data.parent / f"{data.name}.log").open("ab")
        self.process = subprocess.Popen(
            [*COMMAND, verb, "--data", str(data), "--port", "0", *arguments],
            cwd=ROOT,
            env=environment() | dict(settings or {}),
            stdout=subprocess.PIPE,
            stderr=self._errors,
        )
        try:
            self.port = self._announced_port()
        except BaseException:
            self.end()
            raise

    def _announced_port(self) -> int:
        assert self.process.stdout is not None
        with selectors.DefaultSelector() as ready:
            ready.register(self.process.stdout, selectors.EVENT_READ)
            assert ready.select(START_SECONDS), "it says nothing"
        line = self.process.stdout.readline()
        found = READY.match(line)
        assert found, f"{line!r}\n{self.errors()}"
        return int(found[1])

    def errors(self) -> str:
        self._errors.flush()
        return Path(self._errors.name).read_text()

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.end()

    def stop(self) -> int:
        """End it as an operator does; its exit code."""
        self.process.terminate()
        try:
            return self.process.wait(STOP_SECONDS)
        finally:
            self.end()

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()
        self._errors.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()


class Workers:
    """`stockline worker` on a cluster; killed at the end when it still runs."""

    def __init__(self, kafka: str, data: Path, count: int = 1, **settings: str) -> None:
        self._log = data.parent / f"{data.name}-workers.log"
        with self._log.open("ab") as log:
            # Workers that were here before have written into the same file.
            self._begin = log.tell()
            self.process = subprocess.Popen(
                [*COMMAND, "worker", "--kafka", kafka, "--workers", str(count), "--data", str(data), "--port", "0"],
                cwd=ROOT,
                env={**environment(), **settings},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def said(self) -> str:
        return self._log.read_bytes()[self._begin :].decode(errors="replace")

    def wait_owned(self, partitions: int = 8) -> None:
        """Wait until so many partitions have been owned."""
        deadline = time.monotonic() + START_SECONDS * 2
        while self.said().count("owned, from") < partitions:
            assert time.monotonic() < deadline, self.said()
            assert self.process.poll() is None, self.said()
            time.sleep(0.1)

    def wait(self) -> int:
        """The exit code of a process that ends by itself."""
        return self.process.wait(START_SECONDS * 2)

    def stop(self) -> int:
        self.process.terminate()
        return self.process.wait(STOP_SECONDS * 2)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


_moments = iter(range(10**9))


def event(kind: str, name: str, at: str = "", source: str = "test", /, **data: Any) -> dict[str, Any]:
    """An event; without `at` each happens a second after the one before, in March 2026."""
    second = next(_moments)
    time_ = at or time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(1_772_442_845 + second))
    return {"specversion": "1.0", "id": name, "source": source, "type": kind, "time": time_, "data": data}
