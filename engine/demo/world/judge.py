"""Compares the engine's drift alerts with the errors that were planted in the ERP's balances."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypedDict

from connectors.base import JsonObject
from engine.demo.world.calendar import SECOND
from engine.demo.world.erp import CAUSES, PlantedError


class CauseFigures(TypedDict):
    """How many errors of one cause were planted, found, and given the right cause and event; `taken_for` others."""

    planted: int
    found: int
    right_cause: int
    right_event: int
    taken_for: dict[str, int]


class DriftFigures(TypedDict):
    """The same counts for all causes, and the alarms: how many there were, and how many no planted error explains."""

    planted: int
    found: int
    right_cause: int
    right_event: int
    alarms: int
    false_alarms: int
    false_examples: list[str]
    by_cause: dict[str, CauseFigures]


@dataclass(frozen=True)
class Finding:
    """A drift alert at one moment: its row, the moment of the balance report, and its causes, the likeliest first.

    A cause is its name and the events that it is traced to; `as_of` is in microseconds UTC.
    """

    alert: str
    key: tuple[str, str]
    as_of: int
    causes: tuple[tuple[str, frozenset[str]], ...]


@dataclass
class Verdict:
    """The counts of planted errors by cause, of those that were found, and of alarms that no planted error explains."""

    planted: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    right_cause: Counter[str] = field(default_factory=Counter)
    right_event: Counter[str] = field(default_factory=Counter)
    taken_for: Counter[tuple[str, str]] = field(default_factory=Counter)
    alarms: int = 0
    false_alarms: int = 0
    false_examples: list[str] = field(default_factory=list)

    def figures(self) -> DriftFigures:
        """The totals, and the figures of each cause."""
        return {
            "planted": self.planted.total(),
            "found": self.found.total(),
            "right_cause": self.right_cause.total(),
            "right_event": self.right_event.total(),
            "alarms": self.alarms,
            "false_alarms": self.false_alarms,
            "false_examples": self.false_examples,
            "by_cause": {cause: self._of(cause) for cause in CAUSES},
        }

    def _of(self, cause: str) -> CauseFigures:
        return {
            "planted": self.planted[cause],
            "found": self.found[cause],
            "right_cause": self.right_cause[cause],
            "right_event": self.right_event[cause],
            "taken_for": {wrong: n for (true, wrong), n in self.taken_for.items() if true == cause},
        }


class Judge:
    """Keeps the drift alerts as they first were: later balance reports and the correction change an alert."""

    def __init__(self) -> None:
        self._findings: dict[tuple[str, int], Finding] = {}

    def observe(self, alerts: Iterable[JsonObject]) -> None:
        """Take the open drift alerts; of the states of an alert about one moment the first one is kept."""
        for alert in alerts:
            finding = finding_of(alert)
            self._findings.setdefault((finding.alert, finding.as_of), finding)

    def verdict(self, planted: Iterable[PlantedError]) -> Verdict:
        """Compare the alerts with the planted errors.

        An alarm is an alert; it is false if none of its moments belongs to a planted error of its row.
        """
        verdict, explained = Verdict(), set()
        by_key: dict[tuple[str, str], list[Finding]] = {}
        for finding in self._findings.values():
            by_key.setdefault(finding.key, []).append(finding)
        for error in planted:
            verdict.planted[error.cause] += 1
            hits = [finding for finding in by_key.get(error.key, ()) if finding.as_of in error.moments]
            if hits:
                explained |= {finding.alert for finding in hits}
                _credit(verdict, error, min(hits, key=lambda finding: finding.as_of))
        alarms = {finding.alert: finding for finding in self._findings.values()}
        false = [finding for name, finding in alarms.items() if name not in explained]
        verdict.alarms, verdict.false_alarms = len(alarms), len(false)
        verdict.false_examples = [f"{finding.alert} {'/'.join(finding.key)}" for finding in false[:5]]
        return verdict


def finding_of(alert: JsonObject) -> Finding:
    """Read a `balance_drift` alert."""
    evidence = alert["evidence"]
    causes = tuple((str(cause["cause"]), frozenset(cause.get("events", ()))) for cause in evidence.get("causes", ()))
    return Finding(alert["id"], (alert["sku"], alert["location"]), _instant(evidence["as_of"]), causes)


def _credit(verdict: Verdict, error: PlantedError, finding: Finding) -> None:
    verdict.found[error.cause] += 1
    first, events = finding.causes[0] if finding.causes else ("none", frozenset())
    if first != error.cause:
        verdict.taken_for[error.cause, first] += 1
        return
    verdict.right_cause[error.cause] += 1
    verdict.right_event[error.cause] += error.event in events


def _instant(moment: str | int) -> int:
    """A moment in microseconds UTC; it is rounded, since the text is exact to the microsecond and a float is not."""
    if isinstance(moment, int):
        return moment
    return round(datetime.fromisoformat(moment).timestamp() * SECOND)
