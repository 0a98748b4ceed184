"""The AsyncAPI document of the shipped command, read by the parser that the tools of AsyncAPI use."""

import json
from typing import Any

import pytest

from tests.integration.process import stockline
from tests.real import asyncapi
from tests.real.kafka import Missing


def parsed(document: bytes) -> dict[str, Any]:
    try:
        return asyncapi.parse(document)
    except Missing as missing:
        pytest.skip(f"no AsyncAPI parser: {missing}")


@pytest.mark.real
@pytest.mark.slow
def test_the_document_parses_without_an_error() -> None:
    document = stockline("schema", "asyncapi").stdout
    result = parsed(document)
    assert [each for each in result["diagnostics"] if each["severity"] == asyncapi.ERROR] == []
    names = {message["name"] for message in json.loads(document)["components"]["messages"].values()}
    assert set(result["messages"]) == names
