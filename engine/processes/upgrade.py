"""The composition root of `stockline upgrade`: the log of a former data directory is folded into one of this version.

The steps, and the reason for their order:

1. finish    an upgrade that was killed between its renames is completed first
2. fold      into a directory beside the former one, which stays as it is until all is written
3. rename    the former directory moves aside and the new one takes its name
"""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from engine.bus.disk import upgrade_paths
from engine.bus.disk.bus import EmbeddedBus
from engine.bus.disk.former import FormerBus, held
from engine.runtime.marker import former_clock
from engine.runtime.replay import replay
from engine.settings import Settings


class Upgraded(NamedTuple):
    """The result of an upgrade: how many records of the log were folded, and how many rows of stock they made."""

    records: int
    rows: int


def upgrade(settings: Settings, progress: Callable[[int, int], None]) -> Upgraded | None:
    """Upgrade the data directory of the settings; None if its format is this version's.

    The clock is that of the log; the other rules of the fold are the settings', because the former format did not
    keep them.

    Args:
        settings: the settings of the process.
        progress: told (records folded, records in all).
    """
    data = settings.data.resolve()
    if upgrade_paths.finish(data):  # 1. finish
        return _counted(data)
    with held(data):
        with closing(FormerBus.open(data, read_only=True)) as former:
            if not former.is_former:
                return None
            _fold_anew(former, settings, progress)  # 2. fold
        upgrade_paths.put_in_place(data)  # 3. rename
    return _counted(data)


def _fold_anew(former: FormerBus, settings: Settings, progress: Callable[[int, int], None]) -> None:
    partitions = range(former.partitions)
    clock = former_clock(map(former.marker, partitions)) or settings.clock
    total = sum(map(former.end_offset, partitions))
    done = 0

    def advance(records: int) -> None:
        nonlocal done
        done += records
        progress(done, total)

    with (
        upgrade_paths.filled(former.path) as path,
        closing(EmbeddedBus.open(path, former.partitions, settings.memory_mib // 2)) as bus,
    ):
        replay(former, bus, settings.rules(clock), advance, append=True)


def _counted(data: Path) -> Upgraded:
    with closing(EmbeddedBus.open(data, read_only=True)) as bus:
        return Upgraded(sum(map(bus.end_offset, range(bus.partitions))), bus.published.count("positions"))
