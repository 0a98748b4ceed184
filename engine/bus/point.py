"""How far a reader of the outputs has come, as a short text that it gives back to go on from there.

A point is one number for each topic and partition: everything below it was told. On one machine it is the next offset
of the log for positions, and the next sequence of the history for the other topics; on Kafka the next offset of the
topic. The text holds a digest of the log's id, so that the point of another log is not taken for one of this.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Self

from engine.core.errors import StocklineError
from engine.core.topics import OUTPUT_TOPICS, Topic

VERSION = b"\x01"
DIGEST_BYTES = 8
FOREIGN = "it is no id of the stream of this log"
_SEVEN_BITS, _MORE = 0x7F, 0x80
_LONGEST_BITS = 63


class StreamGone(StocklineError):
    """What follows a reader's point cannot be told in full any more: the reader must start anew."""


@dataclass(frozen=True)
class Point:
    """A place in what was published: of each topic, the next number of each partition.

    Attributes:
        log: the id of the log.
        reached: topic -> one number for each partition.
    """

    log: str
    reached: Mapping[Topic, tuple[int, ...]]

    @cached_property
    def text(self) -> str:
        """The point as a text of letters, digits, `-` and `_`."""
        numbers = b"".join(_packed(number) for topic in OUTPUT_TOPICS for number in self.reached[topic])
        return urlsafe_b64encode(VERSION + _digest(self.log) + numbers).decode().rstrip("=")

    def read(self, text: str) -> Self:
        """The point that `text` names, of the same log as this one; raises StreamGone where it names none."""
        try:
            raw = urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
            numbers = list(_numbers(raw[len(VERSION) + DIGEST_BYTES :]))
        except ValueError:
            raise StreamGone(FOREIGN) from None
        if not raw.startswith(VERSION + _digest(self.log)):
            raise StreamGone(FOREIGN)
        rest = iter(numbers)
        reached = {topic: tuple(next(rest, -1) for _ in self.reached[topic]) for topic in OUTPUT_TOPICS}
        if next(rest, None) is not None or any(-1 in numbers for numbers in reached.values()):
            raise StreamGone(FOREIGN)
        return type(self)(self.log, reached)

    def covers(self, other: "Point", topics: Iterable[Topic]) -> bool:
        """Whether a reader who has come up to here has come up to `other` in each of `topics`."""
        return all(
            mine >= theirs
            for topic in topics
            for mine, theirs in zip(self.reached[topic], other.reached[topic], strict=True)
        )


def _digest(log: str) -> bytes:
    return sha256(log.encode()).digest()[:DIGEST_BYTES]


def _packed(number: int) -> bytes:
    """A number of any size as bytes of seven bits, the lowest first."""
    packed = bytearray()
    while number > _SEVEN_BITS:
        packed.append(number & _SEVEN_BITS | _MORE)
        number >>= 7
    packed.append(number)
    return bytes(packed)


def _numbers(packed: bytes) -> Iterator[int]:
    number = shift = 0
    for byte in packed:
        number |= (byte & _SEVEN_BITS) << shift
        shift += 7
        if shift > _LONGEST_BITS:
            raise ValueError("a number is too long")
        if not byte & _MORE:
            yield number
            number = shift = 0
    if shift:
        raise ValueError("the last number is cut")
