"""The `Reader` of EDI files: each transaction becomes the events of its lines."""

import io
from collections.abc import Iterator
from typing import BinaryIO, Final

from connectors.edi.envelopes import Envelopes, Transaction
from connectors.edi.message import Message, Nothing, Outcome, Statement
from connectors.edi.messages import BY_CODE
from connectors.edi.problems import Fault, Place, Remark
from connectors.edi.profile import PartnerProfile
from connectors.edi.scanner import Scanner
from connectors.edi.together import held_back
from connectors.edi.values import Values
from connectors.files.lines import Mark
from connectors.files.readers import Item
from connectors.identifiers import Names
from connectors.mapping.values import Unreadable
from connectors.ports import Identifiers, SameNames

VERSION: Final = "4"
"""Changes when the same bytes would give other events."""
_MOST_FAULTS: Final = 20
_MOST_RECORD_BYTES: Final = 64 * 1024
"""Each event of a transaction holds its record, for the reject file, as long as that is not longer."""


class EdiReader:
    """Reads X12 and EDIFACT by a partner's profile. The `line` of an item is the number of its segment.

    A transaction counts once its end has arrived. All that is wrong in it is one item, which holds the transaction in
    an envelope of its own; its other lines are read.
    """

    def __init__(self, profile: PartnerProfile, identifiers: Identifiers | None = None) -> None:
        self._profile = profile
        self._values = Values(profile, identifiers or _names_of(profile))
        self.name = profile.name
        self.digest = f"{VERSION} {profile.digest()}"

    def read(self, source: BinaryIO, start: Mark) -> Iterator[Item]:
        """The items after `start`. The file is read from its beginning, as the envelopes are open from there."""
        scanner = Scanner(source, self._profile.encoding)
        envelopes = Envelopes(scanner)
        outside: list[Fault | Remark] = []
        mark = Mark()
        for found in envelopes:
            if isinstance(found, Transaction):
                # The end of what is outside may be seen only by the begin of a transaction.
                mark = mark._replace(offset=min(mark.offset, found.header.start))
            if outside and (isinstance(found, Transaction) or scanner.offset > mark.offset):
                yield from self._outside(outside, mark, start)
                outside = []
            if isinstance(found, Transaction):
                if found.end > start.offset:
                    yield from (item for item in self.items(found) if item.mark.offset > start.offset)
            else:
                mark = Mark(scanner.offset, found.place.segment, not envelopes.cut)
                outside.append(found)
        if outside:
            yield from self._outside(outside, mark, start)

    def _outside(self, found: list[Fault | Remark], mark: Mark, start: Mark) -> Iterator[Item]:
        """One item of all that was found at one place outside of transactions: a position is that of one item."""
        if mark.offset <= start.offset:
            return
        refused = [each for each in found if isinstance(each, Fault) or self._profile.strict]
        segment = (refused or found)[0].place.segment
        if not refused:
            told = "; ".join(each.what for each in found if isinstance(each, Remark))
            yield Item(segment, mark, skipped=f"noted, not refused: {told}")
            return
        problem = "; ".join(f"{each.place}: {each.detail}" for each in refused)
        yield Item(segment, mark, problem=problem, record=b"".join(_record_of(each) for each in refused))

    def items(self, transaction: Transaction) -> Iterator[Item]:
        """The items of one transaction, in the order of its segments; what was refused of it is one."""
        end = Mark(transaction.end, transaction.segments[-1].number)
        whole = self._refused(transaction)
        if whole is not None:
            yield Item(whole.place.segment, end, problem=str(whole), record=transaction.record())
            return
        message = Message(transaction, self._values)
        items, refused = self._translated(message)
        record = transaction.record() if refused or transaction.size <= _MOST_RECORD_BYTES else b""
        kept = record if len(record) <= _MOST_RECORD_BYTES else b""
        items = [item._replace(record=kept) if item.events else item for item in items]
        for remark in (*transaction.remarks, *message.noted):
            items.append(Item(remark.place.segment, end, skipped=f"noted, not refused: {remark.what}"))
        if refused:
            items.append(_refused_lines(transaction, refused, record))
        yield from _with_marks(transaction, sorted(items, key=lambda item: item.line))

    def _translated(self, message: Message) -> tuple[list[Item], list[Fault]]:
        """The items of the events and of what is none, each at its segment; and what was refused."""
        transaction = message.transaction
        kind, translate = BY_CODE.get(transaction.code, (None, None))
        end = Mark(transaction.end, transaction.segments[-1].number)
        if kind is None or translate is None or self._profile.we_are not in kind.we_are:
            why = f"no event: {transaction.code}"
            if kind is not None:
                why += (
                    f", which a {' or '.join(kind.we_are)} receives; by the profile we are the {self._profile.we_are}"
                )
            return [Item(transaction.header.number, end, skipped=why)], []
        broken = next((segment for segment in transaction.segments if not segment.tag.isalnum()), None)
        if broken is not None:
            why = f"{broken.raw.strip()[:24]!r} is no segment: does a text stand before it, or is it damaged?"
            return [], [Fault(Place.of(broken), why)]
        try:
            return self._items_of(message, list(translate(message)), end)
        except Unreadable as error:
            # What is wrong with the whole document costs all of it.
            return [], [Fault.of(transaction.segments[1], error)]

    def _items_of(self, message: Message, outcomes: list[Outcome], end: Mark) -> tuple[list[Item], list[Fault]]:
        refused = [outcome for outcome in outcomes if isinstance(outcome, Fault)]
        waiting = held_back(message, [each for each in outcomes if isinstance(each, Statement)], refused)
        items: list[Item] = []
        if not outcomes:
            items.append(Item(message.segments[0].number, end, skipped="a document of no lines"))
        seen: dict[str, int] = {}
        for outcome in outcomes:
            if isinstance(outcome, Statement) and outcome.segment.number not in waiting:
                items.append(Item(outcome.segment.number, end, (self._event(message, outcome, seen),)))
            elif isinstance(outcome, Nothing):
                items.append(Item(outcome.segment.number, end, skipped=outcome.why))
        return items, [*refused, *waiting.values()]

    def _event(self, message: Message, statement: Statement, seen: dict[str, int]) -> bytes:
        """The event of a statement; the second one of the same key in a document gets a number of its own."""
        name = message.id_of(statement)
        seen[name] = seen.get(name, 0) + 1
        return message.event(statement, "" if seen[name] == 1 else f"#{seen[name]}")

    def _refused(self, transaction: Transaction) -> Fault | None:
        """Why a transaction is not read at all."""
        profile, header = self._profile, transaction.interchange.header
        if profile.their_ids and transaction.sender not in profile.their_ids:
            return Fault(Place.of(header), f"the interchange is from {transaction.sender!r}, not from the partner")
        if profile.our_ids and transaction.receiver not in profile.our_ids:
            return Fault(Place.of(header), f"the interchange is for {transaction.receiver!r}, not for us")
        if transaction.is_test and profile.skip_tests:
            return Fault(Place.of(header), "the interchange is marked as a test, and the profile takes none")
        if profile.strict and transaction.remarks:
            remark = transaction.remarks[0]
            return Fault(remark.place, remark.detail)
        return None


def read(data: bytes, profile: PartnerProfile, identifiers: Identifiers | None = None) -> list[Item]:
    """The items of an EDI file that is in memory."""
    return list(EdiReader(profile, identifiers).read(io.BytesIO(data), Mark()))


def _names_of(profile: PartnerProfile) -> Identifiers:
    """The identifiers that the profile names; without any the partner uses our names. Raises `UsageError`."""
    if profile.identifiers is None:
        return SameNames()
    return Names.of(profile.identifiers, profile.names_are_ours)


def _with_marks(transaction: Transaction, items: list[Item]) -> list[Item]:
    """The items with the positions after them: each lies before the next one's segment, and all are different.

    A reader that goes on at one of them gives the next one, and nothing twice.
    """
    number, offset = transaction.segments[-1].number, transaction.end
    marked: list[Item] = []
    for item in reversed(items):
        marked.append(item._replace(mark=Mark(offset, number)))
        segment = transaction.segments[item.line - transaction.header.number]
        number, offset = min(number, item.line - 1), min(offset - 1, segment.start)
    return marked[::-1]


def _record_of(found: Fault | Remark) -> bytes:
    return found.record if isinstance(found, Fault) else b""


def _refused_lines(transaction: Transaction, refused: list[Fault], record: bytes) -> Item:
    """All that was refused of a transaction, in one item; the first faults are told."""
    shown = "; ".join(str(fault) for fault in refused[:_MOST_FAULTS])
    if len(refused) > _MOST_FAULTS:
        shown += f"; and {len(refused) - _MOST_FAULTS} more"
    unmapped = all(fault.unmapped for fault in refused)
    return Item(
        refused[0].place.segment,
        Mark(transaction.end, transaction.segments[-1].number),
        problem=f"{transaction.code} {transaction.control}: {shown}",
        record=record,
        reason="unmapped_identifier" if unmapped else "untranslatable",
    )
