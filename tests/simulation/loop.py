"""An event loop whose time is its own: where nothing is ready it jumps to the next timer.

There is no socket and no thread in it, so that a run depends on nothing but the program: same seed, same run.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Generator, Iterator
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from typing import Any

MAX_SECONDS = 100_000.0
_process: ContextVar[str] = ContextVar("process", default="")


class Standstill(Exception):
    """Everything waits for something else, and nothing will ever come."""


class VirtualLoop(asyncio.BaseEventLoop):
    """An event loop in virtual time, which begins at 0. It knows which task belongs to which simulated process."""

    def __init__(self) -> None:
        super().__init__()
        self._selector = self
        self._now = 0.0
        self._tasks: dict[str, list[asyncio.Task[Any]]] = {}
        self.complaints: list[dict[str, Any]] = []
        self.set_exception_handler(lambda _, context: self.complaints.append(context))

    def time(self) -> float:
        return self._now

    def select(self, timeout: float | None) -> list[object]:
        """What a selector does: here nothing comes from outside, so waiting is only a matter of the clock."""
        if timeout is None or self._now > MAX_SECONDS:
            raise Standstill(f"at {self._now:.3f} s nothing goes on any more")
        self._now += timeout
        return []

    def _process_events(self, events: list[object]) -> None:
        pass

    def _write_to_self(self) -> None:
        pass

    # processes

    def create_task(
        self, coro: Generator[Any, Any, Any] | Coroutine[Any, Any, Any], **options: Any
    ) -> asyncio.Task[Any]:
        task = super().create_task(coro, **options)
        if name := _process.get():
            self._tasks.setdefault(name, []).append(task)
        return task

    def spawn(self, process: str, start: Callable[[], Any]) -> Any:
        """Call `start` as a part of a process: the tasks that it creates, and those that they create, are its own."""

        def begin() -> Any:
            _process.set(process)
            return start()

        return copy_context().run(begin)

    async def kill(self, process: str) -> None:
        """End a process at once: none of its tasks gets beyond the place where it is; clean-up is cancelled too."""
        while running := [task for task in self._tasks.get(process, ()) if not task.done()]:
            for task in running:
                task.cancel()
            await asyncio.sleep(0)
        self._tasks.pop(process, None)

    def alive(self, process: str) -> list[str]:
        """The names of a process's tasks that have not ended."""
        return [task.get_name() for task in self._tasks.get(process, ()) if not task.done()]


@contextmanager
def virtual_time() -> Iterator[asyncio.Runner]:
    """A runner on a fresh virtual loop; a Standstill ends what it runs."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        yield runner
