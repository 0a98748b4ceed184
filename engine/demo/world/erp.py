"""The ERP's own books, reported every night as of its cut-off, with errors planted whose causes are known.

An error stays for one to three nights and is then corrected. Movements shortly after the cut-off may slip into a
report: these errors are gone the next night by themselves.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random

from engine.demo.world.calendar import HOUR, MINUTE, SECOND, at_local, is_working_day
from engine.demo.world.history import Key
from engine.demo.world.shop import Shop
from engine.demo.world.stock import Movement, Row

CAUSES = ("not_posted", "posted_twice", "unit_factor", "flipped_sign", "transfer_leg", "cut_off")
_IN_TURN = ("not_posted", "posted_twice", "unit_factor", "flipped_sign")
SOURCE = "erp"
SMALLEST_ERROR = 3
_ERRORS_A_DAY = 2
_CUT_OFF_HOUR, _CUT_OFF_MINUTE = 15, 30
_SLIPS_WITHIN = 12 * MINUTE


@dataclass
class PlantedError:
    """An error in the ERP's balance of a row: its cause, the event that it comes from, and its size in base units.

    `moments` are the instants of the balance reports that were sent with it; `last_day` is the last day with it.
    """

    key: Key
    cause: str
    event: str
    offset: int
    last_day: int
    moments: list[int] = field(default_factory=list)


@dataclass
class Erp:
    """The simulated ERP: every night it reports the balances of the rows that moved, and of those with errors."""

    shop: Shop
    planted: list[PlantedError] = field(default_factory=list)
    reports: int = 0
    outage_day: int = 0
    _active: dict[Key, PlantedError] = field(default_factory=dict)
    _wrong: dict[tuple[Key, int], PlantedError] = field(default_factory=dict)
    _corrected: set[Key] = field(default_factory=set)
    _reported_until: int = 0
    _turn: int = 0

    def open(self) -> None:
        """Put every night's report on the agenda; one night, in the middle, the ERP is down."""
        plan = self.shop.plan
        self._reported_until = self.shop.start
        self.outage_day = (plan.first + plan.last) // 2 + 3 if plan.last - plan.first > 14 else 0
        for day in range(plan.first, plan.last + 1):
            if day != self.outage_day:
                # No movement falls on this instant: sales come at full milliseconds after a minute.
                at = at_local(day, _CUT_OFF_HOUR, _CUT_OFF_MINUTE) - SECOND // 2
                self.shop.agenda.put(at, self._cut_off, day, at)

    def _cut_off(self, day: int, at: int) -> None:
        self._correct(day)
        touched = [row for row in self.shop.rows.values() if row.recent and row.recent[-1].at > self._reported_until]
        since, self._reported_until = self._reported_until, at
        if is_working_day(day):
            self._plant(day, (max(since, at - 24 * HOUR), at), touched)
        keys = {row.key for row in touched} | set(self._active) | self._corrected
        # A night without movements is reported too: silence would look like a broken feed.
        keys = keys or {min(self.shop.rows)}
        self._corrected = set()
        balances = {key: (self.shop.rows[key].book_on_hand, self.shop.rows[key].book_held) for key in sorted(keys)}
        for key, error in self._active.items():
            balances[key] = (balances[key][0] + error.offset, balances[key][1])
            self._wrong[key, at] = error
        self.shop.agenda.put(at + _SLIPS_WITHIN, self._send, day, at, balances)

    def _correct(self, day: int) -> None:
        for key, error in list(self._active.items()):
            if day > error.last_day:
                del self._active[key]
                self.shop.excused.discard(key)
                self._corrected.add(key)

    def _plant(self, day: int, window: tuple[int, int], touched: list[Row]) -> None:
        draw = Random(f"{self.shop.plan.seed}/erp/{day}")
        rows = [row for row in touched if row.key not in self._active and row.counted_at < window[0]]
        draw.shuffle(rows)
        for number in range(_ERRORS_A_DAY):
            found = self._candidate(rows, window, transfers_first=not number)
            if found is None:
                return
            cause, row, movement, offset = found
            rows.remove(row)
            error = PlantedError(row.key, cause, movement.event, offset, day + draw.randint(0, 2))
            self.planted.append(error)
            self._active[row.key] = error
            self.shop.excused.add(row.key)

    def _candidate(
        self, rows: list[Row], window: tuple[int, int], transfers_first: bool
    ) -> tuple[str, Row, Movement, int] | None:
        """A cause and a movement for the next error: transfers come first, being rare; other causes take turns."""
        self._turn += 1
        causes = [_IN_TURN[(self._turn + n) % len(_IN_TURN)] for n in range(len(_IN_TURN))]
        for cause in ["transfer_leg", *causes] if transfers_first else causes:
            for row, movement, offset in _candidates(rows, cause, window):
                return cause, row, movement, offset
        return None

    def _send(self, day: int, at: int, balances: dict[Key, tuple[int, int]]) -> None:
        if is_working_day(day) and day % 3:
            self._slip(at, balances)
        draw = Random(f"{self.shop.plan.seed}/erp-send/{day}")
        for key, (on_hand, held) in balances.items():
            delay = draw.uniform(9, 15) if draw.random() < 0.05 else 5.5
            self.shop.agenda.put(at + int(delay * HOUR), self._report, day, at, key, (on_hand, held))

    def _slip(self, at: int, balances: dict[Key, tuple[int, int]]) -> None:
        """Let one movement from after the cut-off into the report."""
        for key in balances:
            row = self.shop.rows[key]
            after = [movement for movement in row.recent if movement.at > at]
            free = key not in self._active and row.counted_at < at - 24 * HOUR
            if free and len(after) == 1 and abs(after[0].change) >= SMALLEST_ERROR:
                error = PlantedError(key, "cut_off", after[0].event, after[0].change, 0)
                self.planted.append(error)
                self._wrong[key, at] = error
                balances[key] = (balances[key][0] + error.offset, balances[key][1])
                self._corrected.add(key)
                return

    def _report(self, day: int, at: int, key: Key, balance: tuple[int, int]) -> None:
        self.reports += 1
        if (key, at) in self._wrong:
            self._wrong.pop((key, at)).moments.append(at)
        data = {"sku": key[0], "location": key[1], "on_hand": balance[0], "held": balance[1]}
        self.shop.emit(SOURCE, f"BAL-{day}-{key[1]}-{key[0]}", "balance.reported", at, data)


_OFFSETS: dict[str, tuple[Callable[[Movement], bool], Callable[[Movement], int]]] = {
    "not_posted": (lambda movement: not movement.kind.startswith("transfer"), lambda movement: -movement.change),
    "posted_twice": (lambda movement: not movement.kind.startswith("transfer"), lambda movement: movement.change),
    "unit_factor": (
        lambda movement: movement.factor > 1,
        lambda movement: movement.change // movement.factor - movement.change,
    ),
    "flipped_sign": (lambda movement: not movement.kind.startswith("transfer"), lambda movement: -2 * movement.change),
    "transfer_leg": (lambda movement: movement.kind.startswith("transfer"), lambda movement: -movement.change),
}
"""For each cause: the movements that it can affect, and the error in base units that it makes of one."""


def _candidates(rows: list[Row], cause: str, window: tuple[int, int]) -> Iterator[tuple[Row, Movement, int]]:
    affects, offset_of = _OFFSETS[cause]
    for row in rows:
        for movement in row.recent:
            # A movement close to the cut-off would be explained as well by the cut-off.
            inside = window[0] < movement.at <= window[1] - HOUR
            if inside and affects(movement) and abs(offset_of(movement)) >= SMALLEST_ERROR:
                yield row, movement, offset_of(movement)
