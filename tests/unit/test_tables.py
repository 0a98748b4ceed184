"""Every table has a tag of its own, and holds either rows or bytes."""

from tables import keys, workspace

TAGS = [value for value in vars(keys).values() if isinstance(value, bytes) and len(value) == 1 and value != keys.NUL]


def test_no_two_tables_share_a_tag() -> None:
    assert len(TAGS) == len(set(TAGS))


def test_a_table_holds_rows_or_bytes() -> None:
    assert not workspace.RAW_TAGS & workspace.TYPES.keys()
    kept = {keys.NAMES[0], keys.MARKER[0]}
    """Tables of the bus, which no workspace reads."""
    assert {tag[0] for tag in TAGS} == workspace.RAW_TAGS | workspace.TYPES.keys() | kept
