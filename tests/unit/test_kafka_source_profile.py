"""Profiles of foreign topics: what may be in one, and what a wrong one is told."""

from pathlib import Path

import pytest

import connectors.kafka_source
from connectors.kafka_source import load_profile
from connectors.kafka_source.profile import SourceProfile
from engine.core.errors import UsageError

EXAMPLE = Path(connectors.kafka_source.__file__).parent / "data" / "example.toml"


def test_the_example_is_a_profile() -> None:
    assert load_profile(EXAMPLE).topic_names == ["wms.movements", "erp.events", "shop.events"]


JSON_TOPIC = {"topic": "a", "format": "json", "rules": [{"type": "stock.held", "data": {"sku": "A"}}]}


@pytest.mark.parametrize(
    ("topic", "fault"),
    [
        ({"topic": "a", "format": "json"}, "has rules"),
        ({"topic": "stockline.events", "format": "cloudevents"}, "a topic of Stockline itself"),
        ({"topic": "a b", "format": "cloudevents"}, "topics.0.topic"),
        ({"topic": "a", "format": "cloudevents", "source": "x"}, "source: only a topic with rules"),
        ({"topic": "a", "format": "avro"}, "topics.0.format"),
        (JSON_TOPIC | {"time_zone": "Mars/Base"}, "Mars/Base"),
        (JSON_TOPIC | {"rules": [{"type": "stock.sold", "data": {"sku": "A"}}]}, "stock.sold"),
        (JSON_TOPIC | {"rules": [{"type": "clock.ticked", "data": {"sku": "A"}}]}, "clock.ticked"),
        (JSON_TOPIC | {"units": {"DZ": 0}}, "at least 1"),
        (JSON_TOPIC | {"colour": "red"}, "topics.0.colour"),
    ],
)
def test_a_wrong_profile_is_refused_with_the_place_of_the_fault(topic: str, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        SourceProfile.model_validate({"name": "north", "topics": [topic]})


def test_a_profile_that_cannot_be_read_is_a_wrong_usage(tmp_path: Path) -> None:
    path = tmp_path / "p.toml"
    with pytest.raises(UsageError, match="cannot read"):
        load_profile(path)
    path.write_text("name =")
    with pytest.raises(UsageError, match="not TOML"):
        load_profile(path)
    path.write_text('name = "n"\n[[topics]]\ntopic = "a"\nformat = "cloudevents"\n' * 1 + "[[topics]]\n")
    with pytest.raises(UsageError, match=r"topics\.1\.topic: this key is missing"):
        load_profile(path)
