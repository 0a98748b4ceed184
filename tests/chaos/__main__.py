"""`make chaos`: python -m tests.chaos [--seed N] [--kills N] [--per-second N] [--faults a,b] [--json]."""

import argparse
import asyncio
import logging
import sys

from tests.chaos.run import Plan, report, run
from tests.real.kafka import Missing


def main() -> int:
    """Run once; 0 where nothing was lost, doubled or wrong, 1 where something was, 3 without Kafka."""
    parser = argparse.ArgumentParser(prog="chaos")
    plan = Plan()
    parser.add_argument("--seed", type=int, default=plan.seed)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--per-second", type=int, default=plan.per_second)
    parser.add_argument("--workers", type=int, default=plan.workers)
    parser.add_argument("--faults", default=",".join(plan.faults), help="with commas between; empty for none")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    names = [name for name in given.faults.split(",") if name]
    try:
        outcome = asyncio.run(run(Plan(given.seed, given.kills, given.per_second, given.workers, names)))
    except Missing as missing:
        print(f"chaos: {missing}", file=sys.stderr)
        return 3
    print(report(outcome, given.json))
    return 0 if outcome.good else 1


if __name__ == "__main__":
    sys.exit(main())
