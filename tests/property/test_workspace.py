"""A workspace's scans against a plain sorted dictionary, whatever was put, deleted and committed before."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tables import keys
from tables.stores.memory import MemoryFamily
from tables.wakes import DUE, due_key, due_range
from tables.workspace import Workspace

ROW = keys.row("S", "L")
INSTANTS = st.integers(0, 30)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["put", "delete"]), st.lists(INSTANTS, min_size=1, max_size=12)),
        st.tuples(st.just("commit"), st.just([])),
        st.tuples(st.just("scan"), st.lists(INSTANTS, min_size=3, max_size=3)),
    ),
    max_size=40,
)


@given(STEPS)
def test_a_scan_finds_what_is_there_though_it_skips_what_is_gone(steps: list[tuple[str, list[int]]]) -> None:
    state, model = MemoryFamily(), dict[bytes, bytes]()
    space = Workspace(state, 1 << 20)
    for step, instants in steps:
        if step == "commit":
            for key, value in space.changes():
                state.apply(key, value)
            space.committed()
        elif step == "scan":
            start, until, taken = instants
            first, stop = due_key(ROW, start, b"", ""), due_range(ROW, until)[1]
            expected = sorted(pair for pair in model.items() if first <= pair[0] < stop)
            found = [pair for pair, _ in zip(space.scan(first, stop), range(taken), strict=False)]
            assert found == expected[:taken]
            assert list(space.scan(first, stop)) == expected
            assert list(space.scan(first, stop, reverse=True)) == expected[::-1]
        else:
            value = b"" if step == "put" else None
            writes: dict[bytes, object] = {due_key(ROW, at, b"r", "x"): value for at in instants}
            space.accept(writes)
            for key in writes:
                model.pop(key, None)
                if value is not None:
                    model[key] = value
    prefix = DUE + ROW + keys.NUL
    assert list(space.scan(prefix, prefix + b"\xff")) == sorted(model.items())
