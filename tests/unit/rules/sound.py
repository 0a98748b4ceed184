"""What must hold of the rows of a partition after each event, computed anew from the documents alone.

The agents bring sums, indexes and marks forward with each event; here they are added up in the plain way.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TypeVar

from agents import due, order_line
from agents.drift_lead_time import COMPLETE, MAX_SAMPLES
from agents.drift_lead_time import OPEN as OPEN_SINCE
from agents.feeds import CLOCK_ROW
from engine.core.values import DAY
from tables import keys
from tables.alerts import ALERT, ALERT_NAME
from tables.demand import BUCKET, bucket_span
from tables.drift import REPORTED
from tables.forecast import DELTA, DELTA_ORDER, GAP, VERSION, Revision
from tables.ledger import FLOOR, MOVEMENT, Floor
from tables.planning import PLAN, Plan
from tables.purchasing import LEAD_TIME, LINE, ORDER, PIECE, SHIPMENT, SLOT, Piece, line_parts, slot_key
from tables.signals import SIGNAL
from tables.stock import RESERVATION, STOCK, TRANSFER, Stock
from tables.supply import PAST_SUPPLY, SUPPLY, TRANSIT, supply_block
from tables.table import Key, Table
from tables.wakes import DUE, OPEN_DOCUMENT, WAKE, due_key, due_parts, open_key, wake_key, wake_row
from tables.workspace import decode
from tests.unit.rules.words import balances, closings, day_at, in_force, latest, moved_at, owes, promises, room, slot_of
from tests.unit.rules.world import World

BLOCK_DAYS = 32
OF_DOCUMENTS = (due.RESERVATION, due.TRANSFER, due.ORDER_LINE)


def check(world: World) -> None:
    """Raise AssertionError where a sum, an index or a mark disagrees with the documents behind it."""
    for key in [key for key in world.pairs if key[0] == STOCK[0]]:
        _Row(world, key[1:], decode(Key(key), world.pairs[key])).check()


T = TypeVar("T")


def rows_of(world: World, table: Table[T], row: bytes) -> dict[bytes, T]:
    """The rows of a table that belong to one row of stock, by what follows in their keys."""
    start = table + row
    pairs = ((key, value) for key, value in world.pairs.items() if key[: len(start) + 1] in (start, start + keys.NUL))
    return {key[len(start) + 1 :]: decode(Key(key), value) for key, value in pairs}


class _Row:
    """The rows of one row of stock."""

    def __init__(self, world: World, row: bytes, stock: Stock) -> None:
        self.world = world
        self.row = row
        self.stock = stock
        self.lines = {name.decode(): line for name, line in rows_of(world, LINE, row).items()}
        self.pieces: dict[str, dict[str, Piece]] = {name: {} for name in self.lines}
        for key, piece in rows_of(world, PIECE, row).items():
            order, number, shipment = key.decode().split("\0")
            self.pieces[f"{order}\0{number}"][shipment] = piece
        self.transfers = {name.decode(): one for name, one in rows_of(world, TRANSFER, row).items()}
        self.reservations = {name.decode(): one for name, one in rows_of(world, RESERVATION, row).items()}
        self.owes = {name: owes(line) for name, line in self.lines.items()}

    def check(self) -> None:
        for part in (
            self.ledger, self.sums, self.shipments, self.orders, self.listed, self.slots, self.looks, self.supply,
            self.alerts, self.lead_times, self.forecast,
        ):  # fmt: skip
            part()

    # balances ---------------------------------------------------------------------------------------------------------

    def ledger(self) -> None:
        floor = self.one(FLOOR) or Floor()
        moves = sorted((key, movement) for key, movement in rows_of(self.world, MOVEMENT, self.row).items())
        present = balances(floor, moves)
        assert (self.stock.available, self.stock.held) == present, "the balance is the latest count and what came after"
        reported = self.one(REPORTED)
        if reported is not None and reported.at >= self.stock.floor_at:
            past = balances(floor, [(key, move) for key, move in moves if moved_at(key) <= reported.at])
            if all(count is None or count.covers <= reported.at for count in (floor.available_count, floor.held_count)):
                assert (reported.available, reported.held) == past, "the balance as of the report"
        assert all(moved_at(key) > self.stock.floor_at for key, _ in moves)

    def one(self, table: Table[T]) -> T | None:
        value = self.world.pairs.get(table + self.row)
        return None if value is None else decode(Key(table + self.row), value)

    def sums(self) -> None:
        stock, owing = self.stock, list(self.owes.values())
        assert stock.reserved == sum(one.counted for one in self.reservations.values())
        for one in self.reservations.values():
            expired = one.expires is not None and one.expires <= self.world.now
            still = 0 if one.over else max(0, one.qty - one.released - one.issued)
            assert one.counted == still or (expired and not one.counted) or (expired and one.due_at is not None)
        if self.lines:
            assert stock.on_order == sum(one.on_order for one in owing)
        if self.lines or self.transfers:
            transit = sum(one.in_transit for one in owing) + sum(one.in_transit for one in self.transfers.values())
            assert stock.in_transit == transit

    # orders -----------------------------------------------------------------------------------------------------------

    def shipments(self) -> None:
        for name, line in self.lines.items():
            pieces = self.pieces[name]
            assert line.shipped == sum(piece.qty for piece in pieces.values())
            assert line.matched == sum(piece.matched for piece in pieces.values())
            assert line.taken == sum(piece.taken for piece in pieces.values())
            assert line.undated == sum(piece.open for piece in pieces.values() if piece.eta is None)
            claims = [piece.claim for piece in pieces.values() if piece.claim is not None]
            assert line.latest_eta == max(claims, default=None)
            loose = max(0, line.received + line.unlined - line.matched)
            for shipment in sorted(pieces, key=lambda shipment: slot_of(pieces[shipment], shipment)):
                piece = pieces[shipment]
                assert piece.taken == min(loose, piece.room), "first in, first out"
                loose -= piece.taken

    def orders(self) -> None:
        for key, order in rows_of(self.world, ORDER, self.row).items():
            mine = sorted(name for name in self.lines if line_parts(name)[0] == key.decode())
            if not mine:
                continue
            left, first = order.unlined, line_parts(mine[0])[1]
            assert (order.first, order.many) == (first, len(mine) > 1)
            for name in mine:
                line = self.lines[name]
                assert line.unlined == min(left, room(line)), "first in, first out by number"
                left -= line.unlined
            assert order.spare == left
            assert [self.lines[name].excess for name in mine] == [left, *[0] * (len(mine) - 1)]
            assert order.placed == any(self.lines[name].ordered is not None for name in mine)
            assert [name for name in mine if self.lines[name].order_closes] == mine[: order.closes and not order.many]

    def listed(self) -> None:
        kept = {OPEN_DOCUMENT + self.row + keys.NUL + key for key in rows_of(self.world, OPEN_DOCUMENT, self.row)}
        expected = {open_key(self.row, due.RESERVATION, name) for name, one in self.reservations.items() if one.counted}
        expected |= {open_key(self.row, due.TRANSFER, name) for name, one in self.transfers.items() if one.in_transit}
        expected |= {
            open_key(self.row, due.ORDER_LINE, name) for name, one in self.lines.items() if room(one) > one.unlined
        }
        assert kept == expected, "the list of what is open"

    def slots(self) -> None:
        kept = {SLOT + self.row + keys.NUL + key for key in rows_of(self.world, SLOT, self.row)}
        kept = {key for key in kept if key[len(self.row) + 2 : len(self.row) + 3] != order_line.CREDIT}
        assert kept == set(self._slots()), "the indexes of shipments and of lines"
        for name, line in self.lines.items():
            opened = [slot_of(one, shipment) for shipment, one in self.pieces[name].items() if one.open]
            assert line.closed or not opened or line.open_from <= min(opened)
        for key, order in rows_of(self.world, ORDER, self.row).items():
            start = len(key) + 1
            opened = [
                name.encode()[start:]
                for name, one in self.lines.items()
                if line_parts(name)[0] == key.decode() and room(one) > one.unlined
            ]
            assert not opened or order.open_from <= min(opened)

    def _slots(self) -> Iterator[bytes]:
        for key, one in rows_of(self.world, SHIPMENT, self.row).items():
            yield from closings(self.row, key.decode(), one)
        for name, pieces in self.pieces.items():
            order = line_parts(name)[0]
            if self.lines[name].unlined:
                yield slot_key(self.row, order_line.FILLED, order, name[len(order) + 1 :].encode())
            for shipment, piece in pieces.items():
                if piece.open:
                    yield slot_key(self.row, order_line.OPEN, name, slot_of(piece, shipment))
                if piece.taken:
                    yield slot_key(self.row, order_line.TAKEN, name, slot_of(piece, shipment))

    # what waits for the clock -----------------------------------------------------------------------------------------

    def looks(self) -> None:
        kept = {DUE + self.row + keys.NUL + key for key in rows_of(self.world, DUE, self.row)}
        others = {key for key in kept if due_parts(key, self.row)[1] not in OF_DOCUMENTS}
        waiting = [
            *((due.RESERVATION, name, one.due_at) for name, one in self.reservations.items()),
            *((due.TRANSFER, name, one.due_at) for name, one in self.transfers.items()),
            *((due.ORDER_LINE, name, one.look_at) for name, one in self.lines.items()),
        ]
        assert kept - others == {due_key(self.row, at, kind, name) for kind, name, at in waiting if at is not None}
        for key, alert in rows_of(self.world, ALERT, self.row).items():
            if alert.until is not None and alert.status != "resolved":
                assert due_key(self.row, alert.until, due.FACT, key.decode()) in others
        wakes = {key for key in self.world.pairs if key[0] == WAKE[0] and wake_row(key) == self.row != CLOCK_ROW}
        wake = self.stock.wake_at
        assert wakes == (set() if wake is None else {wake_key(0, wake, self.row)})
        assert not kept or (wake is not None and wake <= min(due_parts(key, self.row)[0] for key in kept))

    # supply -----------------------------------------------------------------------------------------------------------

    def supply(self) -> None:
        kept = Counter({day: qty for block in self.blocks().values() for day, qty in block.items()})
        past = self.one(PAST_SUPPLY)
        recent = 0 if past is None else max(past.oldest, day_at(self.world.now) // BLOCK_DAYS) * BLOCK_DAYS
        expected: Counter[int] = Counter()
        transit: Counter[int] = Counter()
        for day, qty, moving in self.coming():
            if qty and day is not None:
                expected[day] += qty
            transit[qty] += moving and qty > 0
        late, early = ({day: qty for day, qty in some.items() if day >= recent} for some in (kept, expected))
        assert late == early, "the supply by day"
        assert kept.total() + (0 if past is None else past.qty) == expected.total(), "the supply of all days"
        counted = rows_of(self.world, TRANSIT, self.row)
        assert {int.from_bytes(key, "big"): one.documents for key, one in counted.items()} == dict(+transit)

    def blocks(self) -> dict[int, dict[int, int]]:
        found = rows_of(self.world, SUPPLY, self.row)
        for key, block in found.items():
            assert block.days
            assert all(day // BLOCK_DAYS == supply_block(key) and qty for day, qty in block.days.items())
        return {supply_block(key): block.days for key, block in found.items()}

    def coming(self) -> Iterator[tuple[int | None, int, bool]]:
        """(day, quantity, whether it is in transit as one piece) of all that is still to come."""
        for one in self.transfers.values():
            yield one.eta, one.in_transit, True
        for name, line in self.lines.items():
            if line.closed:
                continue
            for piece in self.pieces[name].values():
                yield (latest(line) if piece.eta is None else piece.eta), piece.open, True
            yield from ((day, qty, False) for day, qty in promises(line, self.owes[name]))

    def alerts(self) -> None:
        found = rows_of(self.world, ALERT, self.row)
        assert self.stock.alerts == sum(alert.status != "resolved" for alert in found.values())
        assert rows_of(self.world, ALERT_NAME, self.row) == {one.id.encode(): key for key, one in found.items()}
        signal = self.one(SIGNAL)
        standing = signal is not None and signal.status in ("open", "accepted")
        assert self.stock.signal_open or not standing

    def lead_times(self) -> None:
        kept = rows_of(self.world, LEAD_TIME, self.row)
        expected: dict[bytes, bytes] = {}
        completed = []
        for name, line in self.lines.items():
            share = self.owes[name]
            if line.placed_at is None:
                continue
            if share.on_order or share.in_transit:
                expected[OPEN_SINCE + keys.timed(line.placed_at, name)] = b""
                assert self.stock.placed_from <= line.placed_at
            elif line.received and line.ordered:
                took = max(0, line.last_received_at - line.placed_at) // DAY
                expected[COMPLETE + keys.timed(line.last_received_at, name)] = b"%d" % took
                completed.append((line.last_received_at, name, took))
        assert kept == expected, "the indexes of lead times"
        plan = self.one(PLAN)
        if self.lines:
            learned = [sample for sample in (plan.completed if plan else []) if sample[1] in self.lines]
            assert learned == sorted(completed)[-MAX_SAMPLES:]

    def forecast(self) -> None:
        plan = self.one(PLAN) or Plan()
        deltas = list(rows_of(self.world, DELTA, self.row).values())
        base = [] if plan.base is None else [plan.base]
        counting = in_force(base, deltas)
        spans: Counter[tuple[int, int]] = Counter()
        names: Counter[tuple[int, int]] = Counter()
        for revision in counting:
            for start, length, qty in revision.buckets:
                if start + length > plan.swept:
                    spans[start, length] += qty
                    names[start, length] += 1
        kept = {bucket_span(key): one for key, one in rows_of(self.world, BUCKET, self.row).items()}
        assert {span: one.qty for span, one in kept.items()} == dict(spans), "the buckets in force"
        assert {span: one.revisions for span, one in kept.items()} == dict(names)
        assert plan.buckets == len(kept)
        assert all(plan.closes_at <= start + length for start, length in kept)
        assert (plan.deltas, plan.spans) == (len(deltas), sum(1 + len(delta.buckets) for delta in deltas))
        self.versions(plan, counting, deltas)

    def versions(self, plan: Plan, counting: list[Revision], deltas: list[Revision]) -> None:
        base = plan.base
        versions = {name.decode(): one for name, one in rows_of(self.world, VERSION, self.row).items()}
        supports = Counter(revision.version for revision in counting)
        assert {name: one.supports for name, one in versions.items() if one.supports} == dict(supports)
        known = {name for name, one in versions.items() if one.known}
        gaps = set()
        for delta in deltas:
            if delta.base_version is None or delta.base_version in known:
                assert delta.version in known
            elif base is None or delta.rank > base.rank:
                gaps.add(keys.ranked(Key(b""), *delta.rank[1:])[1:])
        assert set(rows_of(self.world, GAP, self.row)) == gaps
        assert plan.gaps == len(gaps)
        assert base is None or base.version in known
        order = rows_of(self.world, DELTA_ORDER, self.row)
        ranks = {keys.ranked(Key(b""), *one.rank[1:])[1:]: (one.base_version or "").encode() for one in deltas}
        assert order == ranks
