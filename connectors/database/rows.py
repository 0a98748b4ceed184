"""A row of a table to an event. Pure."""

import hashlib
from collections.abc import Sequence

from connectors.database.profile import TableProfile
from connectors.mapping.documents import Document, parsed_object
from connectors.mapping.translator import Translator
from connectors.mapping.values import Unreadable
from connectors.ports import Identifiers, UntranslatedRecord

DIGEST_BYTES = 16


class RowTranslation:
    """Turns the rows of one table into events: `source` is the one of rows whose profile names none."""

    def __init__(self, table: TableProfile, source: str, identifiers: Identifiers) -> None:
        self._table = table
        self._translate: Translator | None = None
        if table.reading is not None:
            reading = table.reading.model_copy(update={"source": table.reading.source or source})
            self._translate = Translator(reading, identifiers)

    def __call__(self, document: bytes) -> bytes | str:
        """The event of a row, or the reason why a rule skips it. Raises `Unreadable`.

        `document` is the row as a JSON object, or with `event_column` the event in it.
        """
        if self._translate is None:
            parsed_object(document)
            return document
        # A table has no number of a row that stays, so a template has only the columns.
        return self._translate(Document(parsed_object(document), _no_such_column), 0)

    def untranslated(self, document: bytes, key: Sequence[str], error: Unreadable) -> UntranslatedRecord:
        """The dead letter of a row: its name follows from the key and what the row holds."""
        digest = hashlib.blake2b(document, digest_size=DIGEST_BYTES).hexdigest()
        name = f"{self._table.name}/{'/'.join(key)}/{digest}"
        return UntranslatedRecord.of(error, name[-256:], document, f"{self._table.table}, key {', '.join(key)}")


def _no_such_column(name: str) -> object:
    raise Unreadable(f"a row has no column {name}")
