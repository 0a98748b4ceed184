"""Signals and alerts as they were at a moment, as far back as their history is kept."""

from collections import deque
from datetime import datetime

import msgspec
from msgspec import Raw, Struct

from engine.columns.fields import data_of
from engine.core.topics import OutputTopic
from engine.core.values import instant
from engine.web.ports import Service
from engine.web.problems import Problem
from engine.web.query import invalid


class _Opened(Struct):
    opened: datetime


class _Published(Struct):
    time: datetime


def as_it_was(service: Service, topic: OutputTopic, name: str, now: Raw, at: datetime) -> Raw:
    """What a signal or alert said at a moment; `now` is what it says now.

    Raises Problem 400 for a moment that is still to come, 404 where it was not opened yet, 410 where what it said is no
    longer kept.
    """
    if instant(at) > service.now():
        raise invalid("`as_of` is later than the engine's clock")
    published, thing = service.bus.published, topic.thing
    for output in published.revisions(topic.name, name, instant(at)):
        return data_of(output)
    opened = msgspec.json.decode(now, type=_Opened).opened
    if at < opened:
        raise Problem(404, f"the {thing} {name} was opened later, at {opened.isoformat()}", f"unknown_{thing}")
    oldest = deque(published.revisions(topic.name, name, service.now()), maxlen=1)
    since = [f", from {msgspec.json.decode(kept, type=_Published).time.isoformat()} on" for kept in oldest]
    detail = f"what the {thing} {name} said then is kept no longer; what it said later is{''.join(since)}"
    raise Problem(410, detail, "history_gone")
