"""Files that partners lay into a folder, of this machine or of an SFTP server, become events.

Its events are delivered at least once, and exactly once in the log for as long as the log knows an event again. A file
is read from a copy that was compared with the original before and after, so that one that is replaced meanwhile is lost
in neither form; it is moved to the archive only when all of its events are durable. Where a crash comes in between, the
position says how far the file is, by its digest, and reading goes on there.
"""

from connectors.folder.connector import FolderConnector
from connectors.folder.profile import Profile
from connectors.ports import Connector, Tools

__all__ = ["Profile", "connect"]


def connect(profile: Profile, tools: Tools) -> Connector:
    """A connector to the folder of a profile, which is not open yet."""
    return FolderConnector(profile, tools)
