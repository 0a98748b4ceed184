"""How old what is shown is: for how long the next change of a row was committed and not shown."""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple


class Sample(NamedTuple):
    """What was shown at an instant (seconds of the Unix epoch): how many changes of the probe's row it holds."""

    at: float
    changes: int


def staleness(committed: Sequence[float], samples: Sequence[Sample]) -> list[float]:
    """The age in seconds of each sample that was taken while the row changed; 0 where it shows the latest."""
    last = committed[-1]
    return [
        max(0.0, at - committed[changes]) if changes < len(committed) else 0.0
        for at, changes in samples
        if committed[0] <= at <= last
    ]


def held(samples: Sequence[Sample], apart: float) -> list[Sample]:
    """Samples every `apart` seconds of what is told now and then, and shown until something else is told."""
    found = []
    for (at, changes), (until, _) in pairwise(samples):
        found += [Sample(at + n * apart, changes) for n in range(math.ceil((until - at) / apart))]
    return found


def percentile(values: Sequence[float], share: float) -> float:
    """The value that so great a share of the values does not exceed."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]
