"""The connector of files: it reads them, translates records to CloudEvents, posts them, and can be resumed."""

from connectors.files.profile import FileProfile, Profile
from connectors.files.readers import FORMATS, Reader, choose_reader, load_profile
from connectors.files.report import FileReport, SendReport
from connectors.files.sender import SendOptions, send_files

__all__ = [
    "FORMATS",
    "FileProfile",
    "FileReport",
    "Profile",
    "Reader",
    "SendOptions",
    "SendReport",
    "choose_reader",
    "load_profile",
    "send_files",
]
