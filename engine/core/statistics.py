"""Statistics of demand and lead time. Their results are floats: they inform a quantity, they never are one."""

from collections.abc import Sequence
from math import sqrt


def mean_and_deviation(samples: Sequence[int]) -> tuple[float, float]:
    """Mean and standard deviation (divisor n - 1); zeros where there are too few samples."""
    n = len(samples)
    if n == 0:
        return 0.0, 0.0
    mean = sum(samples) / n
    if n == 1:
        return mean, 0.0
    return mean, sqrt(sum((sample - mean) ** 2 for sample in samples) / (n - 1))


def deviation_per_day(errors: Sequence[tuple[int, int, int]]) -> float:
    """The standard deviation per day of a forecast's error, from closed buckets of (forecast, issued, days).

    A bucket of n days has n times the variance of a day, so the squares are shared out over all days.
    """
    return sqrt(sum((forecast - issued) ** 2 for forecast, issued, _ in errors) / sum(days for _, _, days in errors))


def poisson_deviation(mean: float) -> float:
    """The standard deviation of Poisson demand with this mean."""
    return sqrt(mean)


def per_day(total: int, days: float) -> float:
    """A total shared over a span of days; a span under a day counts as one."""
    return total / max(days, 1.0)


def standard_error(deviation: float, samples: int) -> float:
    """The standard error of a mean; 0 without samples."""
    return deviation / sqrt(samples) if samples else 0.0
