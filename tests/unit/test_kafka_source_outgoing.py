"""What the Kafka source writes: to which partitions, in how many transactions, and dead letters of any length."""

import base64
import json

import pytest

from connectors.kafka_source import outgoing as outgoing_module
from connectors.kafka_source.outgoing import MAX_LETTER_BYTES, Portion, Target, outgoing, portions
from connectors.kafka_source.translate import Translated, Translation
from engine.core.outcomes import Rejection
from engine.core.values import partition_of
from engine.kafka.headers import BROADCAST_HEADER
from tests.unit.test_kafka_source import TARGET, out, received, translation


@pytest.fixture(scope="module")
def translate() -> Translation:
    return translation()


def test_an_event_goes_to_the_partition_of_its_sku(translate: Translation) -> None:
    record = received("wms", out())
    (sent,) = outgoing(record, translate(record), TARGET)
    assert (sent.topic, sent.partition, sent.key) == ("stockline.events", partition_of("85123A", 8), b"85123A")


def test_an_event_for_all_goes_to_every_partition_and_says_so(translate: Translation) -> None:
    record = received("wms", {"kind": "SITE", "site": "LDS"})
    translated = translate(record)
    assert isinstance(translated, Translated)
    sent = outgoing(record, translated, TARGET)
    assert [copy.partition for copy in sent] == list(range(8))
    assert {copy.value for copy in sent} == {translated.value}
    assert all(copy.headers == [BROADCAST_HEADER] for copy in sent)


def test_a_record_too_long_for_a_dead_letter_is_named_by_its_digest() -> None:
    record = received("wms", b"\xff" * 20_000_000)
    (letter,) = outgoing(record, Rejection("untranslatable", "why"), TARGET)
    data = json.loads(letter.value)["data"]
    assert "20000000 bytes" in data["detail"]
    assert data["detail"].endswith("why")
    assert not {"raw", "raw_base64"} & set(data)


def test_what_is_too_long_for_one_transaction_is_cut_at_a_record(
    translate: Translation, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = Target(1_000, "north")
    sites = [received("wms", {"kind": "SITE", "site": f"L{n}"})._replace(offset=100 + 10 * n) for n in range(9)]

    def cut(length: int) -> list[Portion]:
        monkeypatch.setattr(outgoing_module, "COMMIT_BYTES", length)
        return list(portions(sites, translate, target, 195))

    (whole,) = cut(1 << 30)
    thirds = cut(sum(len(out.value) for out in whole.sent) // 3)
    assert [(len(portion.sent), portion.reached) for portion in thirds] == [(3_000, 130), (3_000, 160), (3_000, 195)]
    assert [out for portion in thirds for out in portion.sent] == whole.sent
    assert [portion.reached for portion in cut(1)] == [*range(110, 190, 10), 195]
    assert [portion.reached for portion in portions([], translate, target, 195)] == [195]


def test_a_long_text_full_of_control_characters_is_kept_and_fits() -> None:
    record = received("wms", b"\x01" * 16_000_000)
    (letter,) = outgoing(record, Rejection("untranslatable", "x\ud800" * 10_000), TARGET)
    assert len(letter.value) < MAX_LETTER_BYTES
    assert base64.b64decode(json.loads(letter.value)["data"]["raw_base64"]) == record.value
