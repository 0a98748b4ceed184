"""EDI, X12 and EDIFACT: files of a trading partner become events, and what we order and forecast becomes files.

Inbound delivery is exactly once, for as long as the log knows duplicates: an event's id follows from the document or
from the control numbers (`connectors.edi.message`), so a file that is read again after a crash gives the same events.
"""

from connectors.edi.profile import PartnerProfile
from connectors.edi.reader import EdiReader, read

__all__ = ["EdiReader", "PartnerProfile", "read"]
