"""Every call of the HTTP API says who may make it."""

from engine.access.rules import RULES
from engine.web.routes import ROUTES


def test_every_operation_has_a_rule_and_every_rule_an_operation() -> None:
    assert {route.operation for route in ROUTES} == RULES.keys()
