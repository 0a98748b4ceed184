"""How fast the log grows and is folded: measured between samples of at most about the last minute."""

from engine.bus.single import Commit, Output
from engine.runtime.submission import Progress
from engine.web.flow import Flow, FlowMeter

TOPIC = "stockline.events"


def meter() -> FlowMeter:
    return FlowMeter(2)


def measured(meter: FlowMeter, end: int, applied: int, at: float) -> Flow:
    return meter.measure([Progress(end, applied), Progress(0, 0)], {}, at)


def committed(rows: int, signals: int, partition: int = 1) -> Commit:
    outputs = [Output("signals", "A", str(number), b"", "signal.opened") for number in range(signals)]
    return Commit(partition, (), [(b"s", b"")] * rows, outputs, (), b"", 0)


def test_the_first_answer_tells_offsets_and_no_rate() -> None:
    first, quiet = measured(meter(), 100, 90, 5.0).items
    assert (first.topic, first.partition, first.end, first.applied, first.lag) == (TOPIC, 0, 100, 90, 10)
    assert (first.arriving, first.applying, quiet.partition) == (None, None, 1)


def test_rates_are_events_a_second_since_the_earliest_sample() -> None:
    flows = meter()
    measured(flows, 100, 90, 0.0)
    measured(flows, 200, 150, 10.0)
    flow = measured(flows, 300, 290, 20.0)
    assert (flow.seconds, flow.items[0].arriving, flow.items[0].applying) == (20.0, 10.0, 10.0)
    assert flow.items[1].arriving == 0.0


def test_what_is_older_than_a_minute_counts_no_more() -> None:
    flows = meter()
    for second in range(0, 200, 10):
        measured(flows, 0, 0, float(second))
    flow = measured(flows, 600, 600, 200.0)
    assert (flow.seconds, flow.items[0].arriving) == (60.0, 10.0)


def test_calls_many_times_a_second_measure_over_the_same_minute() -> None:
    flows = meter()
    flow = [measured(flows, step, step, step / 100) for step in range(10_000)][-1]
    assert 60.0 <= flow.seconds < 62.0
    assert flow.items[0].arriving == 100.0


def test_another_number_of_partitions_begins_anew() -> None:
    flows = meter()
    flows.measure([], {}, 0.0)
    assert measured(flows, 10, 10, 5.0).items[0].arriving is None


def test_what_is_published_is_counted_by_topic_and_partition_with_its_rate() -> None:
    flows = meter()
    flows.published.committed([committed(3, 1)])
    measured(flows, 0, 0, 0.0)
    flows.published.committed([committed(10, 0), committed(10, 5), committed(1, 0, partition=0)])
    found = {(each.topic, each.partition): each for each in measured(flows, 0, 0, 10.0).outputs}
    assert len(found) == 12, "five topics of outputs and the changed rows, two partitions each"
    rows, signals = found["stockline.state", 1], found["stockline.signals", 1]
    assert (rows.records, rows.publishing, signals.records, signals.publishing) == (23, 2.0, 6, 0.5)
    assert found["stockline.state", 0].records == 1
    assert (found["stockline.alerts", 0].records, found["stockline.alerts", 0].publishing) == (0, 0.0)


def test_what_has_not_come_to_this_process_yet_is_told_where_it_follows_topics() -> None:
    flow = meter().measure([Progress(0, 0)] * 2, {"stockline.signals": [0, 7]}, 0.0)
    lags = {(each.topic, each.partition): each.lag for each in flow.outputs}
    assert (lags["stockline.signals", 1], lags["stockline.signals", 0], lags["stockline.alerts", 1]) == (7, 0, 0)
