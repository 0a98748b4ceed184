"""How JSON documents and CloudEvents of others are read, whatever carries them: what a profile says, and its use."""

import json
from typing import Annotated, Literal, NamedTuple

from pydantic import Field, ValidationError, field_validator

from connectors.mapping.documents import Document, OwnColumn, parsed_object
from connectors.mapping.language import Declared, Reading, Rule, TimeColumns, faults
from connectors.mapping.translator import Translator
from connectors.mapping.values import Unreadable
from engine.core.events import EVENT_TYPES, Reserved

EVENT_ID = "{id}"
EVENT_TIME = TimeColumns(columns=("time",))


class DocumentReading(Declared):
    """What a profile says of one kind of document: its format and the rules, without which it is an event already."""

    format: Literal["json", "cloudevents", "debezium"]
    source: Annotated[str, Field(min_length=1, max_length=256)] | None = None
    id: Annotated[str, Field(min_length=1)] | None = None
    time: TimeColumns | None = None
    rules: tuple[Rule, ...] = ()
    decimal: Literal[".", ","] = "."
    thousands: str = ""
    time_zone: str = "UTC"
    empty: tuple[str, ...] = ("",)
    units: dict[str, str | int | float] = Field(default_factory=dict)

    @field_validator("rules")
    @classmethod
    def _types_are_known(cls, rules: tuple[Rule, ...]) -> tuple[Rule, ...]:
        for rule in rules:
            known = rule.type is None or rule.type in EVENT_TYPES
            if not known or (rule.type is not None and issubclass(EVENT_TYPES[rule.type], Reserved)):
                raise ValueError(f"{rule.type!r} is not a type of event that may be sent")
        return rules

    def reading(self, source: str, record_id: str, record_time: TimeColumns) -> Reading:
        """How the rules read a document.

        `source` is the default of all documents, `record_id` and `record_time` those of a JSON document.
        """
        is_event = self.format == "cloudevents"
        try:
            return Reading(
                source=self.source or source,
                id=self.id or (EVENT_ID if is_event else record_id),
                time=self.time or (EVENT_TIME if is_event else record_time),
                rules=self.rules,
                decimal=self.decimal,
                thousands=self.thousands,
                time_zone=self.time_zone,
                empty=self.empty,
                units=self.units,
            )
        except ValidationError as error:
            raise ValueError(faults(error)) from error


class Skipped(NamedTuple):
    """A record that a rule leaves out, with the rule's reason."""

    why: str


class DocumentTranslator:
    """Applies rules to documents; `own_source` says that the profile names the source of every event."""

    def __init__(self, reading: Reading, own_source: bool) -> None:
        self._translate = Translator(reading)
        self._id_columns = reading.id_columns()
        self._own_source = own_source

    def of_json(self, document: Document, number: int) -> bytes | Skipped:
        """A JSON document by the rules. Raises `Unreadable`."""
        translated = self._translate(document, number)
        if isinstance(translated, str):
            return Skipped(translated)
        for column in self._id_columns:
            # Two documents without a number would else be one event.
            if not document[column].strip():
                raise Unreadable(f"id: the column {column} is empty")
        return translated

    def of_event(self, event: bytes, own_column: OwnColumn, number: int) -> bytes | Skipped:
        """A CloudEvent by the rules; its source stays unless the profile has one. Raises `Unreadable`."""
        attributes = parsed_object(event)
        translated = self.of_json(Document(attributes, own_column), number)
        source = attributes.get("source")
        if isinstance(translated, Skipped) or self._own_source or not source:
            return translated
        renamed = json.loads(translated) | {"source": source}
        return json.dumps(renamed, ensure_ascii=False, separators=(",", ":")).encode()
