"""The calls and the OpenAPI document agree, as far as some cases of schemathesis show; `make fuzz-api` tries 2,000."""

import re

from tests.fuzz.__main__ import fuzz


def test_schemathesis_finds_nothing_that_the_document_does_not_say() -> None:
    ran = fuzz(cases=150, seed=10)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    found = re.search(r"(\d+) generated", ran.stdout)
    assert found is not None
    assert int(found[1]) > 50
