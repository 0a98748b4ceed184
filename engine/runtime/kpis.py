"""Business figures, from what the tasks have counted."""

from typing import Any


def kpis(counters: dict[str, int], rows: int) -> dict[str, Any]:
    """The figures of `GET /v1/kpis`.

    Args:
        counters: the tasks' counters, added up.
        rows: the number of rows (sku, location).
    """
    return {
        "rows": rows,
        "events": _under(counters, "events:"),
        "duplicates": counters.get("duplicates", 0),
        "dead_letters": _under(counters, "dead_letters:"),
        "signals": _signals(counters),
        "alerts": _alerts(counters),
    }


def _under(counters: dict[str, int], prefix: str) -> dict[str, int]:
    return {name[len(prefix) :]: count for name, count in sorted(counters.items()) if name.startswith(prefix)}


def _signals(counters: dict[str, int]) -> dict[str, Any]:
    """Signals by what became of them and by disposition; `open` are those that are neither withdrawn nor closed."""
    found = {kind: _under(counters, f"signal.{kind}:") for kind in ("opened", "amended", "withdrawn", "closed")}
    opened, withdrawn, closed = (sum(found[kind].values()) for kind in ("opened", "withdrawn", "closed"))
    return {**found, "open": opened - withdrawn - closed}


def _alerts(counters: dict[str, int]) -> dict[str, dict[str, int]]:
    opened, resolved = _under(counters, "alert.opened:"), _under(counters, "alert.resolved:")
    return {
        kind: {"opened": count, "open": count - resolved.get(kind, 0), "resolved": resolved.get(kind, 0)}
        for kind, count in opened.items()
    }
