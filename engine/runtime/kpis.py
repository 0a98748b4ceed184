"""Business figures, computed from the counters that the folds keep in their markers."""

from collections.abc import Mapping

from engine.bus.single import Named
from engine.runtime.business import business

_OUTCOMES = {"events": "applied", "duplicates": "duplicate", "dead_letters": "refused"}
"""What a counter's name begins with -> the outcome that it counts."""


def outcomes_of(counters: Mapping[str, int]) -> dict[str, int]:
    """How many events were applied, were duplicates and were refused.

    Args:
        counters: the counters of all partitions, added up.
    """
    outcomes = dict.fromkeys(_OUTCOMES.values(), 0)
    for name, count in counters.items():
        if (outcome := _OUTCOMES.get(name.partition(":")[0])) is not None:
            outcomes[outcome] += count
    return outcomes


def kpis(bus: Named, counters: Mapping[str, int], now: int, days: int | None) -> dict[str, object]:
    """The figures of `GET /v1/kpis`, JSON-ready.

    Args:
        bus: what is committed.
        counters: the counters of all partitions, added up.
        now: the instant to look from, in microseconds.
        days: the days that `business` is about; None is the whole log.
    """
    return {
        "rows": bus.published.count("positions"),
        "events": _under(counters, "events:"),
        "duplicates": counters.get("duplicates", 0),
        "dead_letters": _under(counters, "dead_letters:"),
        "signals": _signals(counters),
        "alerts": _alerts(counters),
        "business": business(bus, now, days),
    }


def _under(counters: Mapping[str, int], prefix: str) -> dict[str, int]:
    return {name[len(prefix) :]: count for name, count in sorted(counters.items()) if name.startswith(prefix)}


def _signals(counters: Mapping[str, int]) -> dict[str, object]:
    """Signals by what became of them and by disposition; `open` are those that are neither withdrawn nor closed."""
    found = {kind: _under(counters, f"signal.{kind}:") for kind in ("opened", "amended", "withdrawn", "closed")}
    opened, withdrawn, closed = (sum(found[kind].values()) for kind in ("opened", "withdrawn", "closed"))
    return {**found, "open": opened - withdrawn - closed}


def _alerts(counters: Mapping[str, int]) -> dict[str, dict[str, int]]:
    opened, resolved = _under(counters, "alert.opened:"), _under(counters, "alert.resolved:")
    return {
        kind: {"opened": count, "open": count - resolved.get(kind, 0), "resolved": resolved.get(kind, 0)}
        for kind, count in opened.items()
    }
