"""Log lines as JSON, one object a line, with what ties a line to an event and to the call that brought it."""

import logging
import re
from contextvars import ContextVar
from datetime import UTC, datetime

import msgspec

TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
"""The header of W3C Trace Context: version, trace, parent and flags."""
FIELDS = ("event_id", "event_source", "correlationid", "traceparent", "partition", "offset")
"""What a line may say of the event that it is about, as `extra` of the logging call."""
calling: ContextVar[str | None] = ContextVar("calling", default=None)
"""The `traceparent` of the HTTP call that is being answered."""


class JsonFormatter(logging.Formatter):
    """Formats a log record as a JSON object: time, level, logger, message, the correlation, and a traceback."""

    def format(self, record: logging.LogRecord) -> str:
        """The line of a record."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            "traceparent": calling.get(),
        }
        line |= {name: value for name in FIELDS if (value := getattr(record, name, None)) is not None}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return msgspec.json.encode({name: value for name, value in line.items() if value is not None}).decode()


def traceparent_of(header: str | None) -> str | None:
    """The `traceparent` of a call, or None where it has none that is well formed."""
    return header if header is not None and TRACEPARENT.fullmatch(header) else None
