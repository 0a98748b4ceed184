"""The kinds of connectors, each declared once: the module that holds it, imported when a profile names it.

A module of this table has `Profile`, a `ConnectorProfile`, and `connect(profile, tools)`, which returns a `Connector`.
Its docstring says which delivery guarantee it gives. A format of files, such as EDI or EPCIS, is no kind: what
carries its files is one.
"""

from typing import Final

KINDS: Final[dict[str, str]] = {
    "database": "connectors.database",
    "edi": "connectors.edi",
    "folder": "connectors.folder",
    "rest": "connectors.rest",
    "tryton": "connectors.tryton",
    "webhook": "connectors.webhook",
}
