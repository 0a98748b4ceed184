"""What became of an event: outcomes are values, never exceptions."""

from typing import Literal

from msgspec import Struct

Reason = Literal[
    # It cannot be read.
    "not_json", "not_utf8", "too_deep", "too_large",
    # It is no event of the contract, or a foreign record that a profile or a connector cannot translate.
    "unknown_type", "invalid_event", "untranslatable", "unmapped_identifier",
    # A connector has given up telling somebody.
    "undelivered",
    # It contradicts an event that was applied, the clock, or the engine's right to write its type.
    "conflict", "time_in_future", "reserved_type",
    # Its quantity has no meaning, or what it would write is too large.
    "unknown_unit", "quantity_out_of_range", "row_too_large",
    # It answers something that does not exist or is closed.
    "unknown_signal", "signal_closed", "unknown_alert", "alert_closed",
    # Its record lies under the wrong key or in the wrong partition of the Kafka log.
    "wrong_key", "wrong_partition",
    # A fault of the engine.
    "internal_error",
]  # fmt: skip
"""Why an event was rejected: a stable code for programs. A code never changes its meaning; new ones may be added."""


RecordReason = Literal["untranslatable", "unmapped_identifier", "undelivered"]
"""Why a connector refused a record: it makes no sense, it names something that no mapping knows, or it is a
notification that its receiver did not take."""


class Rejection(Struct, frozen=True):
    """The event cannot be applied and becomes a dead letter. `detail` is a sentence for a person."""

    reason: Reason
    detail: str


class Duplicate(Struct, frozen=True):
    """An event with this source, id and content was applied before: this one changes nothing and is counted."""


DUPLICATE = Duplicate()
