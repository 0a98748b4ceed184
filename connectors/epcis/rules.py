"""Which event of Stockline an EPCIS event becomes: a table over type, action, business step and disposition.

A profile puts rules of its own before the table. The first rule that fits decides:

    [[rules]]
    event = ["ObjectEvent"]          # none: every type
    action = ["OBSERVE"]             # none: every action
    step = ["inspecting"]            # none: every business step
    disposition = ["conformant"]     # none: every disposition
    from = "own"                     # the place of origin is one of ours
    to = "own"                       # the destination is one of ours
    type = "stock.released"
    status = "held"                  # of what is received, counted, returned or adjusted; default: by the disposition
    sign = -1                        # of `stock.adjusted`
    undo = true                      # the opposite of what `type` does
    # or, in the place of `type`:
    skip = "seen only"

`docs/connectors/epcis.md` holds the same table, which a test compares.
"""

from typing import Final, Literal, Self

from pydantic import Field, model_validator

from connectors.mapping.language import Declared

EventKind = Literal["ObjectEvent", "AggregationEvent", "TransactionEvent", "TransformationEvent", "AssociationEvent"]
Action = Literal["ADD", "OBSERVE", "DELETE"]
Status = Literal["available", "held", "damaged", "scrap"]
Meaning = Literal[
    "goods.received", "shipment.notified", "stock.adjusted", "stock.counted", "stock.held", "stock.issued",
    "stock.released", "stock.returned", "stock.returned_to_supplier", "transfer.received", "transfer.shipped",
]  # fmt: skip
NO_RULE: Final = "no rule fits: the business step moves no stock that is known"

HELD: Final = frozenset({
    "conformance_unknown", "expired", "mismatch_class", "mismatch_instance", "mismatch_quantity", "needs_replacement",
    "no_pedigree_match", "non_conformant", "non_sellable_other", "recalled", "returned", "unavailable", "unknown",
})  # fmt: skip
DAMAGED: Final = frozenset({"damaged", "destroyed", "disposed"})


class Rule(Declared):
    """One line of the table; see the module's example. What a rule leaves out fits everything."""

    event: tuple[EventKind, ...] = ()
    action: tuple[Action, ...] = ()
    step: tuple[str, ...] = ()
    disposition: tuple[str, ...] = ()
    origin: Literal["own"] | None = Field(None, alias="from")
    destination: Literal["own"] | None = Field(None, alias="to")
    type: Meaning | None = None
    status: Status | None = None
    sign: Literal[1, -1] = 1
    undo: bool = False
    skip: str | None = None

    @model_validator(mode="after")
    def _one_outcome(self) -> Self:
        if (self.type is None) == (self.skip is None):
            raise ValueError("a rule has either `type` or `skip`")
        if "TransformationEvent" in self.event and self.type not in (None, "stock.adjusted"):
            raise ValueError("a TransformationEvent takes and gives, so it can only be `stock.adjusted`")
        if self.sign == -1 and self.type != "stock.adjusted":
            raise ValueError("`sign` belongs to `stock.adjusted`")
        return self


def _rule(**given: object) -> Rule:
    return Rule.model_validate(given)


_MOVED: Final = ["ObjectEvent", "AggregationEvent", "TransactionEvent"]
_SEEN: Final = ["ADD", "OBSERVE"]
_GONE: Final = ["OBSERVE", "DELETE"]

RULES: Final[tuple[Rule, ...]] = (
    _rule(event=["AssociationEvent"], skip="an association moves no stock"),
    _rule(event=["TransformationEvent"], type="stock.adjusted"),
    _rule(event=["TransactionEvent"], action=["DELETE"], skip="only a document is taken off"),
    _rule(event=_MOVED, action=_SEEN, step=["receiving"], disposition=["returned"], type="stock.returned"),
    _rule(event=_MOVED, action=_SEEN, step=["receiving"], type="transfer.received", **{"from": "own"}),
    _rule(event=_MOVED, action=_SEEN, step=["receiving"], type="goods.received"),
    _rule(event=_MOVED, action=_SEEN, step=["shipping"], type="transfer.shipped", **{"from": "own", "to": "own"}),
    _rule(event=_MOVED, action=_SEEN, step=["shipping"], type="shipment.notified", to="own"),
    _rule(event=_MOVED, action=_SEEN, step=["shipping"], disposition=["returned"], type="stock.returned_to_supplier"),
    _rule(event=_MOVED, action=_SEEN, step=["shipping"], type="stock.issued"),
    _rule(event=_MOVED, step=["void_shipping"], type="transfer.shipped", undo=True, **{"from": "own", "to": "own"}),
    _rule(event=_MOVED, step=["void_shipping"], type="shipment.notified", undo=True, to="own"),
    _rule(event=_MOVED, step=["void_shipping"], type="stock.issued", undo=True),
    _rule(event=["AggregationEvent"], skip="an aggregation only packs what is there"),
    _rule(step=["dispensing"], disposition=["partially_dispensed"], skip="a part of a unit is no unit"),
    _rule(action=_GONE, step=["dispensing", "retail_selling"], type="stock.issued"),
    _rule(action=["OBSERVE"], step=["cycle_counting", "stock_taking"], type="stock.counted"),
    _rule(action=["OBSERVE"], step=["holding"], type="stock.held"),
    _rule(action=["ADD"], step=["commissioning", "creating_class_instance"], type="stock.adjusted"),
    _rule(action=["DELETE"], step=["decommissioning", "destroying"], type="stock.adjusted", sign=-1),
    _rule(skip=NO_RULE),
)  # fmt: skip
