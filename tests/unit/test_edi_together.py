"""What a line that cannot be read costs the lines beside it: nothing of what is taken changes once it can be read."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from connectors.edi import PartnerProfile
from connectors.edi.reader import read
from connectors.ports import IdentifierKind, Unmapped
from tests.unit import edi_documents as edi
from tests.unit.test_edi_messages import edifact, x12

NOTICE = (
    "BSN*00*S1*20260301*1200~HL*1**O~PRF*PO1~HL*2*1*I~LIN**BP*A~SN1**10*EA~HL*3*1*I~LIN**BP*B~SN1**20*EA~"
    "HL*4*1*I~LIN**BP*C~SN1**30*EA~"
)
DESPATCH = "BGM+351+S1+9'RFF+ON:PO1'LIN+++A:BP'QTY+12:10'LIN+++B:BP'QTY+12:20'LIN+++C:BP'QTY+12:30'"
PACKS = (
    "BSN*00*S1*20260301*1200~HL*1**O~PRF*PO1~HL*2*1*I~LIN*1*BP*A~SN1**10*CS~HL*3*1*I~LIN*1*BP*A~SN1**2*PL~"
    "HL*4*1*I~LIN*2*BP*A~SN1**30*EA~"
)
ISSUES = "W06*F*SO1*20260301*B1~LX*1~W12*CC*4*4**PL**BP*A~LX*2~W12*CC*6*6**EA**BP*A~LX*3~W12*CC*7*7**EA**BP*D~"
UNITS = {"CS": "case", "PL": "case"}


class Known:
    """`Identifiers` that know some names."""

    def __init__(self, known: Mapping[str, str]) -> None:
        self._known = known

    def ours(self, kind: IdentifierKind, partner: str, theirs: str) -> str:
        if theirs not in self._known:
            raise Unmapped(kind, partner, theirs)
        return self._known[theirs]

    def theirs(self, kind: IdentifierKind, partner: str, ours: str) -> str:
        raise Unmapped(kind, partner, ours)


def events(text: str, profile: PartnerProfile, *names: str) -> dict[str, str]:
    """The data of the events by their ids, as far as these names are mapped."""
    items = read(text.encode(), profile, Known({name: UNITS.get(name, name) for name in names}))
    return {event["id"]: json.dumps(event["data"]) for event in edi.events(items)}


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        (x12("856", NOTICE), "B"),
        (edifact("DESADV", DESPATCH), "B"),
        (x12("856", PACKS), "PL"),
        (x12("945", ISSUES), "PL"),
    ],
    ids=["lines without numbers", "lines of EDIFACT without numbers", "packs of one line", "issues of one item"],
)
def test_a_line_that_is_read_later_changes_no_event_that_was_taken(text: str, missing: str) -> None:
    names = ["A", "B", "C", "D", "CS", "PL"]
    profile = edi.profile(units={"EA": 1})
    before = events(text, profile, *(name for name in names if name != missing))
    after = events(text, profile, *names)
    assert before
    assert before.items() < after.items()


def test_what_waits_for_a_mapping_is_replayed_with_what_misses_it() -> None:
    items = read(x12("945", ISSUES).encode(), edi.profile(), Known({"A": "A", "D": "D"}))
    assert [item.reason for item in items if item.problem] == ["unmapped_identifier"]


def test_a_notice_that_replaces_lines_by_their_place_says_so() -> None:
    items = read(x12("856", NOTICE.replace("BSN*00", "BSN*05")).encode(), edi.profile())
    noted = [item.skipped for item in items if item.skipped]
    assert noted == [
        "noted, not refused: lines without a number in a notice that replaces another one: their place is taken for it"
    ]
