"""What a workspace hands to a commit."""

from tables.ledger import IS_MOVEMENT, MOVEMENT, Movement, movement_key
from tables.stores.memory import MemoryFamily
from tables.table import Key
from tables.workspace import Workspace, encode

ROW = b"A\0LDS"


def key(at: int) -> Key[Movement]:
    return movement_key(ROW, at, IS_MOVEMENT, bytes(16))


def moved(qty: int) -> Movement:
    return Movement(qty, 0, "stock.adjusted", "wms/1")


def test_a_row_that_came_and_went_between_two_commits_leaves_nothing_but_one_that_was_there_is_deleted() -> None:
    state = MemoryFamily()
    state.apply(key(1), encode(moved(1)))
    state.apply(key(2), encode(moved(2)))
    space = Workspace(state, 1 << 20)
    space.accept({key(1): None, key(2): moved(20), key(3): moved(3), key(4): moved(4)})
    space.accept({key(2): None, key(3): None})
    assert dict(space.changes()) == {key(1): None, key(2): None, key(4): encode(moved(4))}
    assert [at for at, _ in space.scan(*range_of_row())] == [key(4)]
    for changed, value in space.changes():
        state.apply(changed, value)
    space.committed()
    space.accept({key(4): None})
    assert space.changes() == [(key(4), None)]


def range_of_row() -> tuple[Key[Movement], Key[Movement]]:
    return MOVEMENT + ROW + b"\0", MOVEMENT + ROW + b"\1"
