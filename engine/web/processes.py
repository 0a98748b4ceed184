"""What the processes of a cluster tell of themselves: kept in memory, shown at `/v1/settings`."""

import logging
import os
import secrets
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, NamedTuple

import msgspec
from msgspec import Meta, Struct

from engine import __version__
from engine.settings import KafkaSettings, Settings, shown
from engine.web.connectors import Moment

Role = Literal["run", "worker", "web"]

GONE_AFTER = 3
"""So many intervals without a sign of life make a process gone."""
FORGOTTEN_SECONDS = 3600.0
MAX_PROCESSES = 1000

log = logging.getLogger(__name__)


class Doing(NamedTuple):
    """What a process is at: the partitions that it folds, and how many events it has still to fold or to read."""

    partitions: Sequence[int]
    lag: int


class Process(Struct, kw_only=True):
    """A process as it tells of itself every `every_seconds`, null where nobody else is told; no secret is in it.

    `host` is the machine or container, `port` the one on which it answers.
    """

    id: str
    role: Role
    host: str
    port: int
    pid: int
    version: str
    started: Moment
    every_seconds: Annotated[float, Meta(ge=0)] | None
    partitions: list[int]
    lag: int
    # msgspec describes no values of any kind but Any.
    settings: Mapping[str, Any]


class ListedProcess(Process, kw_only=True):
    """A process as it last told of itself; `gone` is one whose signs of life have ceased."""

    status: Literal["running", "gone"]
    last_sign: Moment


class Itself:
    """The process that runs here, which tells of itself."""

    def __init__(
        self, role: Role, port: int, doing: Callable[[], Doing], settings: Settings, kafka: KafkaSettings | None = None
    ) -> None:
        """A process that begins now.

        Args:
            role: its command.
            port: where it answers.
            doing: says what it is at.
            settings: of the process.
            kafka: how it reaches the brokers; it tells others of itself as often as the group expects of a worker.
        """
        self._doing = doing
        self.settings = shown(settings) if kafka is None else shown(settings, kafka)
        """What it runs with, without secrets, JSON-ready."""
        self._told = Process(
            id=secrets.token_hex(8),
            role=role,
            host=socket.gethostname(),
            port=port,
            pid=os.getpid(),
            version=__version__,
            started=datetime.now(UTC),
            every_seconds=None if kafka is None else kafka.session_timeout_ms / 1000,
            partitions=[],
            lag=0,
            settings=self.settings,
        )

    @property
    def id(self) -> str:
        """What no other process is called."""
        return self._told.id

    def told(self) -> Process:
        """What it tells now."""
        doing = self._doing()
        return msgspec.structs.replace(self._told, partitions=list(doing.partitions), lag=doing.lag)

    def encoded(self) -> bytes:
        """The same as JSON, as it is told to others."""
        return msgspec.json.encode(self.told())


class ProcessBoard:
    """The process that runs here, and the last sign of life of each other one of its cluster.

    A process that has been gone for an hour is forgotten, and beyond `MAX_PROCESSES` the one that has been quiet
    longest. The time is that of the broker which stamps the signs, so that the clocks of machines may differ.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.itself: Itself | None = None
        self._clock = clock
        self._ahead = 0.0
        self._signs: dict[str, tuple[float, Process]] = {}

    def hear(self, name: str, told: bytes | None, at: float) -> None:
        """Keep what a process told at a Unix time of the broker; None is its orderly end."""
        self._ahead = at - self._clock()
        self._signs.pop(name, None)
        if told is None:
            return
        try:
            self._signs[name] = at, msgspec.json.decode(told, type=Process)
        except msgspec.DecodeError as error:
            log.debug("the sign of life of %s is none of Stockline and is passed over: %s", name, error)
        if len(self._signs) > MAX_PROCESSES:
            del self._signs[next(iter(self._signs))]

    def all(self) -> list[ListedProcess]:
        """The process that runs here first, then those that run, by role and host, then those that are gone."""
        itself = self.itself
        others = [self._listed(*sign) for name, sign in self._latest() if itself is None or name != itself.id]
        others.sort(key=lambda each: (each.status == "gone", each.role, each.host, each.port, each.started))
        if itself is None:
            return others
        return [_listed(itself.told(), "running", datetime.now(UTC)), *others]

    def _latest(self) -> list[tuple[str, tuple[float, Process]]]:
        least = self._now() - FORGOTTEN_SECONDS
        self._signs = {name: sign for name, sign in self._signs.items() if sign[0] >= least}
        return list(self._signs.items())

    def _listed(self, at: float, told: Process) -> ListedProcess:
        is_quiet = self._now() - at > GONE_AFTER * (told.every_seconds or 0)
        return _listed(told, "gone" if is_quiet else "running", datetime.fromtimestamp(at, UTC))

    def _now(self) -> float:
        """The broker's clock, from its latest stamp and the time since."""
        return self._clock() + self._ahead


def _listed(told: Process, status: Literal["running", "gone"], last_sign: datetime) -> ListedProcess:
    return ListedProcess(**msgspec.structs.asdict(told), status=status, last_sign=last_sign)
