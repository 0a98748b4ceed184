"""The engine as one caller may use it: every method asks the rules first, and what has no rule is not here.

All entrances are handlers that ask `service_of`: lists, single things, the stream, sockets, the calls of the page and
of the command line. So a rule holds for each of them, also for one that is added later.
"""

from collections.abc import Iterator, Mapping, Sequence

from aiohttp import web
from msgspec import Raw

from engine.access import sending
from engine.access.principal import Principal
from engine.access.rules import (
    EVERYBODY,
    OPERATORS,
    PLANNERS,
    READERS,
    SENDERS,
    SUPPLIERS,
    TABLES,
    require,
    require_table,
)
from engine.bus.single import Named, ReadModel, Record, StateReader
from engine.columns.aggregates import Aggregation
from engine.columns.columns import Freshness, Groups, Page
from engine.columns.kinds import Value
from engine.columns.query import Condition, Position, Query
from engine.core.decisions import Decision, Index
from engine.core.payloads import ClockAcceptedData, PolicySetData
from engine.core.topics import Topic
from engine.runtime.balances import PastBalances
from engine.runtime.submission import Progress, Submission
from engine.runtime.supplied import SupplierReader
from engine.trace.documents import DocumentIndex
from engine.web.connectors import ConnectorBoard, ConnectorHealth, ConnectorReport
from engine.web.ports import CONTEXT, Context, Lists, Service, Subscription, principal_of
from engine.work.things import OpenThings

SUPPLIED = frozenset({"order-lines", "positions"})
"""The lists in which a supplier finds the names of its own lines, and of the rows whose forecast is shared with it."""


class GuardedService:
    """A service, as far as its caller may use it; every method raises NotLoggedIn or Forbidden for the rest."""

    def __init__(self, service: Service, principal: Principal) -> None:
        self._service, self._principal = service, principal

    @property
    def bus(self) -> Named:
        """The rows, the read model and the id of the log."""
        return _GuardedBus(self._service.bus, self._principal)

    async def submit(self, items: Sequence[bytes]) -> Submission:
        """Submit events, if all of them are the caller's to send."""
        sending.require_sources(self._principal, items)
        return await self._service.submit(items)

    async def decide(self, item: bytes) -> Submission:
        """Submit one answer in the caller's own name, or what an operator takes again."""
        sending.require_decision(self._principal, item)
        return await self._service.decide(item)

    async def subscribe(
        self, topics: frozenset[Topic], since: str | None = None, conflate: bool = False
    ) -> Subscription:
        """Receive what is published on these topics, if the caller may read all of them."""
        for topic in topics:
            require_table(self._principal, topic)
        return await self._service.subscribe(topics, since, conflate)

    def progress(self) -> Progress:
        """How many events the log holds, and how many of them are applied."""
        require(self._principal, READERS | SENDERS, "the engine's progress")
        return self._service.progress()

    def offsets(self) -> Sequence[Progress]:
        """How far the log and the rows of each partition are."""
        require(self._principal, OPERATORS, "the flow of the log")
        return self._service.offsets()

    def unread(self) -> Mapping[str, Sequence[int]]:
        """By topic what this process has not read yet of each partition."""
        require(self._principal, OPERATORS, "the flow of the topics")
        return self._service.unread()

    async def wait(self, seconds: float) -> Progress:
        """Wait, at most `seconds`, until all that was accepted before the call is applied."""
        require(self._principal, EVERYBODY, "the engine's progress")
        return await self._service.wait(seconds)

    def now(self) -> int:
        """The engine's clock in microseconds."""
        return self._service.now()

    def row_detail(self, sku: str, location: str, days: int) -> dict[str, object] | None:
        """All about one row."""
        require(self._principal, READERS, "a row")
        return self._service.row_detail(sku, location, days)

    def balances_as_of(self, sku: str, location: str, at: int) -> PastBalances | None:
        """What a row held as of a moment."""
        require(self._principal, READERS, "a row")
        return self._service.balances_as_of(sku, location, at)

    def try_out(self, items: Sequence[bytes]) -> Submission:
        """What submitting these events would answer, for an operator, who may take them again."""
        require(self._principal, OPERATORS, "trying events out")
        return self._service.try_out(items)

    def policy_effect(self, policy: PolicySetData) -> dict[str, object] | None:
        """What a policy would make of its row."""
        require(self._principal, PLANNERS, "trying a policy out")
        return self._service.policy_effect(policy)

    def supplied(self) -> SupplierReader:
        """Reads what suppliers may know; a supplier, of its own lines and rows only."""
        require(self._principal, SUPPLIERS, "a supplier's lines")
        return self._service.supplied().limited_to(self._principal.supplier)

    def kpis(self, days: int | None = None) -> dict[str, object]:
        """Business figures."""
        require(self._principal, READERS, "the business figures")
        return self._service.kpis(days)

    async def accept_clock(self, by: str) -> ClockAcceptedData | None:
        """Accept that the clock has jumped and is right, in the caller's own name."""
        require(self._principal, OPERATORS, "accepting the clock")
        sending.require_name(self._principal, by)
        return await self._service.accept_clock(by)

    def trouble(self) -> str | None:
        """Why events are not taken at present, which a probe asks without a login."""
        return self._service.trouble()

    def failure(self) -> BaseException | None:
        """The error that ended the engine, which a probe asks without a login."""
        return self._service.failure()


class _GuardedBus:
    def __init__(self, bus: Named, principal: Principal) -> None:
        self._bus, self._principal = bus, principal
        self.partitions = bus.partitions

    @property
    def log_id(self) -> str:
        require(self._principal, READERS | SENDERS, "the id of the log")
        return self._bus.log_id

    @property
    def state(self) -> StateReader:
        require(self._principal, READERS, "the rows")
        return self._bus.state

    @property
    def published(self) -> ReadModel:
        return _GuardedReadModel(self._bus.published, self._principal)

    def marker(self, partition: int) -> bytes | None:
        require(self._principal, READERS, "the state of a partition")
        return self._bus.marker(partition)


class _GuardedReadModel:
    def __init__(self, published: ReadModel, principal: Principal) -> None:
        self._published, self._principal = published, principal

    def latest(self, topic: Topic, name: str) -> bytes | None:
        require_table(self._principal, topic)
        return self._published.latest(topic, name)

    def things(self, topic: Topic, after: str = "") -> Iterator[tuple[str, bytes]]:
        require_table(self._principal, topic)
        return self._published.things(topic, after)

    def count(self, topic: Topic) -> int:
        require_table(self._principal, topic)
        return self._published.count(topic)

    def history(self, topic: Topic, partition: int, since: int = 0) -> Iterator[bytes]:
        require_table(self._principal, topic)
        return self._published.history(topic, partition, since)

    def sequence(self, topic: Topic, partition: int) -> int:
        require_table(self._principal, topic)
        return self._published.sequence(topic, partition)

    def first(self, topic: Topic, partition: int) -> int:
        require_table(self._principal, topic)
        return self._published.first(topic, partition)

    def row_events(self, key: str, before: int | None, limit: int) -> list[Record]:
        require_table(self._principal, "positions")
        return self._published.row_events(key, before, limit)

    def revisions(self, topic: Topic, name: str, until: int) -> Iterator[bytes]:
        require_table(self._principal, topic)
        return self._published.revisions(topic, name, until)

    def decisions(self, index: Index, name: str, before: str | None = None) -> Iterator[Decision]:
        require(self._principal, READERS, "the list of decisions")
        return self._published.decisions(index, name, before)


class GuardedBoard:
    """What connectors report, as far as the caller may: an adapter sees and writes that of its own source only."""

    def __init__(self, board: ConnectorBoard, principal: Principal) -> None:
        self._board, self._principal = board, principal

    def put(self, report: ConnectorReport) -> None:
        """Keep a report; an adapter neither reports for another source nor takes the name of its connector."""
        require(self._principal, SENDERS, "a report of a connector")
        there = self._board.get(report.name)
        for source in (report.source, *([there.source] if there is not None else [])):
            sending.require_own_report(self._principal, report.name, source)
        self._board.put(report)

    def get(self, name: str) -> ConnectorHealth | None:
        """How a connector is; None where it has not reported, and for an adapter where it is another's."""
        require(self._principal, READERS | SENDERS, "a connector")
        found = self._board.get(name)
        foreign = found is not None and not self._principal.roles & READERS and found.source != self._principal.source
        return None if foreign else found

    def all(self) -> list[ConnectorHealth]:
        """How all connectors are, by name."""
        require(self._principal, READERS, "the list of connectors")
        return self._board.all()


class _GuardedLists:
    """The lists, as far as the caller may read them; a supplier gets names of its own things only, and no content."""

    def __init__(self, lists: Lists, principal: Principal) -> None:
        self._lists, self._principal = lists, principal

    def page(self, query: Query, offset: int, limit: int, *, after: Position | None = None, age: float = 0.0) -> Page:
        supplier = self._principal.supplier
        if supplier is None:
            require_table(self._principal, query.table)
            return self._lists.page(query, offset, limit, after=after, age=age)
        if query.table not in SUPPLIED or Condition("supplier", "is", (supplier,)) not in query.conditions:
            require_table(self._principal, query.table)
        return self._lists.page(query, offset, limit, after=after, age=age)._replace(items=[])

    def rows(self, table: str, names: Sequence[str]) -> dict[str, Raw]:
        require_table(self._principal, table)
        return self._lists.rows(table, names)

    def version(self, table: str) -> int:
        require_table(self._principal, table)
        return self._lists.version(table)

    def freshness(self) -> Freshness:
        require(self._principal, EVERYBODY, "how fresh the lists are")
        return self._lists.freshness()

    def aggregate(self, asked: Aggregation, limit: int) -> Groups:
        require_table(self._principal, asked.query.table)
        return self._lists.aggregate(asked, limit)

    def export(
        self, query: Query, fields: Sequence[str], offset: int = 0, limit: int | None = None
    ) -> Iterator[list[tuple[Value, ...]]]:
        require_table(self._principal, query.table)
        return self._lists.export(query, fields, offset, limit)


class CallersGuard:
    """Binds the engine and its lists to the caller of one call."""

    def service(self, context: Context, principal: Principal) -> Service:
        """The engine as this caller may use it."""
        return GuardedService(context.service, principal)

    def lists(self, context: Context, principal: Principal) -> Lists:
        """The lists that this caller may read."""
        return _GuardedLists(context.lists, principal)


def connectors_of(request: web.Request) -> GuardedBoard:
    """What connectors report, as the caller may see and write it."""
    return GuardedBoard(request.app[CONTEXT].connectors, principal_of(request))


def open_things_of(request: web.Request) -> OpenThings:
    """The open signals and alerts, for who may read them."""
    require(principal_of(request), TABLES["signals"] & TABLES["alerts"], "what is open")
    return request.app[CONTEXT].open_things


def documents_of(request: web.Request) -> DocumentIndex:
    """At which rows an order, a shipment or a receipt is known, for who may read rows."""
    require(principal_of(request), TABLES["positions"], "where a document is known")
    return request.app[CONTEXT].documents
