"""The writing calls of a round: what is refused is remembered, and a failure that may pass ends them."""

from collections.abc import Callable, Coroutine, Mapping, Sequence
from datetime import datetime
from functools import partial

from connectors.orders.decisions import Lines, by_signal, changes, kept, missing, placements, surplus
from connectors.orders.memory import Memory
from connectors.orders.settings import PushSettings
from connectors.orders.signals import PushedSignal
from connectors.orders.system import OrderSystem, PushRefused, WantedLine
from connectors.ports import Unmapped
from connectors.profiles import Unreachable

LINES_OF_A_CALL = 50
NO_SUPPLIER = "the signal names no supplier: give the policy of its row one"

Call = Callable[[], Coroutine[None, None, None]]


class Calls:
    """Acts on the difference between signals and lines; `unreachable` is the failure that ended it."""

    def __init__(
        self, system: OrderSystem, memory: Memory, settings: PushSettings, clock: Callable[[], datetime]
    ) -> None:
        self.unreachable: Unreachable | None = None
        self._system, self._memory, self._settings, self._clock = system, memory, settings, clock
        self._made = 0

    async def act(self, signals: Mapping[str, PushedSignal], lines: Lines) -> bool:
        """Write the difference; whether that wrote anything and may go on.

        What is over is removed first, so that nothing joins its draft.
        """
        self._made = 0
        for removal in surplus(signals, lines):
            await self._alone(removal.line.key.signal, partial(self._system.remove_line, removal.line))
        for change in changes(signals, lines):
            write = partial(self._system.change_line, change.line, change.wanted)
            await self._alone(change.line.key.signal, write)
        for place in placements(self._ready(signals, lines), lines):
            document: str | None = place.document
            for start in range(0, len(place.lines), LINES_OF_A_CALL):
                document = await self._place(document, place.lines[start : start + LINES_OF_A_CALL])
        return self._made > 0 and self.unreachable is None

    def _ready(self, signals: Mapping[str, PushedSignal], lines: Lines) -> list[PushedSignal]:
        due = [each for each in missing(signals.values(), lines, self._memory.let_go) if not self._waits(each.id)]
        for signal in due:
            if signal.supplier is None:
                self._failed(signal.id, NO_SUPPLIER)
        return [signal for signal in due if signal.supplier is not None]

    async def _place(self, document: str | None, lines: Sequence[WantedLine]) -> str | None:
        """Write all lines in one call; where that is refused each by itself, so that a wrong one costs only itself.

        Returns the draft that they are in, so that further ones join it; None where there is none.
        """
        signals = [line.key.signal for line in lines]
        together = len(lines) > 1 and self.unreachable is None
        if together and await self._call(signals, self._put(document, lines)) is None:
            return document or await self._draft_with(lines[0])
        for line in lines:
            if await self._alone(line.key.signal, self._put(document, [line])) and document is None:
                document = await self._draft_with(line)
        return document

    def _put(self, document: str | None, lines: Sequence[WantedLine]) -> Call:
        if document is None:
            return partial(self._system.create_draft, lines)
        return partial(self._system.add_lines, document, lines)

    async def _draft_with(self, wanted: WantedLine) -> str | None:
        try:
            found = by_signal(await self._system.find([wanted.key.signal]))
        except Unreachable as error:
            self.unreachable = error
            return None
        line = kept(found, wanted.key.signal)
        return None if line is None or line.state != "draft" else line.document

    async def _alone(self, signal: str, write: Call) -> bool:
        """A call about one signal, unless its back-off lasts. Whether it is written."""
        if self._waits(signal):
            return False
        why = await self._call([signal], write)
        if why is not None and self.unreachable is None:
            self._failed(signal, why)
        return why is None

    async def _call(self, signals: Sequence[str], write: Call) -> str | None:
        """None once it is written, or why it was refused. What may pass counts as an attempt of all its signals."""
        try:
            await write()
        except (PushRefused, Unmapped) as refused:
            return str(refused)
        except Unreachable as error:
            self.unreachable = error
            for signal in signals:
                self._failed(signal, str(error))
            return str(error)
        self._made += 1
        return None

    def _waits(self, signal: str) -> bool:
        return self.unreachable is not None or self._memory.waits(signal, self._clock())

    def _failed(self, signal: str, detail: str) -> None:
        self._memory.failed(signal, detail, self._clock(), self._settings)
