"""Records of files as dead letters: the bytes of each tell how to read it again.

    #stockline file stock.csv
    doc;date;article;qty
    #stockline line 17:
    D17;02/03/2026;85123A;x

After the first line it is a reject file, which the profile of the pattern that fits the name reads.
"""

from io import BytesIO

from connectors.files.lines import Mark
from connectors.files.readers import Item, Reader, reject_form
from connectors.files.rejects import MARKER
from connectors.mapping.values import Unreadable

FILE_MARKER = b"#stockline file "
MAX_WHOLE = 128 * 1024
"""A file that cannot be read as a whole is part of its dead letter up to so many bytes."""


def record_of(name: str, item: Item, reader: Reader) -> bytes:
    """The bytes of a record that no event could be made of."""
    form = reject_form(reader)
    marker = f"{MARKER}{item.number or item.line}:".encode()
    heading = form.heading + form.line_end if form.heading else b""
    return file_marker(name) + heading + marker + form.line_end + item.record + form.line_end


def file_marker(name: str) -> bytes:
    """The first line of a record of the file `name`."""
    return FILE_MARKER + name.encode() + b"\n"


def split_record(record: bytes) -> tuple[str, bytes]:
    """The name of the file and the bytes to read. Raises `Unreadable`."""
    first, _, rest = record.partition(b"\n")
    if not first.startswith(FILE_MARKER):
        raise Unreadable("the dead letter does not say of which file the record was")
    return first.removeprefix(FILE_MARKER).decode(errors="replace"), rest


def events_of(reader: Reader, content: bytes) -> list[bytes]:
    """The events of a record that is read again. Raises `Unreadable` if any of it still cannot be read."""
    events: list[bytes] = []
    for item in reader.read(BytesIO(content), Mark()):
        if item.problem is not None:
            raise Unreadable(item.problem)
        events += item.events
    return events
