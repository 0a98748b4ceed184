"""What the HTTP layer asks of an engine: the embedded service has it, and so may a reader of public topics."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any, Protocol

from aiohttp import web

from engine.bus.single import Named, Output
from engine.core.payloads import ClockAcceptedData
from engine.core.topics import Topic
from engine.telemetry import Telemetry
from engine.web.bodies import Intake


class RejectedEvent(Protocol):
    """Why one item of a submission was refused; `index` counts the items from 0."""

    @property
    def index(self) -> int: ...  # noqa: D102
    @property
    def id(self) -> str | None: ...  # noqa: D102
    @property
    def reason(self) -> str: ...  # noqa: D102
    @property
    def detail(self) -> str: ...  # noqa: D102


class Submission(Protocol):
    """What became of a submission."""

    @property
    def accepted(self) -> int: ...  # noqa: D102
    @property
    def refused(self) -> Sequence[RejectedEvent]: ...  # noqa: D102
    @property
    def duplicates(self) -> int | None: ...  # noqa: D102


class Progress(Protocol):
    """How many events were accepted and how many of them are applied."""

    @property
    def accepted(self) -> int: ...  # noqa: D102
    @property
    def applied(self) -> int: ...  # noqa: D102


class Subscription(Protocol):
    """Outputs after their commit, in order; ends with an error for a reader that is too slow."""

    def batches(self) -> AsyncIterator[list[Output]]:
        """The outputs of one commit after the other; raises when the reader is too slow."""

    def close(self) -> None:
        """Listen no more."""


class Service(Protocol):
    """An engine that runs."""

    @property
    def bus(self) -> Named:
        """The rows and what was published."""

    async def submit(self, items: Sequence[bytes]) -> Submission:
        """Take events; answers once the accepted ones are durable. Raises Busy, EnvironmentFailure."""

    async def decide(self, item: bytes) -> Submission:
        """Take one event and say what became of it, which `submit` may not wait for; raises the same."""

    def subscribe(self, topics: frozenset[Topic]) -> Subscription:
        """Follow what is published from now on."""

    def progress(self) -> Progress:
        """How far the engine is."""

    async def wait(self, seconds: float) -> Progress:
        """Until all that was accepted before the call is applied, at most `seconds`."""

    def now(self) -> int:
        """The engine's time in microseconds: the wall clock's, or the log's."""

    def row_detail(self, sku: str, location: str, days: int) -> dict[str, Any] | None:
        """All about a row, JSON-ready, with a projection of `days` days; None for an unknown row."""

    def kpis(self) -> dict[str, Any]:
        """Business figures, JSON-ready."""

    def failure(self) -> BaseException | None:
        """What ended the engine, or None while it runs."""

    def trouble(self) -> str | None:
        """Why nothing is taken at present, None where events are taken."""

    async def accept_clock(self, by: str) -> ClockAcceptedData | None:
        """Take this machine's clock, which has jumped ahead, for right, and log it; None where it has not jumped."""


class Context:
    """What every handler has at hand."""

    def __init__(self, service: Service, intake: Intake, telemetry: Telemetry):
        self.service, self.intake, self.telemetry = service, intake, telemetry
        self.stopping = False
        self.streams: set[asyncio.Task[None]] = set()


CONTEXT = web.AppKey("context", Context)
LOCAL_ONLY = web.AppKey("local_only", bool)
OPENAPI = web.AppKey("openapi", bytes)


def service_of(request: web.Request) -> Service:
    """The engine behind a call."""
    return request.app[CONTEXT].service
