"""The connectors that `test_connectors.py` holds to one contract. A connector takes part by one line and one class.

    class PartnerFolder(FarSide):
        kind = "folder"

        async def __aenter__(self) -> Self:
            (self.folder / "in").mkdir()
            ...                                       # at least three batches of records, all translatable
            self.keys = {"path": self.folder / "in"}  # the profile's keys, without kind, name and engine
            return self

        async def spoil(self) -> None: ...            # add a record that no event can be made of
        async def mend(self) -> None: ...             # after this, that record can be translated
        async def leave(self) -> None: ...            # the other system no longer answers
        async def come_back(self) -> None: ...

    FAR_SIDES = {..., "folder": "tests.connectors.far_folder:PartnerFolder"}

The class lies in `tests/connectors/`, beside what else the tests of the connector need; a kind may have several. What a
far side cannot do it declares by `can_be_spoiled = False` or `can_leave = False`. One whose profile has a secret puts
it where the profile finds it and sets `secret`: the suite looks for it in every log line, report, position and error.
"""

from importlib import import_module

from tests.connectors.harness import FarSide

FAR_SIDES = {
    "database": "tests.connectors.far_database:Outbox",
    "folder": "tests.connectors.far_folder:PartnerFolder",
    "listed": "tests.connectors.far_list:PlainList",
    "listed-with-secret": "tests.connectors.far_list:ListWithSecret",
    "rest": "tests.connectors.far_rest:RestShop",
}

SHOWN_ELSEWHERE = {
    "edi": "tests/unit/test_edi_outbound.py",
    "tryton": "tests/integration/test_tryton.py",
    "webhook": "tests/unit/test_webhook_listener.py",
}
"""Kinds that are killed in the middle by tests of their own, with those tests; this list may only shrink."""


def far_sides() -> dict[str, type[FarSide]]:
    """The classes that `FAR_SIDES` names."""
    found = {}
    for name, place in FAR_SIDES.items():
        module, _, side = place.partition(":")
        found[name] = getattr(import_module(module), side)
    return found
