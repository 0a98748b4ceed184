"""Files of suppliers that cannot be read at all are a 400 that says why."""

import pytest

from engine.web import supplier_csv
from engine.web.problems import Problem


@pytest.mark.parametrize(
    ("body", "detail"),
    [(b"a\rb", "no column"), (b'"' + b"x" * 200_000 + b'",line\n', "row 1: field larger"), (b"\xff", "not UTF-8")],
)
def test_a_first_row_that_is_none_is_said(body: bytes, detail: str) -> None:
    with pytest.raises(Problem, match=detail) as raised:
        supplier_csv.read(body)
    assert raised.value.status == 400


def test_rows_may_end_as_on_an_old_machine() -> None:
    assert supplier_csv.read(b"order,line,status,qty\rPO-1,1,accepted,5\r").names == [("PO-1", "1")]
