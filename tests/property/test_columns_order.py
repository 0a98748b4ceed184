"""Pages are partitioned out of keys of several levels, and agree with a plain sort."""

import random

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from engine.columns.kinds import WIDE_MISSING
from engine.columns.order import Part, Selection, keys_of


@given(
    fields=st.lists(
        st.tuples(st.sampled_from([1, 2, 30, 2**40, 2**62]), st.integers(0, 2**32), st.booleans(), st.booleans()),
        max_size=4,
    ),
    count=st.integers(0, 400),
    offset=st.integers(0, 420),
    limit=st.integers(1, 60),
)
def test_a_page_of_any_number_of_wide_fields_is_that_of_a_plain_sort(
    fields: list[tuple[int, int, bool, bool]], count: int, offset: int, limit: int
) -> None:
    parts = [_part(count, *field) for field in fields]
    ranks = np.array(random.Random(count).sample(range(count + 3), count), np.int32)
    descending = bool(parts) and parts[-1].descending
    selection = Selection(
        keys_of(parts, ranks, count + 3, descending), np.arange(count + 3, dtype=np.int32), descending
    )
    rows = [[*(_signed(part, index) for part in parts), (-1 if descending else 1) * int(ranks[index])]
            for index in range(count)]  # fmt: skip
    names = [abs(row[-1]) for row in sorted(rows)]
    for _ in range(3):  # the second page of one key sorts them
        assert selection.page(offset, limit).tolist() == names[offset : offset + limit]
    assert selection.all().tolist() == names


def _part(count: int, distinct: int, seed: int, descending: bool, with_missing: bool) -> Part:
    """A field with so many distinct values, some of them missing."""
    chance = random.Random(seed)
    missing = WIDE_MISSING
    values = [missing if with_missing and not chance.randrange(5) else chance.randrange(distinct) - distinct // 2
              for _ in range(count)]  # fmt: skip
    return Part(np.array(values, np.int64), missing, descending)


def _signed(part: Part, index: int) -> int:
    return (-1 if part.descending else 1) * int(part.ranks[index])
