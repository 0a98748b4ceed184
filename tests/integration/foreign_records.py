"""Records of other teams for the tests of the Kafka source: of every form, and poison among them."""

import json
from typing import Any, NamedTuple

FOREIGN_PARTITIONS = 3


class Foreign(NamedTuple):
    """A record of another team; `becomes` is the (source, id) of its event, None for a poison record."""

    partition: int
    value: bytes
    headers: list[tuple[str, bytes]]
    becomes: str | None = None
    kind: str = "stock.issued"


def foreign(feed: str, topic: str, count: int) -> list[Foreign]:
    """Records of one topic: every 50th is poison, one in a thousand is for all partitions, JSON has notes besides."""
    made = []
    for number in range(count):
        partition = number % FOREIGN_PARTITIONS
        if number % 50 == 49:
            made.append(Foreign(partition, b"\xff poison %d" % number, []))
        else:
            made.append(MAKERS[topic](feed, partition, number))
    return made


def json_record(_feed: str, partition: int, number: int) -> Foreign:
    value = {"kind": "OUT", "item": {"sku": sku_of(number)}, "qty": number + 1}
    return Foreign(partition, json.dumps(value).encode(), [], "by place")


def structured_record(feed: str, partition: int, number: int) -> Foreign:
    event = attributes(feed, "structured", number)
    value = json.dumps(event | {"data": data_of(number)}).encode()
    return Foreign(partition, value, [], f"{event['source']} {event['id']}", event["type"])


def binary_record(feed: str, partition: int, number: int) -> Foreign:
    event = attributes(feed, "binary", number)
    headers = [("content-type", b"application/json"), *((f"ce_{name}", text.encode()) for name, text in event.items())]
    value = json.dumps(data_of(number)).encode()
    return Foreign(partition, value, headers, f"{event['source']} {event['id']}", event["type"])


MAKERS = {"wms": json_record, "structured": structured_record, "binary": binary_record}


def attributes(feed: str, source: str, number: int) -> dict[str, str]:
    kind = "location.defined" if number % 1000 == 7 else "stock.issued"
    name = {"specversion": "1.0", "source": f"{feed}/{source}", "id": str(number), "type": kind}
    return name | {"time": "2026-03-02T09:14:05Z"}


def data_of(number: int) -> dict[str, Any]:
    if number % 1000 == 7:
        return {"location": "LDS"}
    return {"sku": sku_of(number), "location": "LDS", "qty": number + 1}


def sku_of(number: int) -> str:
    # The same sku always comes from the same partition of a topic, so its order is to be kept.
    return f"SKU-{number % (FOREIGN_PARTITIONS * 20)}"
