"""docs/security.md tells the rules that there are: which roles, and which operation is for whom."""

from __future__ import annotations

from engine.access.principal import ROLES
from engine.access.rules import ANYONE, RULES
from tests.unit.documents import rows, section, text_of

TEXT = text_of("security.md")


def who(operation: str) -> str:
    allowed = RULES[operation]
    if allowed is ANYONE:
        return "anyone, without a login"
    if allowed == set(ROLES):
        return "every login"
    return ", ".join(f"`{role}`" for role in ROLES if role in allowed) or "nobody"


def test_every_operation_is_told_with_its_roles() -> None:
    groups: dict[str, list[str]] = {}
    for operation in RULES:
        groups.setdefault(who(operation), []).append(f"`{operation}`")
    wanted = [[name, ", ".join(sorted(operations))] for name, operations in sorted(groups.items())]
    told = [row for row in rows(section(TEXT, "Roles")) if row[1].startswith("`")]
    lines = "\n".join(f"| {name} | {operations} |" for name, operations in wanted)
    assert told == wanted, f"the table should be:\n{lines}"


def test_every_role_is_told() -> None:
    told = [row[0].strip("`") for row in rows(section(TEXT, "Roles")) if not row[1].startswith("`")]
    assert told == list(ROLES)
