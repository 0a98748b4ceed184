"""Runs any connector under the real host against a log of a few lines, and kills it at every step of a delivery.

A connector takes part by a `FarSide`: the other system with records in it, and the keys of a profile that reads them.
`tests/contract/connectors.py` lists them, and `tests/contract/test_connectors.py` holds each to the same sentences.
"""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Literal, Self

import pytest

from connectors.base import JsonObject, Submission
from connectors.client import EngineClient
from connectors.host import Options, load, run
from connectors.host.health import Health
from connectors.host.loading import Loaded
from connectors.host.state import ConnectorState
from tests.connectors.engine import LogOfEvents

NAME = "under-test"

Moment = Literal["before posting", "after posting", "before keeping", "after keeping"]
MOMENTS: tuple[Moment, ...] = ("before posting", "after posting", "before keeping", "after keeping")


class Crash(BaseException):
    """The process dies here: nothing catches it."""


class FarSide:
    """The other system of a connector, with records in it; an asynchronous context manager.

    A subclass sets `kind` and `keys` (of the profile, without kind, name and engine), and begins the other system in
    `__aenter__`. What it cannot show it declares: `can_be_spoiled`, `can_leave`. `secret` is a text that must never be
    seen; the subclass puts it where the profile's `Secret` finds it.
    """

    kind: ClassVar[str]
    can_be_spoiled: ClassVar[bool] = True
    can_leave: ClassVar[bool] = True
    secret: str | None = None

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.keys: dict[str, Any] = {}

    async def __aenter__(self) -> Self:
        """Begin it, with at least three batches of records, each of which can be translated."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it."""

    async def spoil(self) -> None:
        """Add a record, before or among the others, that no event can be made of."""
        raise NotImplementedError

    async def mend(self) -> None:
        """Make that record translatable, in the profile or the identifiers."""
        raise NotImplementedError

    async def leave(self) -> None:
        """Stop answering, in the way in which that happens in life."""
        raise NotImplementedError

    async def come_back(self) -> None:
        """Answer again."""
        raise NotImplementedError


class Bench:
    """A connector on the bench: its far side, the log, and runs of the host over both."""

    def __init__(self, far: FarSide, log: LogOfEvents, patch: pytest.MonkeyPatch) -> None:
        self.far, self.log, self._patch = far, log, patch
        self.state = far.folder / "state"

    def loaded(self, **more: Any) -> Loaded:
        """The profile as it is now, from a file, as the command reads it."""
        path = self.far.folder / "profile.toml"
        keys = {"kind": self.far.kind, "name": NAME, "engine": self.log.url, "interval_seconds": 0.01}
        path.write_text("".join(f"{key} = {toml(value)}\n" for key, value in {**keys, **self.far.keys, **more}.items()))
        return load(path)

    async def once(self) -> Health:
        """One round of everything, as `stockline connectors run --once`."""
        (health,) = await run([self.loaded()], Options(self.state, once=True), asyncio.Event())
        return health

    async def once_with_crash(self, moment: Moment, number: int) -> bool:
        """One round that dies at the `number`th of these moments; False if it came to its end before."""
        countdown = Countdown(moment, number)
        with self._patch.context() as patch:
            patch.setattr("connectors.profiles.EngineClient", countdown.client)
            patch.setattr("connectors.host.host.ConnectorState", countdown.state)
            try:
                await self.once()
            except (Crash, BaseExceptionGroup):
                assert countdown.left <= 0, "something else than the crash ended the run"
                return True
        return False

    def forget(self) -> None:
        """Delete all positions, as an operator may: everything is read from the beginning."""
        for path in self.state.rglob("*.json"):
            path.unlink()


class Countdown:
    """Raises `Crash` at the `left`th time that a moment comes."""

    def __init__(self, moment: Moment, left: int) -> None:
        self._moment, self.left = moment, left

    def reached(self, moment: Moment) -> None:
        if moment == self._moment:
            self.left -= 1
            if self.left == 0:
                raise Crash

    def client(self, *arguments: Any) -> EngineClient:
        countdown = self

        class Client(EngineClient):
            async def post_events(self, events: Sequence[bytes]) -> Submission:
                if events:
                    countdown.reached("before posting")
                answer = await super().post_events(events)
                if events:
                    countdown.reached("after posting")
                return answer

        return Client(*arguments)

    def state(self, *arguments: Any) -> ConnectorState:
        countdown = self

        class State(ConnectorState):
            def keep(self, part: str, log: str | None, position: JsonObject) -> None:
                countdown.reached("before keeping")
                super().keep(part, log, position)
                countdown.reached("after keeping")

        return State(*arguments)


def toml(value: Any) -> str:
    """A value as TOML."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {toml(each)}" for key, each in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(toml, value)) + "]"
    return json.dumps(str(value) if isinstance(value, Path) else value)
