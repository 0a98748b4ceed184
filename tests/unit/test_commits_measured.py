"""How long commits take: a histogram that both ways of running expose, and a span of each commit of a worker."""

from __future__ import annotations

from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client.parser import text_string_to_metric_families

from engine.bus.memory.broker import MemoryBroker
from engine.runtime.cluster.worker import WorkerCounts
from engine.runtime.commits import CommitCounts
from engine.telemetry import WorkerFigures, worker_metrics
from engine.telemetry.fold import COMMIT_BOUNDS, Commits
from engine.telemetry.tracing import TRACING
from tests.simulation.loop import virtual_time
from tests.unit.test_worker_pacing import EVENTS, folded


def exposed(commits: Commits) -> dict[str, float]:
    """The samples of the commits: of the histogram by the bound, of the others by the name."""
    figures = WorkerFigures(1, 0, {}, {}, commits, 0, (0, 0.0), 0.0)
    families = text_string_to_metric_families(worker_metrics(lambda: figures).decode())
    samples = [sample for family in families for sample in family.samples if "commit" in sample.name]
    return {sample.labels.get("le", sample.name): sample.value for sample in samples}


def test_a_scrape_tells_how_many_commits_took_how_long() -> None:
    counts = CommitCounts()
    for seconds in (0.0005, 0.002, 0.0025, 0.2, 30.0):
        counts.succeeded(seconds)
    found = exposed(counts.figures())
    buckets = [found[repr(bound)] for bound in COMMIT_BOUNDS]
    assert buckets == [1, 3, 3, 3, 3, 3, 3, 4, 4, 4, 4, 4, 4]
    assert (found["+Inf"], found["stockline_commit_seconds_count"], found["stockline_commits_total"]) == (5, 5, 5)
    assert (found["stockline_commit_seconds_sum"], found["stockline_last_commit_seconds"]) == (30.205, 30.0)


def test_a_process_that_has_committed_nothing_says_so() -> None:
    assert set(exposed(WorkerCounts().figures()).values()) == {0}


def test_each_commit_of_a_worker_is_a_span_with_its_partition_and_records() -> None:
    exporter, broker = InMemorySpanExporter(), MemoryBroker(1)
    TRACING.begin(exporter)
    try:
        with virtual_time() as runner:
            counts = runner.run(folded(broker))
    finally:
        TRACING.end()
    spans = [span.attributes or {} for span in exporter.get_finished_spans() if span.name == "commit"]
    assert len(spans) == exposed(counts.figures())["stockline_commits_total"] == len(broker.journal(0))
    assert {span["stockline.partition"] for span in spans} == {0}
    assert sum(int(str(span["stockline.records"])) for span in spans) == EVENTS
