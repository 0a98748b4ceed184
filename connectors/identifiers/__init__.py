"""What partners call our items, locations, suppliers and units: rows of one mapping, read from a file or a table.

    partner,kind,theirs,ours
    ACME,item,4006381333931,PEN-1
    *,unit,EA,each

A partner `*` speaks for all partners; a row of the partner itself comes first. A name that no row maps is `Unmapped`:
its record waits as a dead letter until a row exists. Only where a profile says so (`names_are_ours`) does a partner
that has no row of a kind use our own names. The rows are read again when they have changed.
"""

from connectors.identifiers.mapping import NO_MAPPING, Mapping, Row
from connectors.identifiers.names import MappingFile, MappingSource, Names
from connectors.identifiers.rows import mapping_of, read_rows, row_of, written

__all__ = [
    "NO_MAPPING",
    "Mapping",
    "MappingFile",
    "MappingSource",
    "Names",
    "Row",
    "mapping_of",
    "read_rows",
    "row_of",
    "written",
]
