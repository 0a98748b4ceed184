"""The planners' forecast: replaced weekly, amended in between by deltas that name the version they amend."""

from random import Random

from engine.demo.world.agenda import Agenda
from engine.demo.world.calendar import at_local, iso_day
from engine.demo.world.history import Key
from engine.demo.world.outlet import Emit
from engine.demo.world.plan import Plan
from engine.demo.world.stock import Counters

WEEKS_AHEAD = 8
DELTA_SHARE = 0.1
SOURCE = "planning"


class Forecaster:
    """Publishes the plan's forecasts; one delta a week names a base version that was never sent, which is a gap."""

    def __init__(self, plan: Plan, agenda: Agenda, emit: Emit, counters: Counters) -> None:
        self._plan = plan
        self._agenda = agenda
        self._emit = emit
        self._counters = counters
        self._deltas: dict[tuple[Key, int], int] = {}

    def open(self, start: int) -> None:
        """Publish the first forecast at `start`, and put the later ones on the agenda."""
        for week, day in enumerate(range(self._plan.first, self._plan.last + 1, 7)):
            self._agenda.put(at_local(day, 4) if week else start, self._replace, week, day)
            if day + 2 <= self._plan.last:
                self._agenda.put(at_local(day + 2, 10), self._amend, week, day)

    def rate(self, key: Key, day: int) -> float:
        """Units a day as forecast on `day` for the days ahead."""
        week = (day - self._plan.first) // 7
        return self._plan.forecasts[key][week] + self._deltas.get((key, week), 0) / 7

    def _replace(self, week: int, day: int) -> None:
        for key, rates in self._plan.forecasts.items():
            # The first version reaches back a week, so that no day of the run is without a forecast.
            start = day if week else day - 7
            buckets = [
                {"start": iso_day(start + 7 * n), "days": 7, "qty": round(rates[week] * 7)} for n in range(WEEKS_AHEAD)
            ]
            data = {"sku": key[0], "location": key[1], "version": f"W{week}", "mode": "replace", "buckets": buckets}
            self._emit(SOURCE, f"fc-{week}-{key[1]}-{key[0]}", "forecast.revised", self._agenda.now, data)

    def _amend(self, week: int, day: int) -> None:
        draw = Random(f"{self._plan.seed}/forecast/{week}")
        keys = sorted(self._plan.forecasts)
        for key in draw.sample(keys, int(len(keys) * DELTA_SHARE)):
            change = round(self._plan.forecasts[key][week] * 7 * draw.uniform(-0.25, 0.4))
            if change:
                self._deltas[key, week] = change
                self._delta(key, (f"W{week}", f"W{week}.1"), day + 7, change)
        gap = draw.choice(keys)
        if (gap, week) not in self._deltas:
            self._counters.forecast_gaps += 1
            self._delta(gap, (f"W{week}.1", f"W{week}.2"), day + 7, 5)

    def _delta(self, key: Key, versions: tuple[str, str], start: int, change: int) -> None:
        base, version = versions
        data = {
            "sku": key[0],
            "location": key[1],
            "version": version,
            "mode": "delta",
            "base_version": base,
            "buckets": [{"start": iso_day(start), "days": 7, "qty": change}],
        }
        self._emit(SOURCE, f"fc-{version}-{key[1]}-{key[0]}", "forecast.revised", self._agenda.now, data)
