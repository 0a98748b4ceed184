"""EDI, X12 and EDIFACT: files of a trading partner become events, and what we order and forecast becomes files.

Outbound each change becomes one document exactly once, under a control number of its own; its file is laid down at
least once, always the same bytes under the same name. The number, the text and the state that it tells are one
transaction, so a crash repeats no document, and a partner knows a file that comes again by its control number.

Inbound delivery is exactly once, for as long as the log knows duplicates: an event's id follows from the document or
from the control numbers (`connectors.edi.message`), so a file that is read again after a crash gives the same events.
"""

from connectors.edi.outbound.connector import EdiConnector
from connectors.edi.outbound.profile import Profile
from connectors.edi.profile import PartnerProfile
from connectors.edi.reader import EdiReader, read
from connectors.ports import Tools

__all__ = ["EdiConnector", "EdiReader", "PartnerProfile", "Profile", "connect", "read"]


def connect(profile: Profile, tools: Tools) -> EdiConnector:
    """A connector to one partner, which is not open yet."""
    return EdiConnector(profile, tools)
