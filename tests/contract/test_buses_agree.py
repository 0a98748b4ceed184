"""The bus on disk and the bus in memory, held against each other: the same commits tell the same."""

import tempfile
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.bus.disk.bus import EmbeddedBus
from engine.bus.memory.bus import MemoryBus
from engine.bus.single import Commit, Output
from tests.contract.test_bus import TOPICS, picture, records

STATE_KEYS = st.sampled_from([b"a", b"c\xff", b"d", b"d\0\0", b"d\xff", b"e", b"s1"])


PLANS = st.fixed_dictionaries(
    {
        "partition": st.integers(0, 2),
        "records": st.integers(0, 3),
        "changes": st.lists(st.tuples(STATE_KEYS, st.one_of(st.none(), st.binary(max_size=3))), max_size=4),
        "outputs": st.lists(
            st.builds(Output, st.sampled_from(TOPICS), st.sampled_from(["r1", "r2"]), st.text(max_size=2), st.binary()),
            max_size=4,
        ),
        "rows": st.lists(st.sampled_from(["r1", "r2", "r22"]), max_size=3),
        "marker": st.binary(max_size=4),
    }
)


STEPS = st.lists(st.one_of(st.just("reopen"), st.lists(PLANS, min_size=1, max_size=3)), max_size=8)


def commits_of(plans: list[dict[str, Any]], ends: dict[int, int]) -> list[Commit]:
    commits = []
    for plan in plans:
        partition = plan["partition"]
        start = ends.get(partition, 0)
        ends[partition] = start + plan["records"]
        # A row belongs to one partition, and is touched by records that are in the log.
        touched = [(f"{row}-{partition}", ends[partition] - 1) for row in plan["rows"] if ends[partition]]
        appended = records(partition, start, plan["records"])
        changes, outputs = plan["changes"], plan["outputs"]
        commits.append(Commit(partition, appended, changes, outputs, touched, plan["marker"], ends[partition]))
    return commits


@settings(max_examples=40)
@given(steps=STEPS)
def test_the_bus_on_disk_tells_the_same_as_the_one_in_memory(steps: list[Any]) -> None:
    memory, ends = MemoryBus(), dict[int, int]()
    with tempfile.TemporaryDirectory() as path:
        disk = EmbeddedBus.open(path, memory_mib=16)
        for step in steps:
            if step == "reopen":
                disk.close()
                disk = EmbeddedBus.open(path, memory_mib=16)
            else:
                commits = commits_of(step, ends)
                memory.commit(commits)
                disk.commit(commits)
            assert picture(disk) == picture(memory)
        disk.close()
