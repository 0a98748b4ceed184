"""The protocols that the HTTP layer asks of an engine, and what every handler has at hand.

The two services of the runtime, on one machine and over a cluster, have the methods of `Service`, the worker of a
cluster has those of `Worker`; the type checker compares them where `engine.processes` hands them over.
"""

import asyncio
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from typing import Protocol

from aiohttp import web
from msgspec import Raw

from engine.access.principal import NOBODY, Login, Principal
from engine.bus.single import Named, Observer
from engine.columns.aggregates import Aggregation
from engine.columns.columns import Freshness, Groups, Page
from engine.columns.kinds import Value
from engine.columns.query import Position, Query
from engine.core.payloads import ClockAcceptedData, PolicySetData
from engine.core.topics import Topic
from engine.runtime.balances import PastBalances
from engine.runtime.submission import Progress, Submission
from engine.runtime.supplied import SupplierReader
from engine.runtime.waiting import Batch
from engine.settings import KafkaSettings, Settings, shown
from engine.telemetry import Telemetry
from engine.trace.documents import DocumentIndex
from engine.web.bodies import Intake
from engine.web.connectors import ConnectorBoard
from engine.web.flow import FlowMeter
from engine.web.processes import ProcessBoard
from engine.web.sharing import Sharing, read_sharing
from engine.web.turns import Turns
from engine.work.things import OpenThings


class Subscription(Protocol):
    """Outputs after their commit, in the order of the commits of each partition."""

    def batches(self) -> AsyncGenerator[Batch, None]:
        """The outputs of one commit after the other; raises Lagging once the reader is too slow."""

    def close(self) -> None:
        """End the subscription; it receives nothing more."""


class Clocked(Protocol):
    """A process whose clock may jump ahead, which stops it from taking events."""

    def trouble(self) -> str | None:
        """Why events are not taken, or not folded, at present; None while they are."""

    async def accept_clock(self, by: str) -> ClockAcceptedData | None:
        """Accept that the clock has jumped and is right, as `by` says, and log that; None if it has not jumped."""


class Service(Clocked, Protocol):
    """A running engine."""

    @property
    def bus(self) -> Named:
        """The rows, the read model and the id of the log."""

    async def submit(self, items: Sequence[bytes]) -> Submission:
        """Submit events; returns when the accepted ones are durable. Raises Busy, ClockAhead, EnvironmentFailure."""

    async def decide(self, item: bytes) -> Submission:
        """Submit one event and wait for the rules to decide about it, which `submit` may not; raises the same."""

    async def subscribe(
        self, topics: frozenset[Topic], since: str | None = None, conflate: bool = False
    ) -> Subscription:
        """Receive what is published on these topics from now on, or from the point `since` on.

        With `conflate` only the latest of each thing waits for a reader that is behind. Raises StreamGone where what
        follows the point is not kept any more, Busy where this process has not come as far.
        """

    def progress(self) -> Progress:
        """How many events the log holds, and how many of them are applied."""

    def offsets(self) -> Sequence[Progress]:
        """How far the log and the rows of each partition are."""

    def unread(self) -> Mapping[str, Sequence[int]]:
        """By topic what this process has not read yet of each partition; no topic where it follows none."""

    async def wait(self, seconds: float) -> Progress:
        """Wait, at most `seconds`, until all that was accepted before the call is applied."""

    def now(self) -> int:
        """The engine's clock in microseconds: wall time, or the latest event time seen."""

    def row_detail(self, sku: str, location: str, days: int) -> dict[str, object] | None:
        """All about one row, JSON-ready, with a projection of `days` days; None if there is no such row."""

    def balances_as_of(self, sku: str, location: str, at: int) -> PastBalances | None:
        """What a row held as of an instant; None where nothing had stated it by then. Raises HistoryGone, Busy."""

    def policy_effect(self, policy: PolicySetData) -> dict[str, object] | None:
        """What a policy would make of its row, JSON-ready, folded nowhere; None if there is no such row."""

    def try_out(self, items: Sequence[bytes]) -> Submission:
        """What submitting these events now would answer; nothing is written."""

    def supplied(self) -> SupplierReader:
        """Reads what suppliers may know; it is for one call."""

    def kpis(self, days: int | None = None) -> dict[str, object]:
        """Business figures, JSON-ready, of the last `days` days or of the whole log."""

    def failure(self) -> BaseException | None:
        """The error that ended the engine; None while it runs."""


class Worker(Clocked, Protocol):
    """A worker of a cluster, which answers only for its process."""

    @property
    def ready(self) -> bool:
        """Whether it owns its partitions, and their rows are restored."""


class Lists(Protocol):
    """The read model in columns. Its calls take tens of milliseconds, so they belong into a worker thread.

    Each raises NotLoaded as long as the columns are being filled.
    """

    def page(self, query: Query, offset: int, limit: int, *, after: Position | None = None, age: float = 0.0) -> Page:
        """A page of a list; an order that is `age` seconds old may serve."""

    def rows(self, table: str, names: Sequence[str]) -> dict[str, Raw]:
        """The latest JSON of things by name; what is not listed is left out."""

    def version(self, table: str) -> int:
        """A number that grows with every change of a table."""

    def freshness(self) -> Freshness:
        """How fresh answers are; it does not wait, and raises nothing."""

    def aggregate(self, asked: Aggregation, limit: int) -> Groups:
        """The first groups of an aggregation."""

    def export(
        self, query: Query, fields: Sequence[str], offset: int = 0, limit: int | None = None
    ) -> Iterator[list[tuple[Value, ...]]]:
        """The values of some fields of a list, of its whole where no limit is given, in portions."""


class Context:
    """What every handler has at hand.

    Attributes:
        service: the engine.
        lists: the read model in columns.
        intake: reads the bodies of requests.
        telemetry: counts and logs what happens.
        open_things: the open signals and alerts.
        documents: at which rows an order, a shipment or a receipt is known.
        connectors: what connectors report of themselves.
        flow: how fast the log grows and is folded, and what is published.
        settings: what the process runs with, without secrets, JSON-ready.
        processes: this process and the others of its cluster.
        sharing: which forecasts are shared with which supplier.
        answering: lets one answer to a signal or an alert go after the other.
        stopping: whether the server is shutting down.
        streams: the tasks that fill open streams; they are cancelled at shutdown.
    """

    def __init__(self, service: Service, lists: Lists, intake: Intake, telemetry: Telemetry):
        self.service, self.lists, self.intake, self.telemetry = service, lists, intake, telemetry
        self.open_things, self.documents = OpenThings(service.bus), DocumentIndex(service.bus)
        self.connectors = ConnectorBoard()
        telemetry.follow_connectors(self.connectors.figures)
        self.flow = FlowMeter(service.bus.partitions)
        self.settings: Mapping[str, object] = {}
        self.processes = ProcessBoard()
        self.sharing = Sharing()
        self.answering = Turns()
        self.stopping = False
        self.streams: set[asyncio.Task[None]] = set()

    def configure(self, settings: Settings, kafka: KafkaSettings | None = None) -> None:
        """Take over what the process runs with; raises UsageError where a file that it names cannot be taken."""
        self.sharing = read_sharing(settings.supplier_sharing)
        self.settings = shown(settings) if kafka is None else shown(settings, kafka)

    @property
    def observers(self) -> tuple[Observer, ...]:
        """What the bus is to tell of every commit."""
        return self.open_things, self.documents, self.flow.published


class Guard(Protocol):
    """Binds what handlers have at hand to one caller, who may not do and see all of it."""

    def service(self, context: Context, principal: Principal) -> Service:
        """The engine as this caller may use it."""

    def lists(self, context: Context, principal: Principal) -> Lists:
        """The lists that this caller may read."""


CONTEXT = web.AppKey("context", Context)
LOCAL_ONLY = web.AppKey("local_only", bool)
OPENAPI = web.AppKey("openapi", bytes)
INSECURE = web.AppKey("insecure", bool)
PUBLIC_URL = web.AppKey[str | None]("public_url")
GUARD = web.AppKey[Guard]("guard")
LOGIN = web.RequestKey("login", Login)


def service_of(request: web.Request) -> Service:
    """The engine behind a call, guarded: it does and shows what the caller may do and see, and refuses the rest."""
    return request.app[GUARD].service(request.app[CONTEXT], principal_of(request))


def lists_of(request: web.Request) -> Lists:
    """The lists behind a call, guarded in the same way."""
    return request.app[GUARD].lists(request.app[CONTEXT], principal_of(request))


def login_of(request: web.Request) -> Login | None:
    """The proof of who calls; None where the call is open to anyone and nobody is logged in."""
    return request.get(LOGIN)


def principal_of(request: web.Request) -> Principal:
    """Who calls."""
    login = login_of(request)
    return NOBODY if login is None else login.principal
