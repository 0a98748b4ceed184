"""A record of a resource to an event, by the rules of its profile. Pure."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime

from connectors.base import Json
from connectors.mapping.documents import Document, parsed_object
from connectors.mapping.language import template_fields
from connectors.mapping.translator import Translator
from connectors.mapping.values import Unreadable, ValueReader
from connectors.ports import Identifiers, UntranslatedRecord
from connectors.rest.pages import digest
from connectors.rest.profile import Resource
from engine.core.events import Reserved, decode, type_name
from engine.core.outcomes import Rejection


class Skipped(str):
    """The reason why a rule leaves a record out."""


class Translation:
    """The reading of one resource. A column `@digest` is the digest of the record, for those that bear no revision."""

    def __init__(self, resource: Resource, identifiers: Identifiers) -> None:
        self._translate = Translator(resource.reading, identifiers)
        self._values = ValueReader(resource.reading)
        self._id_columns = template_fields(resource.reading.id)
        self._changes = resource.changes
        self._name = resource.name

    def __call__(self, record: Json) -> bytes | Skipped:
        """The event of a record. Raises `Unreadable`, or `Unmapped`."""
        document = self._document(record)
        try:
            translated = self._translate(document, 0)
        except (ValueError, ArithmeticError, LookupError, TypeError, RecursionError) as error:
            # Whatever a record holds costs that record only, also where a rule does not foresee it.
            raise Unreadable(f"a rule cannot be applied: {error!r}") from None
        if isinstance(translated, str):
            return Skipped(translated)
        for column in self._id_columns:
            # Two records without a number would else be one event.
            if not document[column].strip():
                raise Unreadable(f"id: the column {column} is empty")
        return _checked(translated)

    def again(self, record: bytes) -> Sequence[bytes]:
        """The events of a record that could not be translated before."""
        found = self(parsed_object(record))
        return [] if isinstance(found, Skipped) else [found]

    def changed(self, record: Json) -> datetime | None:
        """When a record has changed, by its own system; None where it does not say."""
        if self._changes is None or self._changes.column is None:
            return None
        try:
            text = self._document(record)[self._changes.column]
            return datetime.fromisoformat(self._values.moment(text, ())).astimezone(UTC)
        except (Unreadable, ValueError, OverflowError):
            return None

    def untranslated(self, record: Json, error: Unreadable) -> UntranslatedRecord:
        """What becomes of a record that no event can be made of; its id is its content."""
        text = json.dumps(record, ensure_ascii=False).encode(errors="surrogatepass")
        return UntranslatedRecord.of(error, f"{self._name}-{digest(record).hex()}", text, f"a record of {self._name}")

    def _document(self, record: Json) -> Document:
        if not isinstance(record, dict):
            raise Unreadable("the record is not an object")

        def own_column(name: str) -> str:
            if name != "@digest":
                raise Unreadable(f"a record has no column {name}")
            return digest(record).hex()

        return Document(record, own_column)


def _checked(value: bytes) -> bytes:
    event = decode(value)
    if isinstance(event, Rejection):
        raise Unreadable(f"{event.reason}: {event.detail}")
    if isinstance(event, Reserved):
        raise Unreadable(f"the engine itself writes `{type_name(event)}`")
    return value
