"""The composition root of the embedded engine: everything that runs is built here, and nowhere else."""

import asyncio
import gc
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, closing, suppress
from pathlib import Path
from typing import NamedTuple, Protocol

from engine.bus import snapshot_file
from engine.bus.disk import upgrade_paths as upgrade_places
from engine.bus.disk.bus import EmbeddedBus
from engine.bus.disk.former import FormerBus, held
from engine.bus.single import Audited, Bus
from engine.bus.snapshot_file import Head
from engine.core.errors import BrokenInvariant, Corrupt, StocklineError, UsageError
from engine.core.rules import Rules
from engine.core.values import SECOND
from engine.processes.lifecycle import stop_when_asked
from engine.runtime.audit import AuditReport, audit
from engine.runtime.marker import former_clock
from engine.runtime.retention import Retention
from engine.runtime.single.engine import replay
from engine.runtime.single.service import Service
from engine.settings import ClockMode, Settings
from engine.telemetry import Figures, Telemetry
from engine.web import server
from engine.web.bodies import Intake, Limits
from engine.web.ports import Context

WATCH_SECONDS = 0.1


class Running(NamedTuple):
    """An engine that serves: its address, and itself for who shares the process."""

    url: str
    service: Service
    telemetry: Telemetry


GC_THRESHOLDS = (50_000, 20, 50)
"""Rows and events hold no cycles: the collector need not walk the cache of rows every few hundred objects."""


def rules_of(settings: Settings, clock: ClockMode) -> Rules:
    """The rules of the fold that the settings ask for."""
    return Rules(
        clock=clock,
        movement_window_hours=settings.movement_window_hours,
        duplicate_days=settings.duplicate_days,
    )


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[Running]:
    """An engine on its embedded log with HTTP and live view, from start to a clean end.

    The end takes the same steps backwards: nothing new is taken, calls in flight get their answer, the last commit is
    written, the log is closed. Raises EnvironmentFailure where the port or the data directory cannot be had.
    """
    async with AsyncExitStack() as ends:
        bound = server.bind(settings.host, settings.port)
        ends.callback(bound.close)
        memory_mib = settings.memory_mib // 2
        bus = EmbeddedBus.open(settings.data, settings.partitions, memory_mib)
        ends.callback(bus.close)
        service = Service(bus, rules_of(settings, settings.clock), memory_mib << 20)
        service.start()
        ends.push_async_callback(asyncio.to_thread, service.stop)
        if settings.retention_days is not None:
            retention = Retention(bus, settings.retention_days, service.now)
            retention.start()
            ends.push_async_callback(asyncio.to_thread, retention.stop)
        telemetry = Telemetry(lambda: figures(service)._replace(disk_bytes=bus.size_on_disk()))
        context = Context(service, Intake(Limits(settings.body_limit)), telemetry)
        app = server.application(context, local_only=not settings.insecure)
        url = await ends.enter_async_context(server.serving(app, bound))
        telemetry.started(url, str(settings.data))
        yield Running(url, service, telemetry)


async def run(settings: Settings, announce: Callable[[str], None]) -> None:
    """Serve until asked to stop or a failure of the engine, which is raised once everything is closed."""
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
    asked = stop_when_asked()
    async with running(settings) as instance:
        announce(instance.url)
        failure = await watch(instance.service, asked)
        if failure is None:
            instance.telemetry.stopping("asked to")
        else:
            instance.telemetry.engine_failed(failure)
    if failure is not None:
        raise failure if isinstance(failure, StocklineError) else BrokenInvariant(repr(failure)) from failure


class Fallible(Protocol):
    """Something that may end by itself."""

    def failure(self) -> BaseException | None:
        """What ended it, None while it runs."""


async def watch(service: Fallible, asked: asyncio.Event) -> BaseException | None:
    """Wait until someone asks to stop (None) or the engine fails (why)."""
    while not asked.is_set():
        if (failure := service.failure()) is not None:
            return failure
        with suppress(TimeoutError):
            await asyncio.wait_for(asked.wait(), WATCH_SECONDS)
    return None


def figures(service: Service) -> Figures:
    """What the engine counts, for the metrics."""
    rows, outcomes = service.bus.published.count("positions"), outcomes_of(service.counters())
    ahead = service.clock.jumped / SECOND
    return Figures(service.progress().lag, rows, outcomes, service.last_commit_seconds, ahead)


def outcomes_of(counters: Mapping[str, int]) -> dict[str, int]:
    """How many events were applied, repeated and refused, from what tasks have counted."""
    outcomes = {"applied": 0, "duplicate": 0, "refused": 0}
    for name, count in counters.items():
        if (outcome := _OUTCOMES.get(name.partition(":")[0])) is not None:
            outcomes[outcome] += count
    return outcomes


_OUTCOMES = {"events": "applied", "duplicates": "duplicate", "dead_letters": "refused"}


class AuditFiles(NamedTuple):
    """Where an audit works and what it begins with.

    `scratch` is an empty folder; the fold begins with the snapshot `since` and leaves the rows in the new file `save`.
    """

    scratch: Path
    since: Path | None = None
    save: Path | None = None


def audited(settings: Settings, files: AuditFiles, progress: Callable[[int, int], None]) -> AuditReport:
    """Read all of the data directory, fold its log again and compare; `progress` is told (done, of).

    The engine may be running: what it had committed when this began is compared.
    """
    with (
        closing(EmbeddedBus.open(settings.data, read_only=True)) as bus,
        closing(EmbeddedBus.open(files.scratch, bus.partitions)) as again,
    ):
        bus.verify()
        path = files.since or _kept_rows(bus)
        since = None if path is None else rows_from(path, bus, again)
        report = audit(bus, again, progress, since)
        report.since, report.disk_bytes = None if path is None else path.name, bus.size_on_disk()
        if files.save is not None and not report.differences:
            snapshot_file.save(files.save, bus.head(), again)
        return report


class Upgraded(NamedTuple):
    """What an upgrade has folded anew: records of the log, and the rows of stock that they made."""

    records: int
    rows: int


def upgraded(settings: Settings, progress: Callable[[int, int], None]) -> Upgraded | None:
    """Fold the log of a data directory of the former format into a new one in its place; None where it is of this one.

    The clock is that of the log; the other rules of the fold are the settings', which the former format did not keep.
    """
    data = settings.data.resolve()
    if upgrade_places.finish(data):
        return _counted(data)
    with held(data):
        with closing(FormerBus.open(data, read_only=True)) as former:
            if not former.is_former:
                return None
            _fold_anew(former, settings, progress)
        upgrade_places.put_in_place(data)
    return _counted(data)


def _fold_anew(former: FormerBus, settings: Settings, progress: Callable[[int, int], None]) -> None:
    places = range(former.partitions)
    clock = former_clock(map(former.marker, places)) or settings.clock
    with (
        upgrade_places.filled(former.path) as path,
        closing(EmbeddedBus.open(path, former.partitions, settings.memory_mib // 2)) as bus,
    ):
        advance = _adding(progress, sum(map(former.end_offset, places)))
        replay(former, bus, rules_of(settings, clock), advance, append=True)


def _adding(progress: Callable[[int, int], None], total: int) -> Callable[[int], None]:
    done = 0

    def advance(records: int) -> None:
        nonlocal done
        done += records
        progress(done, total)

    return advance


def _counted(data: Path) -> Upgraded:
    with closing(EmbeddedBus.open(data, read_only=True)) as bus:
        return Upgraded(sum(map(bus.end_offset, range(bus.partitions))), bus.published.count("positions"))


def rows_from(path: Path, bus: Audited, again: Bus) -> Head:
    """Bring the snapshot `path` into `again`; UsageError where the log of `bus` cannot be folded on from there."""
    since = snapshot_file.load(path, again)
    places = range(bus.partitions)
    if not since.reaches([bus.begin_offset(p) for p in places], [bus.end_offset(p) for p in places]):
        raise UsageError(f"{path} is a snapshot up to the offsets {since.log}, which the log does not have")
    return since


def _kept_rows(bus: EmbeddedBus) -> Path | None:
    """Where an audit begins by itself: at the first record, or where that is deleted at a snapshot of the rows."""
    places = range(bus.partitions)
    begins, ends = [bus.begin_offset(p) for p in places], [bus.end_offset(p) for p in places]
    if not any(begins):
        return None
    path = snapshot_file.oldest_that_reaches(bus.snapshots, begins, ends)
    if path is None:
        raise Corrupt(
            f"{bus.snapshots}: the log begins at the offsets {begins}, and the snapshot of the rows that was taken "
            "before that is missing. Bring it back from a backup, or name another with --from"
        )
    return path
