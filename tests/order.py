"""In which order the files begin where several processes share them: the longest first, so that none ends long after.

A file that is not named here comes after these.
"""

import pytest

LONGEST = (
    "integration/test_tryton.py",
    "e2e/test_lifelike.py",
    "e2e/test_today.py",
    "e2e/test_stock.py",
    "e2e/test_kafka_pages.py",
    "integration/test_chaos.py",
    "integration/test_kafka.py",
    "integration/test_tryton_orders.py",
    "integration/test_tryton_promises.py",
    "simulation/test_cluster.py",
    "integration/test_installed.py",
    "integration/test_containers.py",
    "integration/test_retention.py",
    "integration/test_send.py",
    "integration/test_kafka_limits.py",
    "contract/test_kafka_cluster.py",
    "simulation/test_simulation.py",
    "simulation/test_rest.py",
    "unit/test_contributing_document.py",
    "integration/test_upgrade.py",
    "integration/test_kafka_source.py",
    "integration/test_kill.py",
    "integration/test_damage_said.py",
    "integration/test_demo.py",
    "integration/test_backup.py",
    "integration/test_benchmarks.py",
    "integration/test_terminal.py",
    "integration/test_readme.py",
    "integration/test_time.py",
)


def longest_first(items: list[pytest.Item]) -> None:
    """Bring the tests of the longest files to the front; within a file they keep their order."""
    ranks = {name: rank for rank, name in enumerate(LONGEST)}
    items.sort(key=lambda item: ranks.get("/".join(item.path.parts[-2:]), len(LONGEST)))
