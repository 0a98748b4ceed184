"""One run: load, faults, drain, and the comparison with the oracle."""

import asyncio
import json
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random

from aiokafka.errors import KafkaError

from tests.chaos import faults
from tests.chaos.load import Load
from tests.chaos.oracle import Oracle
from tests.chaos.patterns import EXPIRE_SECONDS
from tests.chaos.rig import ROOT, Rig
from tests.chaos.rows import digests
from tests.chaos.story import Story
from tests.chaos.topics import read_all, read_log, read_outputs
from tests.real.kafka import jars

DRAIN_SECONDS = 240.0
TICKS_SECONDS = 20.0
"""Within this the clock has ticked often enough for all that was due at once."""
PARTITIONS = 8


@dataclass
class Plan:
    """What a run does."""

    seed: int = 1
    kills: int = 10
    per_second: int = 300
    workers: int = 2
    faults: list[str] = field(default_factory=lambda: [fault.__name__ for fault in faults.ONCE])


@dataclass
class Outcome:
    """What a run has found. Everything but `lost`, `doubled` and `wrong` is for the reader."""

    seed: int
    seconds: float = 0.0
    events: int = 0
    repeated: int = 0
    kills: int = 0
    signals: int = 0
    dead_letters: int = 0
    compacted: int = 0
    actions: list[str] = field(default_factory=list)
    lost: int = 0
    doubled: int = 0
    wrong: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        """Whether nothing was lost, nothing came twice, and nothing differs."""
        return not (self.lost or self.doubled or self.wrong)


def say(text: str) -> None:
    """Progress, on standard error."""
    print(f"chaos: {text}", file=sys.stderr, flush=True)


async def run(plan: Plan) -> Outcome:
    """Carry out a plan; the directory is kept where the run fails."""
    place = Path(tempfile.mkdtemp(prefix="stockline-chaos-"))
    outcome = Outcome(plan.seed)
    began = time.monotonic()
    try:
        async with Rig(place, plan.workers) as rig:
            await _break(rig, plan, outcome)
            await _judge(rig, outcome)
    except BaseException:
        say(f"seed {plan.seed} failed after {outcome.actions}; everything is in {place}")
        raise
    outcome.seconds = round(time.monotonic() - began, 1)
    if outcome.good:
        shutil.rmtree(place, ignore_errors=True)
    else:
        say(f"seed {plan.seed} failed; everything is in {place}")
    return outcome


async def _break(rig: Rig, plan: Plan, outcome: Outcome) -> None:
    chance = Random(plan.seed)
    rig.start_workers()
    await _until_topics(rig)
    await asyncio.to_thread(_compact_eagerly, rig.direct)
    load = Load(rig.direct, Story(plan.seed), plan.per_second)
    await load.begin()
    await rig.progressed(1, faults.PATIENCE)
    todo = [*(getattr(faults, name) for name in plan.faults), *[faults.kill_worker] * plan.kills]
    chance.shuffle(todo)
    for fault in todo:
        did = await fault(rig, chance)
        outcome.kills += fault is faults.kill_worker
        outcome.actions.append(did)
        say(f"{did} ({load.sent} events sent)")
    await load.end()
    outcome.events, outcome.repeated = load.sent, load.repeated


async def _until_topics(rig: Rig) -> None:
    for _ in range(480):
        try:
            await read_all(rig.direct, "stockline.events")
            return
        except (KafkaError, OSError):
            await asyncio.sleep(0.25)
    raise TimeoutError(f"no topics\n{rig.last_words()}")


def _compact_eagerly(address: str) -> None:
    """Let the broker compact the changelog under our feet."""
    eager = "segment.ms=3000,min.cleanable.dirty.ratio=0.01,min.compaction.lag.ms=0,max.compaction.lag.ms=3000"
    for topic in ("stockline.state", "stockline.positions"):
        command = ["java", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", f"{jars()}/*"]
        command += ["kafka.admin.ConfigCommand", "--bootstrap-server", address, "--alter"]
        command += ["--entity-type", "topics", "--entity-name", topic, "--add-config", eager]
        subprocess.run(command, check=True, capture_output=True)


async def _judge(rig: Rig, outcome: Outcome) -> None:
    await rig.drained(DRAIN_SECONDS)
    await asyncio.sleep(EXPIRE_SECONDS + TICKS_SECONDS)
    records = await rig.drained(DRAIN_SECONDS)
    say(f"drained {records} records; reading the topics")
    log, out = await read_log(rig.direct), await read_outputs(rig.direct)
    oracle = Oracle(log, PARTITIONS)
    for sku, row in sorted(oracle.rows.items()):
        found = out.positions.get(sku, {"version": 0})
        outcome.lost += max(0, row.version - found["version"])
        outcome.doubled += max(0, found["version"] - row.version)
        if row.balances.items() - found.items():
            outcome.wrong.append(f"{sku}: {row.balances}, found {found}")
        if (told := out.signals.get(sku, [])) != row.told:
            outcome.wrong.append(f"{sku}: signals {row.told}, found {told}")
    outcome.signals = sum(len(told) for told in out.signals.values())
    outcome.dead_letters = len(out.dead_letters)
    if sorted(out.dead_letters) != sorted(oracle.refused):
        odd = set(out.dead_letters) ^ oracle.refused
        outcome.wrong.append(
            f"dead letters differ: {len(out.dead_letters)} for {len(oracle.refused)}, {sorted(odd)[:9]}"
        )
    changelog = await read_all(rig.direct, "stockline.state")
    outcome.compacted = sum({r.partition: r.offset for r in changelog}.values()) + PARTITIONS - len(changelog)
    await _audit(rig, outcome)
    await _restore(rig, outcome)


async def _audit(rig: Rig, outcome: Outcome) -> None:
    """The engine's own check, on all tables and outputs, byte for byte."""
    command = [sys.executable, "-m", "engine", "audit", "--kafka", rig.direct, "--json"]
    done = await asyncio.to_thread(subprocess.run, command, cwd=ROOT, capture_output=True)
    if done.returncode:
        outcome.wrong.append(f"the audit differs: {done.stdout.decode()[-2000:]} {done.stderr.decode()[-2000:]}")


async def _restore(rig: Rig, outcome: Outcome) -> None:
    """Rows that lived through everything are, byte for byte, those that an empty directory is filled with."""
    await asyncio.sleep(1)
    if code := await rig.stop_workers():
        outcome.wrong.append(f"the workers end with {code}\n{rig.last_words()}")
    kept, rig.data = rig.data, rig.place / "anew"
    workers = rig.start_workers()
    await _all_owned(workers.log)
    await rig.stop_workers()
    one, other = digests(kept), digests(rig.place / "anew")
    differing = [task for task in one.keys() & other.keys() if one[task] != other[task]]
    outcome.wrong += [f"rows of {task} differ from those restored anew" for task in differing]
    if not one.keys() & other.keys():
        outcome.wrong.append("no rows to compare")


async def _all_owned(log: Path) -> None:
    written = ""
    for _ in range(900):
        written = await asyncio.to_thread(log.read_text)
        if written.count("owned, from") >= PARTITIONS:
            return
        await asyncio.sleep(0.2)
    raise TimeoutError(f"not all partitions are owned\n{written[-3000:]}")


def report(outcome: Outcome, as_json: bool) -> str:
    """The figures of a run."""
    if as_json:
        return json.dumps(asdict(outcome) | {"good": outcome.good}, indent=1)
    lines = [f"{name}: {value}" for name, value in asdict(outcome).items() if name not in ("actions", "wrong")]
    return "\n".join(
        [*lines, *(f"did: {action}" for action in outcome.actions), *(f"WRONG: {w}" for w in outcome.wrong)]
    )
