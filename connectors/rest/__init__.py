"""Any system with a JSON interface over HTTP, by profile: reads what has changed, and writes drafts of purchases.

Reading delivers at least once, and exactly once in the log: what changed since the watermark less an overlap is read
again each time, and the ids of the events follow from the records. Signals become lines effectively once, by
`connectors.orders`. `profile` says what may be in a profile, and two whole ones are in `connectors/rest/data`.
"""

from connectors.ports import Tools
from connectors.rest.connector import RestConnector
from connectors.rest.profile import Profile

__all__ = ["Profile", "RestConnector", "connect"]


def connect(profile: Profile, tools: Tools) -> RestConnector:
    """A connector, which is not open yet."""
    return RestConnector(profile, tools)
