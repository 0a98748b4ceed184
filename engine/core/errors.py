"""The errors of Stockline.

    StocklineError
    |-- UsageError              wrong usage or configuration; exit code 2
    |-- EnvironmentFailure      disk, network, broker; exit code 3
    |   |-- DirectoryInUse      another process owns the data directory
    |   |-- DiskFull            no space left; nothing that was accepted is lost
    |   |-- Fenced              another process has taken over the task; nothing was committed
    |   |-- ClockAhead          the wall clock has jumped ahead; nothing is taken until it agrees or is accepted
    |   `-- Corrupt             a file does not hold what was written
    |-- Busy                    more is waiting than the engine takes; try again later
    `-- BrokenInvariant         a bug; ends the process with exit code 70

A business rejection is not an error: it is a value, `engine.core.outcomes.Rejection`.
"""


class StocklineError(Exception):
    """The root; `exit_code` is what a command that meets it ends with."""

    exit_code = 1


class UsageError(StocklineError):
    """Wrong usage or configuration."""

    exit_code = 2


class EnvironmentFailure(StocklineError):
    """The environment failed: disk, network or broker."""

    exit_code = 3


class DirectoryInUse(EnvironmentFailure):
    """Another process owns the data directory."""


class DiskFull(EnvironmentFailure):
    """No space is left; what was accepted before is kept."""


class Fenced(EnvironmentFailure):
    """Another process has taken over the task; this one commits nothing more."""


class ClockAhead(EnvironmentFailure):
    """The wall clock has jumped ahead; nothing is taken until it agrees again or an operator accepts it."""

    retry_after_seconds = 10


class Corrupt(EnvironmentFailure):
    """A file does not hold what was written."""


class Busy(StocklineError):
    """More is waiting than the engine takes; `retry_after_seconds` says when to try again."""

    retry_after_seconds = 1


class BrokenInvariant(StocklineError):
    """What cannot happen did: a bug."""

    exit_code = 70
