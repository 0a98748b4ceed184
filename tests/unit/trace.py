"""Which functions of the project are called, in which order, by all threads of the process."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

from tests.unit.documents import ROOT, Function

PACKAGES = tuple(str(ROOT / name) + "/" for name in ("engine", "agents", "tables", "connectors"))


class Trace:
    """The calls so far; `clear` forgets them, so that what comes after a preparation stands alone."""

    def __init__(self) -> None:
        self.calls: list[Function] = []

    def clear(self) -> None:
        self.calls.clear()

    def __call__(self, frame: FrameType, event: str, _: object) -> None:
        code = frame.f_code
        if event == "call" and code.co_filename.startswith(PACKAGES):
            self.calls.append(Function(code.co_filename[len(str(ROOT)) + 1 :], code.co_qualname))

    def missing(self, wanted: Sequence[Function]) -> list[str]:
        """What of the wanted calls was not made after all those before it."""
        left = iter(self.calls)
        return [f"{each.file}:{each.name}" for each in wanted if each not in left]


@contextmanager
def traced() -> Iterator[Trace]:
    """Trace this thread, and those that begin within the block."""
    trace = Trace()
    threading.setprofile(trace)
    sys.setprofile(trace)
    try:
        yield trace
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
