"""Tokens: only a hash is kept, a change of the file counts at once, and whatever is wrong with it lets nobody in."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.access.denial import NotLoggedIn
from engine.access.last_used import LastUsed
from engine.access.principal import Principal, Role
from engine.access.tokens import TokenFile
from engine.core.errors import UsageError

DAY = 86400.0


class Clock:
    def __init__(self) -> None:
        self.now = 1_772_000_000.0

    def __call__(self) -> float:
        return self.now


def someone(role: Role = "planner", name: str = "ann") -> Principal:
    return Principal(name, frozenset({role}), "wms" if role == "adapter" else None)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "there" / "tokens"


def test_the_file_holds_no_secret_and_is_its_owners_alone(path: Path) -> None:
    token, text = TokenFile(path).create(someone(), None)
    assert path.stat().st_mode & 0o777 == 0o600
    secret = text.removeprefix(f"slk_{token.id}_")
    assert len(secret) >= 43
    assert secret not in path.read_text()
    assert text.startswith(f"slk_{token.id}_")


def test_a_token_is_the_login_of_its_principal(path: Path) -> None:
    file = TokenFile(path)
    token, text = file.create(someone("adapter", "wms-leeds"), 30)
    login = file.login(text)
    assert (login.principal, login.means, login.token) == (someone("adapter", "wms-leeds"), "token", token.id)
    assert file.holds(token.id)


@pytest.mark.parametrize("spoiled", ["{}A", "A{}", "slk_", "x", ""])
def test_another_text_is_no_login(path: Path, spoiled: str) -> None:
    file = TokenFile(path)
    _, text = file.create(someone(), None)
    with pytest.raises(NotLoggedIn) as denied:
        file.login(spoiled.format(text))
    assert denied.value.reason == "login_invalid"


def test_a_token_ends_with_its_days(path: Path) -> None:
    clock = Clock()
    file = TokenFile(path, clock)
    token, text = file.create(someone(), 2)
    clock.now += 2 * DAY - 1
    assert file.login(text).expires == pytest.approx(clock.now + 1, abs=1)
    clock.now += 2
    with pytest.raises(NotLoggedIn) as denied:
        file.login(text)
    assert denied.value.reason == "login_expired"
    assert not file.holds(token.id)


def test_another_process_revokes_at_once(path: Path) -> None:
    served, command = TokenFile(path), TokenFile(path)
    token, text = command.create(someone(), None)
    _, other = command.create(someone(name="bob"), None)
    assert served.login(text).principal.name == "ann"
    command.revoke(token.id)
    with pytest.raises(NotLoggedIn):
        served.login(text)
    assert served.login(other).principal.name == "bob"
    with pytest.raises(UsageError):
        command.revoke(token.id)


def test_a_name_revokes_all_its_tokens(path: Path) -> None:
    file = TokenFile(path)
    texts = [file.create(someone(), None)[1] for _ in range(2)]
    assert len(file.revoke("ann")) == 2
    for text in texts:
        with pytest.raises(NotLoggedIn):
            file.login(text)


def spoil_by_removal(path: Path) -> None:
    path.unlink()


def spoil_by_words(path: Path) -> None:
    path.write_text("{}")


def spoil_by_rights(path: Path) -> None:
    path.chmod(0o666)


@pytest.mark.parametrize("spoil", [spoil_by_removal, spoil_by_words, spoil_by_rights])
def test_a_file_that_is_not_in_order_lets_nobody_in(path: Path, spoil: Callable[[Path], None]) -> None:
    file = TokenFile(path)
    token, text = file.create(someone(), None)
    assert file.holds(token.id)
    spoil(path)
    for _ in range(2):
        with pytest.raises((NotLoggedIn, UsageError)):
            file.login(text)


@pytest.mark.parametrize(
    "principal",
    [
        Principal("a", frozenset()),
        Principal("a", frozenset({"adapter"})),
        Principal("a", frozenset({"supplier"})),
        Principal("a", frozenset({"viewer"}), supplier="ACME"),
        Principal("a", frozenset({"viewer"}), source="wms"),
        Principal("a", frozenset({"supplier", "viewer"}), supplier="ACME"),
        Principal(None, frozenset({"viewer"})),
        Principal("a\nb", frozenset({"viewer"})),
        Principal("", frozenset({"viewer"})),
        Principal("a", frozenset({"adapter"}), "w\nms"),
    ],
)
def test_roles_that_make_no_sense_are_not_given(path: Path, principal: Principal) -> None:
    with pytest.raises(UsageError):
        TokenFile(path).create(principal, None)
    assert not path.exists()


def test_the_last_use_is_kept_beside_the_tokens(path: Path) -> None:
    clock = Clock()
    TokenFile(path).create(someone(), None)
    used = LastUsed(path, clock)
    used.note("one")
    used.write()
    clock.now += 60
    used.note("two")
    used.write()
    assert LastUsed(path).read() == {"one": 1_772_000_000, "two": 1_772_000_060}
    assert json.loads(path.with_name("tokens.used").read_text()).keys() == {"one", "two"}
