"""`make mutants`: which small changes of agents and engine/core no rule notices.

Survivors that are kept are named in `survivors.json` with the reason why no rule tells them apart; they do not count.
The exit code is 1 where more than a tenth of all other mutants of the run survive, or where a run of every mutant of
every module finds that a kept survivor is killed or gone; else it is 0. One module may be above a tenth.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections import Counter, defaultdict
from collections.abc import Mapping
from itertools import takewhile
from pathlib import Path
from time import monotonic
from typing import Any

from tests.mutation.mutants import Module, Mutant
from tests.mutation.run import Fate, Result, Runner, paths_of
from tests.unit.rules.tables import RULES

KEPT = Path(__file__).with_name("survivors.json")
MOST_SURVIVING = 0.1


def main() -> int:
    options = _options()
    modules = [Module(path) for path in paths_of(options.modules)]
    mutants = _chosen([mutant for module in modules for mutant in module.mutants], options)
    results = _run(modules, mutants, options)
    kept: dict[str, str] = json.loads(KEPT.read_text(encoding="utf-8"))
    report = _report(results, kept)
    json.dump(report, sys.stdout, indent=1) if options.json else _print(report)
    whole = not options.modules and len(results) == len(mutants) and not options.sample
    stale = sorted(set(kept) - {result.mutant.key for result in results if _lives(result.fate)}) if whole else []
    for key in stale:
        print(f"{KEPT.name} names a mutant that is gone or is killed: {key}", file=sys.stderr)
    return int(report["surviving"] > MOST_SURVIVING or bool(stale))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("modules", nargs="*", help="parts of module names, such as `ledger`; all without one")
    parser.add_argument("--sample", type=int, default=0, help="at most so many mutants of each module")
    parser.add_argument("--seed", type=int, default=1, help="which ones a sample takes")
    parser.add_argument("--seconds", type=int, default=0, help="begin no other mutant after so long")
    parser.add_argument("--workers", type=int, default=2, help="how many mutants run at once")
    parser.add_argument("--json", action="store_true", help="the result as JSON on standard output")
    return parser.parse_args()


def _chosen(mutants: list[Mutant], options: argparse.Namespace) -> list[Mutant]:
    chance = random.Random(options.seed)
    if not options.sample:
        return chance.sample(mutants, len(mutants)) if options.seconds else mutants
    by_module: dict[str, list[Mutant]] = defaultdict(list)
    for mutant in mutants:
        by_module[mutant.module].append(mutant)
    chosen = [one for some in by_module.values() for one in chance.sample(some, min(len(some), options.sample))]
    return chance.sample(chosen, len(chosen))


def _run(modules: list[Module], mutants: list[Mutant], options: argparse.Namespace) -> list[Result]:
    results: list[Result] = []

    def note(result: Result) -> None:
        results.append(result)
        if _lives(result.fate):
            print(f"{result.fate}: {result.mutant.key}", file=sys.stderr)
        if not len(results) % 100 or len(results) == len(mutants):
            print(f"\r{len(results)} of {len(mutants)} mutants", end="", file=sys.stderr, flush=True)

    end = monotonic() + options.seconds
    timely = takewhile(lambda _: not options.seconds or monotonic() < end, mutants)
    Runner(RULES, modules).run(timely, options.workers, note)
    print(file=sys.stderr)
    return results


def _lives(fate: Fate) -> bool:
    return fate in ("survived", "not called")


def _report(results: list[Result], kept: dict[str, str]) -> dict[str, Any]:
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    survivors = []
    for mutant, fate in results:
        if fate == "invalid":
            continue
        counts[mutant.module]["mutants"] += 1
        counts[mutant.module]["survived"] += _lives(fate)
        counts[mutant.module]["kept"] += _lives(fate) and mutant.key in kept
        if _lives(fate) and mutant.key not in kept:
            survivors.append({"mutant": mutant.key, "line": mutant.line, "fate": fate})
    total = {name: sum(count[name] for count in counts.values()) for name in ("mutants", "survived", "kept")}
    return {
        "modules": {name: dict(count) for name, count in sorted(counts.items())},
        "total": total,
        "surviving": round(_surviving(total), 4),
        "survivors": survivors,
    }


def _surviving(count: Mapping[str, int]) -> float:
    """The share of mutants that survive, of all but those that are kept."""
    return (count["survived"] - count["kept"]) / max(1, count["mutants"] - count["kept"])


def _print(report: dict[str, Any]) -> None:
    for survivor in report["survivors"]:
        print(f"{survivor['fate']}: line {survivor['line']}: {survivor['mutant']}")
    for name, count in {**report["modules"], "all": report["total"]}.items():
        lives = count["survived"] - count["kept"]
        share = _surviving(count)
        print(f"{name:32} {count['mutants']:5} mutants {lives:4} survive ({share:.1%}), {count['kept']} kept")


if __name__ == "__main__":
    sys.exit(main())
