"""The composition root of `stockline run`: the engine on its embedded log, HTTP and the live view in one process."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, closing
from functools import partial
from typing import NamedTuple

from engine.bus.disk.bus import EmbeddedBus
from engine.core.values import SECOND
from engine.processes.admission import admission_of, is_local_only
from engine.processes.columns import filled
from engine.processes.lifecycle import Announce, raise_failure, stopped_or_failed
from engine.processes.logouts import kept_logouts
from engine.runtime.business_metrics import business_metrics
from engine.runtime.kpis import outcomes_of
from engine.runtime.retention import Retention
from engine.runtime.single.service import Service
from engine.settings import AccessSettings, Settings
from engine.telemetry import Figures, Telemetry
from engine.web import server
from engine.web.bodies import Intake, Limits
from engine.web.ports import Context
from engine.web.processes import Doing, Itself
from engine.web.tls import certificate_of


class Running(NamedTuple):
    """A running engine: its URL, and the service object for code in the same process."""

    url: str
    service: Service
    telemetry: Telemetry


@asynccontextmanager
async def running(settings: Settings, access: AccessSettings | None = None) -> AsyncIterator[Running]:
    """An engine on its embedded log with HTTP and live view, from start to a clean end.

    The end takes the same steps backwards: no new call is taken, calls in flight get their answer, the last commit is
    written, the log is closed. Without `access` nobody has to log in. Raises EnvironmentFailure and UsageError.
    """
    admission, certificate = admission_of(settings, access), certificate_of(settings)
    async with AsyncExitStack() as ends:
        bound = ends.enter_context(closing(server.bind(settings.host, settings.port)))
        memory_mib = settings.memory_mib // 2
        bus = EmbeddedBus.open(settings.data, settings.partitions, memory_mib)
        ends.callback(bus.close)
        kept_logouts(admission, access, settings.data)
        service = Service(bus, settings.rules(settings.clock), memory_mib << 20)
        service.start()
        ends.push_async_callback(asyncio.to_thread, service.stop)
        if settings.retention_days is not None:
            retention = Retention(bus, settings.retention_days, service.now)
            retention.start()
            ends.push_async_callback(asyncio.to_thread, retention.stop)
        telemetry = Telemetry(lambda: figures(service)._replace(disk_bytes=bus.size_on_disk(), data=settings.data))
        columns = ends.enter_context(filled(bus, settings.rules(settings.clock), service.progress, service.now))
        context = Context(service, columns, Intake(Limits(settings.body_limit)), telemetry)
        bus.observers += context.observers
        context.configure(settings)
        context.processes.itself = Itself("run", bound.getsockname()[1], partial(_doing, service), settings)
        app = server.application(context, is_local_only(settings), admission)
        url = await ends.enter_async_context(server.serving(app, bound, certificate))
        telemetry.started(url, str(settings.data))
        yield Running(url, service, telemetry)


async def run(settings: Settings, access: AccessSettings, announce: Announce, stop: asyncio.Event) -> None:
    """Serve until `stop` is set or the engine fails; the failure is raised once everything is closed.

    Args:
        settings: the settings of the process.
        access: who may call it.
        announce: called with the URL once the engine serves.
        stop: set when the process is asked to stop.
    """
    async with running(settings, access) as instance:
        announce(instance.url)
        failure = await stopped_or_failed(instance.service, stop)
        if failure is None:
            instance.telemetry.stopping("asked to")
        else:
            instance.telemetry.engine_failed(failure)
    raise_failure(failure)


def _doing(service: Service) -> Doing:
    return Doing(range(service.bus.partitions), service.progress().lag)


def figures(service: Service) -> Figures:
    """The engine's own counts, for the metrics."""
    counters = service.counters()
    return Figures(
        lag=service.progress().lag,
        rows=service.bus.published.count("positions"),
        outcomes=outcomes_of(counters),
        counters=counters,
        business=business_metrics(service.bus),
        commits=service.commits.figures(),
        clock_ahead_seconds=service.clock.jumped / SECOND,
    )
