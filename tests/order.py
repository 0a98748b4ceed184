"""In which order the files begin where several processes share them: the longest first, so that none ends long after.

A file that is not named here comes after these.
"""

import pytest

LONGEST = (
    # What fetches most begins first, each from somewhere else: two that fetch the same would wait for each other.
    "integration/test_containers.py",
    "integration/test_tryton.py",
    "e2e/test_lifelike.py",
    "integration/test_chaos.py",
    "integration/test_tryton_orders.py",
    "integration/test_upgrade.py",
    "integration/test_kafka.py",
    "integration/test_kafka_topics.py",
    "integration/test_kafka_limits.py",
    "unit/test_contributing_document.py",
    "integration/test_benchmarks.py",
    "integration/test_kafka_source.py",
    "integration/test_kill.py",
    "e2e/test_supplier_login.py",
    "integration/test_connectors.py",
    "e2e/test_today.py",
    "integration/test_tryton_promises.py",
    "integration/test_retention.py",
    "integration/test_api.py",
    "contract/test_kafka_cluster.py",
    "integration/test_database_published.py",
    "integration/test_damage_said.py",
    "e2e/test_kafka_pages.py",
    "integration/test_edi_outbound.py",
    "integration/test_logins.py",
    "integration/test_kafka_secure.py",
    "integration/test_asyncapi.py",
    "integration/test_send.py",
    "integration/test_database.py",
    "integration/test_backup.py",
    "integration/test_installed.py",
    "integration/test_readme.py",
    "integration/test_figures.py",
    "integration/test_folder.py",
    "integration/test_stream.py",
    "integration/test_identifiers_table.py",
    "integration/test_bench_view.py",
    "integration/test_start_and_stop.py",
    "integration/test_kafka_logins.py",
    "integration/test_demo.py",
    "integration/test_webhook.py",
    "e2e/test_stock.py",
    "integration/test_send_edi.py",
    "integration/test_rest.py",
    "integration/test_time.py",
    "integration/test_terminal.py",
    "simulation/test_cluster.py",
    "simulation/test_simulation.py",
    "simulation/test_rest.py",
)


def longest_first(items: list[pytest.Item]) -> None:
    """Bring the tests of the longest files to the front; within a file they keep their order."""
    ranks = {name: rank for rank, name in enumerate(LONGEST)}
    items.sort(key=lambda item: ranks.get("/".join(item.path.parts[-2:]), len(LONGEST)))
