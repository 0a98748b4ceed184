"""Many worlds, each from its seed; a failure names the seed that repeats it.

`STOCKLINE_SIMULATION_SEEDS` is how many to run (`make simulate` runs more of them), `STOCKLINE_SIMULATION_FIRST` the
first.
"""

from __future__ import annotations

import os

import pytest

from tests.simulation.world import World, summary

FIRST = int(os.environ.get("STOCKLINE_SIMULATION_FIRST", "1"))
SEEDS = int(os.environ.get("STOCKLINE_SIMULATION_SEEDS", "75"))


@pytest.mark.parametrize("seed", range(FIRST, FIRST + SEEDS))
def test_world(seed: int) -> None:
    world = World(seed)
    try:
        world.run()
    except BaseException as error:
        error.add_note(f"seed {seed}: STOCKLINE_SIMULATION_FIRST={seed} STOCKLINE_SIMULATION_SEEDS=1; {summary(world)}")
        raise
