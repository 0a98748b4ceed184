"""What suppliers acknowledge and announce, written into the ERP as the planned dates of the moves that it waits for.

Once for each statement of a supplier the open moves of its line are compared with what the engine knows, and those that
differ are written, in one call for a line. Whatever a person changes in the ERP afterwards stays until the supplier
says something else. While the engine and the ERP disagree about what has come, a line waits: a source is behind. The
dates that our login has written are no news of the ERP's: the source of purchases leaves them out.
"""

import json
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from hashlib import sha256
from typing import Final
from urllib.parse import quote

from connectors.base import JsonObject
from connectors.client import EngineClient, EngineRefused
from connectors.mapping.values import Unreadable
from connectors.ports import Batch, UntranslatedRecord
from connectors.tryton import buying, promises
from connectors.tryton.promises import OpenMove, Part, Rewritten
from connectors.tryton.units import Unit
from connectors.tryton.wire import TrytonChanged, TrytonRefused, reference
from connectors.tryton.world import Erp, World

LINE: Final = "purchase.line"
MOVE: Final = "stock.move"
MOVE_FIELDS: Final = ("origin", "quantity", "unit", "product.default_uom", "planned_date", "shipment", "state")
LINE_FIELDS: Final = (
    "product", "product.code", "product.default_uom", "purchase.number", "purchase.warehouse",
    "purchase.party.code",
)  # fmt: skip


class PromiseSink:
    """A `Sink`; its position holds a digest of the last statement that was written, by the id of the line."""

    def __init__(self, erp: Erp) -> None:
        self._erp = erp

    async def pass_on(self, engine: EngineClient, position: JsonObject | None) -> AsyncIterator[Batch]:
        """Write what suppliers have said since; what the ERP refuses becomes a dead letter."""
        world, moves = await self._erp.world(), await self._open_moves()
        before: dict[str, str] = (position or {}).get("lines", {})
        written = {number: digest for number, digest in before.items() if int(number) in moves}
        rows = await self._erp.by_id(LINE, list(moves), LINE_FIELDS) if moves else {}
        for number, row in rows.items():
            line = await _known(engine, world, row)
            said = None if line is None else promises.statement(line)
            digest = None if said is None else sha256(said.encode()).hexdigest()[:16]
            if line is None or digest is None or written.get(str(number)) == digest:
                continue
            refused: list[UntranslatedRecord] = []
            try:
                if not await self._write(world, row, line, moves[number]):
                    continue
            except TrytonChanged:
                continue
            except TrytonRefused as error:
                refused.append(_refused(row, line, digest, error))
            written[str(number)] = digest
            yield Batch(untranslated=refused, position={"lines": dict(written)})
        yield Batch(position={"lines": written})

    async def _open_moves(self) -> dict[int, list[JsonObject]]:
        """The moves that have not happened, by purchase line."""
        domain = [
            ["company", "=", self._erp.client.company],
            ["state", "in", ["staging", "draft", "assigned"]],
            ["origin", "like", f"{LINE},%"],
        ]
        found: defaultdict[int, list[JsonObject]] = defaultdict(list)
        for move in await self._erp.client.search_read(MOVE, domain, MOVE_FIELDS):
            found[reference(move["origin"])[1]].append(move)
        return found

    async def _write(self, world: World, row: JsonObject, line: JsonObject, moves: Sequence[JsonObject]) -> bool:
        """Whether the ERP has what the engine knows of a line now; False where the line has to wait."""
        default = row["product."]["default_uom"]
        base = world.units.base(default)
        try:
            known = [_open_move(world, move, base) for move in moves]
        except Unreadable:
            return False
        if sum(move.part.qty for move in known) != promises.open_qty(line):
            return False
        units = {move["id"]: move["unit"] for move in moves}
        changes: list[object] = []
        for change in promises.rewritten(promises.promised(line), known):
            changes += _changes(world, change, default, units[change.move])
        if changes:
            await self._erp.client.call(f"model.{LINE}.write", [row["id"]], {"moves": changes})
        return True


def _open_move(world: World, move: JsonObject, base: Unit) -> OpenMove:
    part = Part(world.units.in_base(move["quantity"], move["unit"], base), move["planned_date"])
    return OpenMove(move["id"], part, move["shipment"] is not None or move["state"] != "draft")


async def _known(engine: EngineClient, world: World, row: JsonObject) -> JsonObject | None:
    """The line as the engine has it; None where it does not know it, or nothing maps its names."""
    warehouse = world.places.warehouses.get(row["purchase."]["warehouse"])
    if warehouse is None or not row["purchase."]["number"]:
        return None
    try:
        sku = world.naming.ours("item", row["product."]["code"], row["product"])
        location = world.naming.ours("location", warehouse.code, warehouse.id)
        found = await engine.get(f"/v1/positions/{quote(sku, safe='')}/{quote(location, safe='')}")
    except Unreadable:
        return None
    except EngineRefused as refused:
        if refused.status != 404:
            raise
        return None
    name = row["purchase."]["number"], str(row["id"])
    return next((each for each in found["orders"] if (each["order"], each["line"]) == name), None)


def _changes(world: World, change: Rewritten, default: int, unit: int) -> list[object]:
    """The writes of a line's moves that make one of them what it is to be, and the others beside it."""
    values = [
        {**buying.amounts(buying.bought(world.units, part.qty, default, unit)), "planned_date": part.day}
        for part in change.parts
    ]
    return [["write", [change.move], values[0]], *(["copy", [change.move], each] for each in values[1:])]


def _refused(row: JsonObject, line: JsonObject, digest: str, error: TrytonRefused) -> UntranslatedRecord:
    said = {"order": line["order"], "line": line["line"], "acknowledged": line["acknowledged"]}
    record = json.dumps(said | {"shipments": line["shipments"]}, sort_keys=True).encode()
    detail = f"Tryton refuses the supplier's dates of the line: {error.detail}; set them there by hand"
    place = f"{LINE} {row['id']} of the order {line['order']}"
    return UntranslatedRecord(f"promise-{row['id']}-{digest}", "untranslatable", detail, record, place)
