"""The errors of Stockline.

    StocklineError
    |-- UsageError              wrong usage or configuration; exit code 2
    |-- EnvironmentFailure      disk, network, broker; exit code 3
    |   |-- DirectoryInUse      another process owns the data directory
    |   |-- DiskFull            no space left; nothing that was accepted is lost
    |   |-- Fenced              another process owns the partition now; nothing was committed
    |   |-- ClockAhead          the wall clock has jumped ahead; events wait until it agrees or is accepted
    |   `-- Corrupt             a file does not hold the bytes that were written to it
    |-- Busy                    too many events wait already; try again later
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
    """No space is left on the disk; every event that was accepted before is kept."""


class Fenced(EnvironmentFailure):
    """Another process owns the partition now; this one commits nothing more (fencing)."""


class ClockAhead(EnvironmentFailure):
    """The wall clock has jumped ahead; no event is accepted until it agrees again or an operator accepts it."""

    retry_after_seconds = 10


class Corrupt(EnvironmentFailure):
    """A file does not hold the bytes that were written to it."""


class Busy(StocklineError):
    """Too many events wait already; the caller tries again after `retry_after_seconds`."""

    retry_after_seconds = 1


class BrokenInvariant(StocklineError):
    """An invariant of the code is broken: a bug."""

    exit_code = 70
