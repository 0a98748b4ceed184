"""Points at which a test may kill the process: the steps of taking over a partition and of a commit.

`STOCKLINE_FAILPOINT=NAME@N` kills the process with SIGKILL when it passes NAME for the Nth time. Without the variable
nothing happens here.
"""

import os
import signal

VARIABLE = "STOCKLINE_FAILPOINT"
POINTS = (
    "own.begun",
    "own.fenced",
    "own.restored",
    "commit.begun",
    "commit.delivered",
    "commit.committed",
    "commit.cached",
    "commit.told",
)


class Failpoint:
    """The one point, if any, at which this process dies."""

    def __init__(self, wanted: str | None) -> None:
        self._name, _, count = (wanted or "").partition("@")
        self._left = int(count or 1)

    def passed(self, name: str) -> None:
        """The process passes the point `name`."""
        if name != self._name:
            return
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


passed = Failpoint(os.environ.get(VARIABLE)).passed
