"""The topics of the contract, each declared once.

The names and settings on Kafka, the tags on disk, the channels of AsyncAPI, the lists and the stream of the HTTP API
follow from these declarations. A new topic of outputs is a name in `Topic` and a declaration in `OUTPUT_TOPICS`.
"""

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

from engine.core.outputs import Alert, DeadLetter, DeadLetterAnswer, Position, Signal

Topic = Literal["positions", "signals", "alerts", "dead-letters", "dead-letter-answers"]
"""The name of a topic of outputs."""

DEFAULT_PARTITIONS = 8


class TopicDeclaration(Struct, frozen=True, kw_only=True):
    """A topic of the contract.

    Attributes:
        name: the name in the contract; on Kafka it follows `stockline.`.
        holds: what its records are, in sentences.
        key: what the key of a record names.
        kept_days: for how many days Kafka keeps every record; None where it keeps the latest record of each key.
    """

    name: str
    holds: str
    key: str
    kept_days: int | None

    @property
    def kafka_name(self) -> str:
        """The name of the topic on Kafka."""
        return f"stockline.{self.name}"


class OutputTopic(TopicDeclaration, frozen=True, kw_only=True):
    """A topic of outputs, which the read model keeps by name and `GET /v1/NAME` lists.

    Attributes:
        data: the type of the `data` of its records.
        kinds: the CloudEvents types of its records.
        last_kinds: those after which a thing changes no more, so that retention may delete it.
        thing: what one of its things is called.
        tag: the first byte of its keys on disk.
        streamed: whether the stream has it where a reader asks for no topics.
        order: how a list of it is sorted by default, `-` for descending; None for the order of names.
        searched: the fields of `data` in which `q` of a list searches.
    """

    name: Topic
    data: type[Struct]
    kinds: tuple[str, ...]
    last_kinds: tuple[str, ...]
    thing: str
    tag: bytes
    streamed: bool
    order: str | None
    searched: tuple[str, ...]


_ROW = "sku and location"

EVENTS = TopicDeclaration(
    name="events",
    holds="All events in, one totally ordered log per sku. location.defined, supplier.defined, feed.declared, "
    "clock.ticked and clock.accepted go to every partition; the key of record.refused is its source.",
    key="sku",
    kept_days=14,
)
STATE = TopicDeclaration(
    name="state",
    holds="The engine's own changelog; its records are not public.",
    key="table and row",
    kept_days=None,
)
POSITIONS = OutputTopic(
    name="positions",
    holds="The latest row of (sku, location).",
    key=_ROW,
    kept_days=None,
    data=Position,
    kinds=("position.changed",),
    last_kinds=(),
    thing="position",
    tag=b"p",
    streamed=True,
    order=None,
    searched=("sku", "location"),
)
SIGNALS = OutputTopic(
    name="signals",
    holds="Every revision of every signal.",
    key=_ROW,
    kept_days=30,
    data=Signal,
    kinds=("signal.opened", "signal.amended", "signal.withdrawn", "signal.closed"),
    last_kinds=("signal.withdrawn", "signal.closed"),
    thing="signal",
    tag=b"s",
    streamed=True,
    order="-updated",
    searched=("sku", "location", "supplier"),
)
ALERTS = OutputTopic(
    name="alerts",
    holds="Every change of every alert.",
    key=_ROW,
    kept_days=30,
    data=Alert,
    kinds=("alert.opened", "alert.updated", "alert.resolved"),
    last_kinds=("alert.resolved",),
    thing="alert",
    tag=b"a",
    streamed=True,
    order="-updated",
    searched=("sku", "location", "kind"),
)
DEAD_LETTERS = OutputTopic(
    name="dead-letters",
    holds="Refused records: their bytes, the reason, the place.",
    key="source",
    kept_days=30,
    data=DeadLetter,
    kinds=("event.refused",),
    last_kinds=("event.refused",),
    thing="dead letter",
    tag=b"x",
    streamed=False,
    order="-arrived",
    searched=("reason", "detail", "event_source", "event_id"),
)

DEAD_LETTER_ANSWERS = OutputTopic(
    name="dead-letter-answers",
    holds="What people did about refused records: they were taken again, or discarded.",
    key="dead letter",
    kept_days=30,
    data=DeadLetterAnswer,
    kinds=("dead_letter.replayed", "dead_letter.discarded"),
    last_kinds=("dead_letter.replayed", "dead_letter.discarded"),
    thing="answer to a dead letter",
    tag=b"y",
    streamed=False,
    order="-answered",
    searched=("id", "by", "event", "note"),
)

OUTPUT_TOPICS: Mapping[Topic, OutputTopic] = {
    each.name: each for each in (POSITIONS, SIGNALS, ALERTS, DEAD_LETTERS, DEAD_LETTER_ANSWERS)
}
TOPICS: Mapping[str, TopicDeclaration] = {each.name: each for each in (EVENTS, STATE, *OUTPUT_TOPICS.values())}

LOGOUTS = TopicDeclaration(
    name="logouts",
    holds="Which sessions of browsers were ended before their time: nothing of the business, and no part of the log.",
    key="none",
    kept_days=30,
)
"""No session lasts longer than it is kept. It is there where callers log in."""

PROCESSES = TopicDeclaration(
    name="processes",
    holds="The latest sign of life of each process, and its settings: nothing of the business, no part of the log.",
    key="process",
    kept_days=1,
)

SIDE_TOPICS = (LOGOUTS, PROCESSES)
"""Topics of one partition beside those of the log, which is folded without them."""

HISTORIES: tuple[Topic, ...] = tuple(each.name for each in OUTPUT_TOPICS.values() if each.kept_days is not None)
"""The topics of which every output is kept; of the others only the latest of each key counts."""

REVISED: tuple[Topic, ...] = tuple(
    each.name for each in OUTPUT_TOPICS.values() if 0 < len(each.last_kinds) < len(each.kinds)
)
"""The topics whose things change until they end: signals and alerts, which people answer."""

TOPIC_OF: Mapping[type[Struct], Topic] = {each.data: each.name for each in OUTPUT_TOPICS.values()}
"""The topic to which an output goes, by the type of its data."""
