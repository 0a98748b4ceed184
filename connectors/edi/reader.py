"""The `Reader` of EDI files: each transaction becomes the events of its lines."""

import io
from collections.abc import Iterator
from typing import BinaryIO, Final

from connectors.edi.envelopes import Envelopes, Transaction
from connectors.edi.message import Message, Nothing, Statement
from connectors.edi.messages import BY_CODE
from connectors.edi.problems import Place, Refusal, Remark
from connectors.edi.profile import PartnerProfile
from connectors.edi.scanner import Scanner
from connectors.edi.segments import Segment
from connectors.edi.values import TheirNames, Values
from connectors.files.lines import Mark
from connectors.files.readers import Item
from connectors.mapping.values import Unreadable
from connectors.ports import Identifiers

VERSION: Final = "1"
"""Changes when the same bytes would give other events."""
_MOST_REFUSALS: Final = 20


class EdiReader:
    """Reads X12 and EDIFACT by a partner's profile. The `line` of an item is the number of its segment.

    A transaction counts once its end has arrived. All that is wrong in it is one item, which holds the transaction in
    an envelope of its own; its other lines are read.
    """

    def __init__(self, profile: PartnerProfile, identifiers: Identifiers | None = None) -> None:
        self._profile = profile
        self._values = Values(profile, identifiers or TheirNames())
        self.name = profile.name
        self.digest = f"{VERSION} {profile.digest()}"

    def read(self, source: BinaryIO, start: Mark) -> Iterator[Item]:
        """The items after `start`. The file is read from its beginning, as the envelopes are open from there."""
        scanner = Scanner(source, self._profile.encoding)
        envelopes = Envelopes(scanner)
        for found in envelopes:
            if isinstance(found, Transaction):
                if found.end > start.offset:
                    yield from (item for item in self.items(found) if item.mark.offset > start.offset)
                continue
            mark = Mark(scanner.offset, found.place.segment, not envelopes.cut)
            if mark.offset > start.offset:
                yield self._item_of(found, mark)

    def _item_of(self, found: Refusal | Remark, mark: Mark, record: bytes = b"") -> Item:
        if isinstance(found, Remark) and not self._profile.strict:
            return Item(found.place.segment, mark, skipped=f"noted, not refused: {found.what}")
        return Item(found.place.segment, mark, problem=f"{found.place}: {found.detail}", record=record)

    def items(self, transaction: Transaction) -> Iterator[Item]:
        """The items of one transaction, in the order of its segments, and last what was refused of it."""
        end = Mark(transaction.end, transaction.segments[-1].number)
        whole = self._refused(transaction)
        if whole is not None:
            yield Item(whole.place.segment, end, problem=str(whole), record=transaction.record())
            return
        message = Message(transaction, self._values)
        events, refused = self._translated(message)
        events.sort(key=lambda item: item.line)
        yield from (item._replace(mark=_mark_of(transaction, events, index)) for index, item in enumerate(events))
        for remark in (*transaction.remarks, *message.noted):
            yield self._item_of(remark, end, transaction.record())
        if refused:
            yield _refused_lines(transaction, refused, end)

    def _translated(self, message: Message) -> tuple[list[Item], list[Refusal]]:
        """The items of the events and of what is none, each at its segment; and what was refused."""
        transaction = message.transaction
        kind, translate = BY_CODE[transaction.code] if transaction.code in BY_CODE else (None, None)
        end = Mark(transaction.end, transaction.segments[-1].number)
        if kind is None or translate is None or self._profile.we_are not in kind.we_are:
            why = f"no event: {transaction.code}"
            if kind is not None:
                why += (
                    f", which a {' or '.join(kind.we_are)} receives; by the profile we are the {self._profile.we_are}"
                )
            return [Item(transaction.header.number, end, skipped=why)], []
        items: list[Item] = []
        refused: list[Refusal] = []
        seen: dict[str, int] = {}
        try:
            for outcome in translate(message):
                if isinstance(outcome, Statement):
                    event = self._event(message, outcome, seen)
                    items.append(Item(outcome.segment.number, _end_of(outcome.segment), (event,)))
                elif isinstance(outcome, Nothing):
                    items.append(Item(outcome.segment.number, _end_of(outcome.segment), skipped=outcome.why))
                elif isinstance(outcome, Refusal):
                    refused.append(outcome)
        except Unreadable as error:
            # What is wrong with the whole document costs all of it.
            return [], [Refusal.of(transaction.header, error)]
        return items, refused

    def _event(self, message: Message, statement: Statement, seen: dict[str, int]) -> bytes:
        """The event of a statement; the second one of the same key in a document gets a number of its own."""
        name = message.id_of(statement)
        seen[name] = seen.get(name, 0) + 1
        return message.event(statement, "" if seen[name] == 1 else f"#{seen[name]}")

    def _refused(self, transaction: Transaction) -> Refusal | None:
        """Why a transaction is not read at all."""
        profile, header = self._profile, transaction.interchange.header
        if profile.their_ids and transaction.sender not in profile.their_ids:
            return Refusal(Place.of(header), f"the interchange is from {transaction.sender!r}, not from the partner")
        if profile.our_ids and transaction.receiver not in profile.our_ids:
            return Refusal(Place.of(header), f"the interchange is for {transaction.receiver!r}, not for us")
        if transaction.is_test and profile.skip_tests:
            return Refusal(Place.of(header), "the interchange is marked as a test, and the profile takes none")
        if profile.strict and transaction.remarks:
            remark = transaction.remarks[0]
            return Refusal(remark.place, remark.detail)
        return None


def read(data: bytes, profile: PartnerProfile, identifiers: Identifiers | None = None) -> list[Item]:
    """The items of an EDI file that is in memory."""
    return list(EdiReader(profile, identifiers).read(io.BytesIO(data), Mark()))


def _end_of(segment: Segment) -> Mark:
    return Mark(segment.end, segment.number)


def _mark_of(transaction: Transaction, items: list[Item], index: int) -> Mark:
    """Where a reader goes on behind an item: before the next one's segment, so that none is left out."""
    if index + 1 == len(items):
        return Mark(transaction.end, transaction.segments[-1].number)
    following = items[index + 1]
    first = transaction.header.number
    segment = transaction.segments[min(max(following.line - first, 0), len(transaction.segments) - 1)]
    return Mark(segment.start, following.line - 1)


def _refused_lines(transaction: Transaction, refused: list[Refusal], end: Mark) -> Item:
    """All that was refused of a transaction, in one item; the first refusals are told."""
    shown = "; ".join(str(refusal) for refusal in refused[:_MOST_REFUSALS])
    if len(refused) > _MOST_REFUSALS:
        shown += f"; and {len(refused) - _MOST_REFUSALS} more"
    unmapped = all(refusal.unmapped for refusal in refused)
    return Item(
        refused[0].place.segment,
        end,
        problem=f"{transaction.code} {transaction.control}: {shown}",
        record=transaction.record(),
        reason="unmapped_identifier" if unmapped else "untranslatable",
    )
