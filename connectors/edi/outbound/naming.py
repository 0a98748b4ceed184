"""Our documents in the partner's names and codes. Without input and output."""

import json
from collections.abc import Sequence
from datetime import date, datetime

from connectors.base import JsonObject
from connectors.edi.outbound.documents import (
    ForecastItem,
    NamedLine,
    ReadGroup,
    forecast_text,
    order_text,
    receipt_text,
)
from connectors.edi.outbound.due import OrderDocument
from connectors.edi.outbound.kept import Draft
from connectors.edi.outbound.profile import Profile
from connectors.edi.outbound.writing import Envelope, Party
from connectors.edi.problems import Misread
from connectors.ports import Identifiers
from connectors.profiles import IdentifierKind


class Documents:
    """Makes drafts of documents for one partner."""

    def __init__(self, profile: Profile, identifiers: Identifiers) -> None:
        self._profile, self._identifiers = profile, identifiers

    def order(self, document: OrderDocument, now: datetime) -> Draft:
        """A document about an order. Raises `Misread` and `Unmapped`."""
        lines = [
            NamedLine(
                change.key.line, self._theirs("item", change.key.sku), self._theirs("location", change.key.location),
                change.ordered.qty, self._unit(change.ordered.uom), change.ordered.due, change.action,
            )
            for change in document.changes
        ]  # fmt: skip
        profile, envelope = self._profile, self._envelope(now)
        return Draft(
            document.kind,
            document.order,
            lambda number: order_text(profile.form, envelope, number, document, lines),
        )

    def forecast_item(self, sku: str, location: str, forecast: JsonObject) -> ForecastItem:
        """The forecast of a row, in base units. Raises `Unmapped`."""
        buckets = tuple(
            (date.fromisoformat(each["start"]), int(each["days"]), int(each["qty"])) for each in forecast["buckets"]
        )
        return ForecastItem(self._theirs("item", sku), self._theirs("location", location), self._unit(None), buckets)

    def forecast(self, items: Sequence[ForecastItem], now: datetime) -> Draft:
        """A schedule of forecasts."""
        profile, envelope = self._profile, self._envelope(now)
        return Draft(
            "forecast",
            ", ".join(item.item for item in items[:3]),
            lambda number: forecast_text(profile.form, envelope, number, items),
        )

    def receipt(self, group: ReadGroup, is_test: bool, now: datetime) -> Draft:
        """A receipt for a group or an interchange that came in."""
        envelope = self._envelope(now, is_test)
        standard = self._profile.standard
        return Draft("receipt", group.control, lambda number: receipt_text(standard, envelope, number, group))

    def _envelope(self, now: datetime, is_test: bool = False) -> Envelope:
        profile = self._profile
        ours, theirs = (Party(each.id, each.qualifier) for each in (profile.ours, profile.theirs))
        return Envelope(ours, theirs, now, profile.test or is_test)

    def _theirs(self, kind: IdentifierKind, name: str) -> str:
        return self._identifiers.theirs(kind, self._profile.partner, name)

    def _unit(self, uom: str | None) -> str:
        """The code of a unit: of the profile, else of the identifiers."""
        if uom is None:
            return self._profile.unit_of_base
        code = self._profile.units.get(uom) or self._theirs("unit", uom)
        if len(code) > 3:
            raise Misread(f"the unit {code!r} is no code: give {uom!r} one of three characters in `units`")
        return code


def record_of(name: str) -> bytes:
    """What is kept of an order, or of the forecast of a row, that could not be written."""
    return json.dumps({"name": name}).encode()
