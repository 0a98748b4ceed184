"""The faults. Each takes the rig, breaks something, mends it, and returns what it did in a few words."""

import asyncio
import os
import resource
import shutil
import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from random import Random

from tests.chaos.rig import Rig

Fault = Callable[[Rig, Random], Awaitable[str]]
POINTS = (
    "own.begun", "own.fenced", "own.restored", "commit.begun", "commit.delivered", "commit.committed", "commit.cached",
    "commit.told",
)  # fmt: skip
PROGRESS = 40
PATIENCE = 120.0


async def a_worker(rig: Rig, chance: Random) -> int:
    """The process of some worker."""
    while rig.workers is None or not (pids := rig.workers.pids()):  # noqa: ASYNC110
        await asyncio.sleep(0.2)
    return chance.choice(pids)


async def everyone(rig: Rig) -> None:
    """Wait until all workers live for a while and the log is folded on. Raises AssertionError."""
    steady = 0
    for _ in range(int(PATIENCE / 0.2)):
        steady = steady + 1 if rig.workers is not None and len(rig.workers.pids()) == rig.count else 0
        if steady == 20:
            await rig.progressed(PROGRESS, PATIENCE)
            return
        await asyncio.sleep(0.2)
    raise AssertionError(f"not all workers come back\n{rig.last_words()}")


def send(pid: int, number: signal.Signals) -> None:
    """Send a signal to a process that may be gone."""
    with suppress(ProcessLookupError):
        os.kill(pid, number)


async def kill_worker(rig: Rig, chance: Random) -> str:
    """kill -9 of a random worker at a random moment, perhaps while the group shares its partitions."""
    pid = await a_worker(rig, chance)
    await asyncio.sleep(chance.uniform(0.0, 1.5))
    send(pid, signal.SIGKILL)
    return f"killed worker {pid}"


async def kill_at_points(rig: Rig, chance: Random) -> str:
    """kill -9 at every step of taking over a task and of a commit."""
    for point in POINTS:
        await rig.stop_workers()
        most = 3 if point.startswith("own") else 6
        workers = rig.start_workers(STOCKLINE_FAILPOINT=f"{point}@{chance.randint(1, most)}")
        before = workers.log.read_text(errors="replace").count("ended with -9")
        deaths = 0
        for _ in range(int(PATIENCE / 0.2)):
            deaths = workers.log.read_text(errors="replace").count("ended with -9") - before
            if deaths >= rig.count:
                break
            await asyncio.sleep(0.2)
        if not deaths:
            raise AssertionError(f"nobody died at {point}\n{rig.last_words()}")
    await rig.stop_workers()
    rig.start_workers()
    await rig.progressed(PROGRESS, PATIENCE)
    return f"killed at each of {', '.join(POINTS)}"


async def kill_broker(rig: Rig, chance: Random) -> str:
    """kill -9 of the broker, and its restart on the same data."""
    rig.broker.kill()
    await asyncio.sleep(chance.uniform(0.5, 3.0))
    await asyncio.to_thread(rig.broker.start)
    await rig.progressed(PROGRESS, PATIENCE)
    return "killed the broker and started it again"


async def freeze_broker(rig: Rig, chance: Random) -> str:
    """SIGSTOP of the broker for longer than the request timeout."""
    seconds = int(rig.settings["STOCKLINE_REQUEST_TIMEOUT_MS"]) / 1000 + chance.uniform(1.0, 3.0)
    rig.broker.signal(signal.SIGSTOP)
    await asyncio.sleep(seconds)
    rig.broker.signal(signal.SIGCONT)
    await rig.progressed(PROGRESS, PATIENCE)
    return f"froze the broker for {seconds:.1f} s"


async def zombie(rig: Rig, chance: Random) -> str:
    """SIGSTOP of a worker past its session: another takes over and commits; then SIGCONT."""
    pid = await a_worker(rig, chance)
    send(pid, signal.SIGSTOP)
    await asyncio.sleep(int(rig.settings["STOCKLINE_SESSION_TIMEOUT_MS"]) / 1000 + 1)
    await rig.progressed(PROGRESS, PATIENCE)
    send(pid, signal.SIGCONT)
    await rig.progressed(PROGRESS, PATIENCE)
    return f"worker {pid} was a zombie"


async def cut_network(rig: Rig, chance: Random) -> str:
    """All connections cut, several times, and refused for a while."""
    for _ in range(3):
        rig.proxy.cut()
        await asyncio.sleep(chance.uniform(0.1, 0.6))
    rig.proxy.open = False
    rig.proxy.cut()
    await asyncio.sleep(chance.uniform(1.0, 3.0))
    rig.proxy.open = True
    await rig.progressed(PROGRESS, PATIENCE)
    return "cut the network"


async def delay_network(rig: Rig, chance: Random) -> str:
    """Every packet is late."""
    rig.proxy.delay = chance.uniform(0.02, 0.1)
    await asyncio.sleep(4)
    rig.proxy.delay = 0.0
    await rig.progressed(PROGRESS, PATIENCE)
    return "delayed the network"


async def swallow_replies(rig: Rig, chance: Random) -> str:
    """Requests reach the broker, replies never come back; then the connections break."""
    for _ in range(2):
        rig.proxy.replies = False
        await asyncio.sleep(chance.uniform(0.3, 1.5))
        rig.proxy.cut()
        rig.proxy.replies = True
        await asyncio.sleep(chance.uniform(0.3, 1.0))
    await rig.progressed(PROGRESS, PATIENCE)
    return "swallowed replies"


async def damage_rows(rig: Rig, chance: Random) -> str:
    """Local rows deleted, cut and corrupted while the workers are away."""
    assert rig.workers is not None
    rig.workers.kill()
    tasks = sorted(path for path in rig.data.glob("task-*") if path.is_dir())
    done = [_damage(path, chance) for path in chance.sample(tasks, k=max(1, len(tasks) * 2 // 3))]
    rig.start_workers()
    await rig.progressed(PROGRESS, PATIENCE)
    return "; ".join(done)


def _damage(path: Path, chance: Random) -> str:
    files = [
        file for file in sorted((path / "db").glob("*")) if file.suffix in (".sst", ".log") and file.stat().st_size
    ]
    how = chance.choice(("delete", "cut", "corrupt", "lose", "current"))
    if how == "delete" or not files:
        shutil.rmtree(path)
        return f"deleted {path.name}"
    victim = chance.choice(files)
    size = victim.stat().st_size
    if how == "cut":
        os.truncate(victim, chance.randrange(size))
    elif how == "corrupt":
        with victim.open("r+b") as file:
            file.seek(chance.randrange(size))
            file.write(bytes(chance.randrange(256) for _ in range(64)))
    elif how == "lose":
        victim.unlink()
    else:
        (path / "db" / "CURRENT").unlink(missing_ok=True)
    return f"{how} {path.name}/{victim.name}"


async def fill_disk(rig: Rig, chance: Random) -> str:
    """No file of one worker may grow: it stops, others take over, and it comes back when there is room."""
    assert rig.workers is not None
    await everyone(rig)
    pid = await a_worker(rig, chance)
    supervisor = rig.workers.process.pid
    full = (1_024, resource.RLIM_INFINITY)
    room = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    resource.prlimit(supervisor, resource.RLIMIT_FSIZE, full)
    with suppress(ProcessLookupError):
        resource.prlimit(pid, resource.RLIMIT_FSIZE, full)
    for _ in range(int(PATIENCE / 0.2)):
        if pid not in rig.workers.pids():
            break
        await asyncio.sleep(0.2)
    else:
        raise AssertionError(f"worker {pid} goes on with a full disk\n{rig.last_words()}")
    await rig.progressed(PROGRESS, PATIENCE)
    resource.prlimit(supervisor, resource.RLIMIT_FSIZE, room)
    for child in rig.workers.pids():
        with suppress(ProcessLookupError):
            resource.prlimit(child, resource.RLIMIT_FSIZE, room)
    await everyone(rig)
    return f"worker {pid} had a full disk"


ONCE: tuple[Fault, ...] = (
    zombie, kill_broker, cut_network, swallow_replies, delay_network, damage_rows, fill_disk, freeze_broker,
    kill_at_points,
)  # fmt: skip
