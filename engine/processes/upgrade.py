"""The composition root of `stockline upgrade`: a former data directory becomes one of this version.

The steps, and the reason for their order:

1. finish    an upgrade that was killed between its renames is completed first
2. fold      the log into a directory beside the former one, which stays as it is until all is written; where the log no
             longer has its beginning, the rows are taken over instead, if this version reads them
3. rename    the former directory moves aside and the new one takes its name
"""

from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import NamedTuple

from engine.access.tokens import replace_file
from engine.bus.disk import upgrade_paths
from engine.bus.disk.bus import EmbeddedBus
from engine.bus.disk.former import FormerBus, held, take_over
from engine.bus.disk.logouts import NAME
from engine.core.errors import UsageError
from engine.runtime.marker import former_rules
from engine.runtime.replay import replay
from engine.settings import Settings
from tables.catalogue import FORMER_ROWS


class Upgraded(NamedTuple):
    """The result of an upgrade.

    Attributes:
        former: where the former directory stays.
        records: how many records of the log were folded; 0 where rows were taken over.
        rows: how many rows of stock there are.
        taken_over: whether the rows are those of the former directory, because its log no longer has its beginning.
    """

    former: Path
    records: int
    rows: int
    taken_over: bool


def upgrade(settings: Settings, progress: Callable[[int, int], None]) -> Upgraded | None:
    """Upgrade the data directory of the settings; None if its format is this version's.

    The rules of the fold are the log's as far as its markers hold them, else those of the settings.

    Args:
        settings: the settings of the process.
        progress: told (records folded, records in all).

    Raises:
        UsageError: something is in the way, or neither the log nor the rows are enough to go on from.
    """
    data = settings.data.resolve()
    former = upgrade_paths.finish(data)  # 1. finish
    if former is not None:
        return _counted(data, former)
    with held(data):
        with closing(FormerBus.open(data, read_only=True)) as bus:
            if not bus.is_former:
                return None
            former = upgrade_paths.former_of(data, bus.written)
            with upgrade_paths.filled(data, former) as new:  # 2. fold
                if _is_whole(bus):
                    _fold_anew(bus, new, settings, progress)
                else:
                    _take_over(bus, new)
                _keep_logouts(data, new)
        upgrade_paths.put_in_place(data, former)  # 3. rename
    return _counted(data, former)


def _is_whole(bus: EmbeddedBus) -> bool:
    return not any(map(bus.begin_offset, range(bus.partitions)))


def _fold_anew(former: FormerBus, new: Path, settings: Settings, progress: Callable[[int, int], None]) -> None:
    partitions = range(former.partitions)
    rules = former_rules(map(former.marker, partitions), settings.rules(settings.clock))
    total = sum(map(former.end_offset, partitions))
    done = 0

    def advance(records: int) -> None:
        nonlocal done
        done += records
        progress(done, total)

    with closing(EmbeddedBus.open(new, former.partitions, settings.memory_mib // 2)) as bus:
        replay(former, bus, rules, advance, append=True)


def _take_over(former: FormerBus, new: Path) -> None:
    if former.written < FORMER_ROWS:
        begins = [former.begin_offset(partition) for partition in range(former.partitions)]
        raise UsageError(
            f"{former.path}: its log begins at the offsets {begins}, because retention has deleted what was before, so "
            f"that it cannot be folded anew; and rows of format {former.written} are not read by this version. Go on "
            "with the version that wrote it, or start in an empty directory from a count of all stock"
        )
    take_over(former.path, new)


def _keep_logouts(data: Path, new: Path) -> None:
    """Let the sessions that were ended stay so: whoever kept their cookies would be taken again."""
    with suppress(FileNotFoundError):
        replace_file(new / NAME, (data / NAME).read_bytes())


def _counted(data: Path, former: Path) -> Upgraded:
    with closing(EmbeddedBus.open(data, read_only=True)) as bus:
        whole, rows = _is_whole(bus), bus.published.count("positions")
        return Upgraded(former, sum(map(bus.end_offset, range(bus.partitions))) if whole else 0, rows, not whole)
