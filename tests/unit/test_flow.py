"""How fast the log grows and is folded: measured between samples of at most about the last minute."""

from engine.runtime.submission import Progress
from engine.web.flow import Flow, FlowMeter

TOPIC = "stockline.events"


def measured(meter: FlowMeter, end: int, applied: int, at: float) -> Flow:
    return meter.measure(TOPIC, [Progress(end, applied), Progress(0, 0)], at)


def test_the_first_answer_tells_offsets_and_no_rate() -> None:
    first, quiet = measured(FlowMeter(), 100, 90, 5.0).items
    assert (first.topic, first.partition, first.end, first.applied, first.lag) == (TOPIC, 0, 100, 90, 10)
    assert (first.arriving, first.applying, quiet.partition) == (None, None, 1)


def test_rates_are_events_a_second_since_the_earliest_sample() -> None:
    meter = FlowMeter()
    measured(meter, 100, 90, 0.0)
    measured(meter, 200, 150, 10.0)
    flow = measured(meter, 300, 290, 20.0)
    assert (flow.seconds, flow.items[0].arriving, flow.items[0].applying) == (20.0, 10.0, 10.0)
    assert flow.items[1].arriving == 0.0


def test_what_is_older_than_a_minute_counts_no_more() -> None:
    meter = FlowMeter()
    for second in range(0, 200, 10):
        measured(meter, 0, 0, float(second))
    flow = measured(meter, 600, 600, 200.0)
    assert (flow.seconds, flow.items[0].arriving) == (60.0, 10.0)


def test_calls_many_times_a_second_measure_over_the_same_minute() -> None:
    meter = FlowMeter()
    flow = [measured(meter, step, step, step / 100) for step in range(10_000)][-1]
    assert 60.0 <= flow.seconds < 62.0
    assert flow.items[0].arriving == 100.0


def test_another_number_of_partitions_begins_anew() -> None:
    meter = FlowMeter()
    meter.measure(TOPIC, [], 0.0)
    assert measured(meter, 10, 10, 5.0).items[0].arriving is None
