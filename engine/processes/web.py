"""The composition root of `stockline web`: HTTP and the live view over a Kafka cluster, which workers fold."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, closing
from functools import partial

from engine.bus.kafka.topics import ensure_topics
from engine.bus.kafka.web.appender import Appender
from engine.bus.kafka.web.earlier import EarlierOnKafka
from engine.bus.kafka.web.follower import Follower
from engine.bus.kafka.web.forgetting import Forgetting
from engine.bus.kafka.web.log_progress import LogProgress
from engine.bus.kafka.web.log_reader import LogReader
from engine.bus.kafka.web.view import KafkaView
from engine.columns.columns import Columns
from engine.kafka.connection import Connection
from engine.processes.admission import admission_of, is_local_only
from engine.processes.columns import filled
from engine.processes.lifecycle import Announce, raise_failure, stopped_or_failed
from engine.processes.logouts import shared_logouts
from engine.processes.signs import known_to_others
from engine.runtime.business_metrics import business_metrics
from engine.runtime.cluster.service import Following, ReaderService
from engine.runtime.kpis import outcomes_of
from engine.runtime.marker import read_marker
from engine.runtime.subscriptions import Broadcaster
from engine.settings import AccessSettings, KafkaSettings, Settings
from engine.telemetry import Figures, Telemetry
from engine.web import server
from engine.web.bodies import Intake, Limits
from engine.web.ports import Context
from engine.web.processes import Doing, Itself
from engine.web.tls import certificate_of


async def run(
    settings: Settings, access: AccessSettings, kafka: KafkaSettings, announce: Announce, stop: asyncio.Event
) -> None:
    """Serve HTTP and the live view until `stop` is set; raises the error that ended the read model otherwise.

    Args:
        settings: the settings of the process.
        access: who may call it.
        kafka: how to reach the brokers.
        announce: called with the URL once the process serves.
        stop: set when the process is asked to stop.
    """
    admission, certificate = admission_of(settings, access), certificate_of(settings)
    async with AsyncExitStack() as ends:
        bound = ends.enter_context(closing(server.bind(settings.host, settings.port)))
        connection = Connection(kafka)
        service, view = await ends.enter_async_context(_reading(settings, connection))
        await ends.enter_async_context(shared_logouts(admission, access, connection))
        columns = ends.enter_context(filled(view, settings.rules("wall"), service.progress, service.now))
        context = _context(settings, service, columns)
        context.configure(settings, kafka)
        itself = Itself("web", bound.getsockname()[1], partial(_doing, service), settings, kafka)
        await ends.enter_async_context(known_to_others(connection, itself, context.processes))
        view.observers += context.observers
        app = server.application(context, is_local_only(settings), admission)
        announce(await ends.enter_async_context(server.serving(app, bound, certificate)))
        failure = await stopped_or_failed(service, stop)
    raise_failure(failure)


@asynccontextmanager
async def _reading(settings: Settings, connection: Connection) -> AsyncIterator[tuple[ReaderService, KafkaView]]:
    """The service over a read model that follows what the workers publish, and that read model."""
    topics = await ensure_topics(connection)
    async with AsyncExitStack() as ends:
        log_reader = LogReader(connection)
        ends.push_async_callback(log_reader.close)
        view = KafkaView(settings.data / "view", topics, settings.memory_mib // 2, log_reader.read)
        ends.callback(view.close)
        appender, progress = Appender(connection, topics.partitions), LogProgress(connection, topics.partitions)
        ends.push_async_callback(appender.close)
        ends.push_async_callback(progress.close)
        broadcaster = Broadcaster(view.point(), EarlierOnKafka(connection))
        forgetting = Forgetting(view, topics.kept_ms, lambda marker: read_marker(marker).now)
        follower = Follower(connection, view, broadcaster.publish, forgetting)
        following = Following(follower.caught_up, broadcaster, follower.unread)
        service = ReaderService(view, appender, progress, following, settings.rules("wall"))
        ends.push_async_callback(follower.stop)
        ends.push_async_callback(service.stop)
        await follower.start()
        service.start(lambda: follower.failure)
        yield service, view


def _context(settings: Settings, service: ReaderService, columns: Columns) -> Context:
    telemetry = Telemetry(partial(_figures, settings, service))
    return Context(service, columns, Intake(Limits(settings.body_limit)), telemetry)


def _doing(service: ReaderService) -> Doing:
    return Doing((), service.progress().lag)


def _figures(settings: Settings, service: ReaderService) -> Figures:
    """The workers' counts as far as the read model has followed them, for the metrics."""
    counters = service.counters()
    return Figures(
        lag=service.progress().lag,
        rows=service.bus.published.count("positions"),
        outcomes=outcomes_of(counters),
        counters=counters,
        business=business_metrics(service.bus),
        data=settings.data,
    )
