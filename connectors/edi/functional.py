"""997, 999 and CONTRL: what a partner's system says of the messages that we sent. They become no event."""

from collections.abc import Iterator
from typing import Final, Literal, NamedTuple

from connectors.edi.envelopes import Transaction
from connectors.edi.message import Message, Nothing, Outcome
from connectors.edi.problems import Fault, Place
from connectors.edi.segments import Segment

State = Literal["accepted", "with errors", "rejected"]
_X12: Final[dict[str, State]] = {"A": "accepted", "E": "with errors", "P": "with errors"}
_CONTRL: Final[dict[str, State]] = {"7": "accepted", "8": "accepted", "1": "accepted"}


class Answer(NamedTuple):
    """The state of what we sent: an interchange or a group by `group`, and of it the message `message` (empty: all).

    `code` says what kind the message is, `errors` counts the faults that are listed.
    """

    segment: Segment
    group: str
    code: str
    message: str
    state: State
    errors: int


def answers(transaction: Transaction) -> list[Answer]:
    """What a 997, 999 or CONTRL says, in its order."""
    return list(_contrl(transaction) if transaction.code == "CONTRL" else _x12(transaction))


def _x12(transaction: Transaction) -> Iterator[Answer]:
    group = code = message = ""
    errors, named = 0, False
    for segment in transaction.segments:
        if segment.tag == "AK1":
            group, named = segment[2], False
        elif segment.tag == "AK2":
            code, message, errors = segment[1], segment[2], 0
        elif segment.tag in ("AK3", "AK4", "IK3", "IK4"):
            errors += 1
        elif segment.tag in ("AK5", "IK5"):
            state = _X12.get(segment[1], "rejected")
            named = named or state == "rejected"
            yield Answer(segment, group, code, message, state, errors)
        elif segment.tag == "AK9":
            # A group that is taken in part names what is rejected of it; where it does not, all of it is in doubt.
            state = "rejected" if segment[1] == "P" and not named else _X12.get(segment[1], "rejected")
            yield Answer(segment, group, "", "", state, 0)


def _contrl(transaction: Transaction) -> Iterator[Answer]:
    group = ""
    for segment in transaction.segments:
        if segment.tag == "UCI":
            group = segment[1]
            yield Answer(segment, group, "", "", _CONTRL.get(segment[4], "rejected"), 1 if segment[5] else 0)
        elif segment.tag == "UCF":
            yield Answer(segment, f"{group}/{segment[1]}", "", "", _CONTRL.get(segment[4], "rejected"), 0)
        elif segment.tag == "UCM":
            yield Answer(segment, group, segment[2], segment[1], _CONTRL.get(segment[3], "rejected"), 1)


def acknowledged(message: Message) -> Iterator[Outcome]:
    """What was accepted is said; what was rejected is refused, so that a person sees it."""
    found = answers(message.transaction)
    if not found:
        yield Nothing(message.segments[0], "an acknowledgement that says nothing")
    for answer in found:
        what = f"{answer.code} {answer.message} of the group {answer.group}".strip() if answer.message else answer.group
        if answer.state == "rejected":
            why = f"the partner rejected what we sent: {what or 'no number'}, {answer.errors} errors are listed"
            yield Fault(Place.of(answer.segment), why)
        else:
            yield Nothing(answer.segment, f"the partner's receipt of what we sent: {answer.state}")
