"""First in, first out by a moving boundary gives what a walk over all slots gives, and looks only at what changes."""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from agents.allocation import allocate

NAMES = [bytes([n]) for n in range(8)]


class Shelf:
    """Slots in a dictionary: what each holds, and what is taken of it."""

    def __init__(self) -> None:
        self.holds = dict.fromkeys(NAMES, 0)
        self.took = dict.fromkeys(NAMES, 0)
        self.spare = 0
        self.looked = 0

    def _places(self, wanted: list[bytes]) -> Iterator[bytes]:
        for name in wanted:
            self.looked += 1
            yield name

    def openings(self) -> Iterator[bytes]:
        return self._places([name for name in sorted(self.holds) if self.room(name)])

    def takings(self) -> Iterator[bytes]:
        return self._places([name for name in sorted(self.holds, reverse=True) if self.took[name]])

    def room(self, slot: bytes) -> int:
        return self.holds[slot] - self.took[slot]

    def taken(self, slot: bytes) -> int:
        return self.took[slot]

    def take(self, slot: bytes, qty: int) -> None:
        assert qty
        self.took[slot] += qty
        assert 0 <= self.took[slot] <= self.holds[slot]

    def resize(self, name: bytes, holds: int) -> None:
        """Let a slot hold so much; what no longer fits is spare."""
        beyond = max(0, self.took[name] - holds)
        self.holds[name] = holds
        self.took[name] -= beyond
        self.spare += beyond


def walk(shelf: Shelf, qty: int) -> dict[bytes, int]:
    """The plain way: fill one slot after the other."""
    filled = {}
    for name in sorted(shelf.holds):
        filled[name] = min(qty, shelf.holds[name])
        qty -= filled[name]
    return filled


steps = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(NAMES), st.integers(0, 9)),
        st.tuples(st.none(), st.integers(-12, 12)),
    ),
    max_size=30,
)


@given(steps)
def test_a_moving_boundary_gives_what_a_walk_gives(told: list[tuple[bytes | None, int]]) -> None:
    shelf, demand = Shelf(), 0
    for name, qty in told:
        if name is None:
            change = max(-demand, qty)
            demand += change
            shelf.spare += change
        else:
            shelf.resize(name, qty)
        shelf.spare = allocate(shelf, shelf.spare, name is not None)
        assert shelf.took == walk(shelf, demand)
        assert shelf.spare == demand - sum(shelf.took.values())


def test_slots_away_from_the_boundary_are_not_looked_at() -> None:
    shelf = Shelf()
    shelf.holds = shelf.holds | {n.to_bytes(2, "big"): 10 for n in range(2_000)}
    shelf.took = dict.fromkeys(shelf.holds, 0)
    assert allocate(shelf, 10_005, False) == 0
    shelf.looked = 0
    assert allocate(shelf, 3, True) == 0
    assert shelf.looked <= 4
