"""A profile of foreign topics: what their records mean. Written by people, in TOML.

    name = "north"                   # of the feed: part of the group, the transactions and the default source

    [[topics]]
    topic = "wms.movements"
    format = "json"                  # the value is a JSON object; rules say which event it is
    source = "wms/leeds"             # default: kafka/<name>/<topic>
    id = "{movement.number}"         # default: {@partition}-{@offset}
    time_zone = "Europe/London"      # of times without an offset

    [topics.time]                    # default: the record's timestamp
    columns = ["movement.at"]
    formats = ["%d/%m/%Y %H:%M"]     # none: ISO 8601

    [[topics.rules]]                 # the first rule whose conditions all hold, as in a profile of CSV files
    when = { "movement.kind" = ["OUT", "PICK"] }
    type = "stock.issued"
    [topics.rules.data]
    sku = { column = "item.code", upper = true }
    location = "LDS"                 # a constant
    qty = { column = "lines.0.qty", as = "integer", sign = "absolute" }

    [[topics.rules]]
    when = { "movement.kind" = { matches = "^INFO" } }
    skip = "not a movement"

    [[topics]]
    topic = "erp.orders"
    format = "cloudevents"           # structured or binary; without rules they must be Stockline's own types

    [[topics]]
    topic = "erp.public.moves"
    format = "debezium"              # changes of a table; columns are `op`, `after.qty`, `before.id`, `source.lsn` ...
    id = "{after.move}-{after.state}"   # of the row: a new snapshot tells each row again
    time = { columns = ["after.changed_at"] }
    [[topics.rules]]
    when = { op = ["c", "u", "r"], "after.state" = "done" }
    type = "stock.issued"
    data = { sku = { column = "after.item" }, location = "LDS", qty = { column = "after.qty", as = "integer" } }
    [[topics.rules]]
    skip = "not done"

    [[topics]]
    topic = "erp.public.outbox"
    format = "debezium"
    event_column = "after.event"     # holds a whole event; a deleted row is skipped

A column is a dotted path into the document, `a.0.b` goes through a list; what is missing or null is empty. Columns of
the record itself are `@topic`, `@partition`, `@offset`, `@key`, `@time` and `@header.NAME`. The document of a
CloudEvent is the event: its attributes and `data`. With rules, its id, source and time stay unless others are named.
"""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from connectors.mapping.language import Declared, Reading, TimeColumns, read_profile
from connectors.mapping.reading import DocumentReading

OWN_PREFIX = "stockline."
RECORD_ID = "{@partition}-{@offset}"
RECORD_TIME = TimeColumns(columns=("@time",))

TopicName = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,249}$")]
FeedName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]


class TopicProfile(DocumentReading):
    """A declared reading of one topic; see the module's example."""

    topic: TopicName
    format: Literal["json", "cloudevents", "debezium"]
    event_column: Annotated[str, Field(min_length=1)] | None = None

    @field_validator("topic")
    @classmethod
    def _is_foreign(cls, topic: str) -> str:
        if topic.startswith(OWN_PREFIX):
            raise ValueError(f"{topic} is a topic of Stockline itself")
        return topic

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        self._has_what_its_format_needs()
        given = self.model_fields_set - {"topic", "format", "rules", "event_column"}
        if not self.rules and given:
            raise ValueError(f"{', '.join(sorted(given))}: only a topic with rules is translated")
        if self.rules:
            self.topic_reading("unnamed")
        return self

    def _has_what_its_format_needs(self) -> None:
        if self.event_column is not None and (self.format != "debezium" or self.rules):
            raise ValueError('`event_column` belongs to a topic of format "debezium" without rules')
        if not self.rules and self.event_column is None and self.format != "cloudevents":
            raise ValueError(f'a topic of format "{self.format}" has rules')
        if self.format == "debezium" and self.rules and self.id is None:
            raise ValueError("changes of a table need an `id` of the row, for a new snapshot tells each row again")

    def topic_reading(self, feed: str) -> Reading:
        """How the rules read a document of this topic; `feed` names the default source."""
        return self.reading(default_source(feed, self.topic), RECORD_ID, RECORD_TIME)


class SourceProfile(Declared):
    """The topics of one feed. Its name stays: under another one every topic is read from its beginning."""

    name: FeedName
    topics: Annotated[tuple[TopicProfile, ...], Field(min_length=1)]

    @field_validator("topics")
    @classmethod
    def _each_once(cls, topics: tuple[TopicProfile, ...]) -> tuple[TopicProfile, ...]:
        names = [topic.topic for topic in topics]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"{', '.join(twice)}: more than one reading")
        return topics

    @property
    def topic_names(self) -> list[str]:
        """The topics to read."""
        return [topic.topic for topic in self.topics]


def default_source(feed: str, topic: str) -> str:
    """The CloudEvents source of a topic's records where nothing else names one."""
    return f"kafka/{feed}/{topic}"


def load_profile(path: Path) -> SourceProfile:
    """Read a profile from TOML. Raises `UsageError`, which names every fault by its path within the profile."""
    return read_profile(path, SourceProfile)
