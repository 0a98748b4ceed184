"""The connectors of one process: each runs on its own, and what befalls one costs the others nothing."""

import asyncio
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from connectors.host.health import Health
from connectors.host.loading import Loaded
from connectors.host.running import RunningConnector
from connectors.host.state import ConnectorState

DEFAULT_STATE = Path("stockline-connectors")
GRACE_SECONDS = 3.0
"""How long a batch that is under way may take once the host is asked to stop; a crash would be as harmless."""


@dataclass(frozen=True)
class Options:
    """How connectors are run: where their state is, and whether for one round only."""

    state: Path = DEFAULT_STATE
    once: bool = False


async def run(loaded: Sequence[Loaded], options: Options, stop: asyncio.Event) -> list[Health]:
    """Run connectors until `stop` is set or all have ended; returns what became of each.

    Raises:
        DirectoryInUse: another process runs a connector of one of these names; none is begun.
        EnvironmentFailure: the folder of state cannot be used.
    """
    with ExitStack() as locks:
        states = [locks.enter_context(ConnectorState(options.state, each.profile.name)) for each in loaded]
        connectors = [RunningConnector(each, state, stop) for each, state in zip(loaded, states, strict=True)]
        lives = [asyncio.create_task(each.live(options.once)) for each in connectors]
        await _until_done(lives, stop)
    return [each.health for each in connectors]


async def _until_done(lives: Sequence["asyncio.Task[None]"], stop: asyncio.Event) -> None:
    """Wait for all; once asked to stop, for the batches under way, then cancel what is left."""
    stopping = asyncio.create_task(stop.wait())
    try:
        pending: set[asyncio.Task[None]] = set(lives)
        while pending and not stop.is_set():
            done, _ = await asyncio.wait({*pending, stopping}, return_when=asyncio.FIRST_COMPLETED)
            pending -= done
        if pending:
            await asyncio.wait(pending, timeout=GRACE_SECONDS)
    finally:
        for each in (*lives, stopping):
            each.cancel()
        await asyncio.gather(*lives, stopping, return_exceptions=True)
    for each in lives:
        # A life ends with an error only by a bug of the host itself.
        if not each.cancelled() and (error := each.exception()) is not None:
            raise error
