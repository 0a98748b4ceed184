"""Tells one subscriber of one state: a CloudEvent in structured mode, signed, and what its answer means."""

import json
import time
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import quote

import aiohttp

from connectors.base import JsonObject
from connectors.changes import Change, Table, change_of
from connectors.client import EngineClient, EngineRefused
from connectors.mapping.values import Unreadable
from connectors.network import network_cause
from connectors.webhook.profile import Subscriber
from connectors.webhook.signing import HEADER, Message

CONTENT_TYPE: Final = "application/cloudevents+json"
AT_FAULT: Final = (400, 413, 415, 422)
"""The subscriber says that the message itself is at fault: the same message will never be taken."""
LONGEST_ORDERED_PAUSE_SECONDS: Final = 3600.0

Verdict = Literal["told", "again", "never"]


@dataclass(frozen=True)
class Outcome:
    """What became of an attempt; `pause_seconds` is how long the subscriber asks to be left alone."""

    verdict: Verdict
    detail: str = ""
    pause_seconds: float | None = None


class Notifier:
    """Posts to one subscriber. No redirect is followed and no proxy is asked: only the profile says who is told."""

    def __init__(self, subscriber: Subscriber, session: aiohttp.ClientSession) -> None:
        self._subscriber = subscriber
        self._session = session
        self._secret = subscriber.key.secret.reveal()

    async def tell(self, change: Change, engine: EngineClient) -> Outcome:
        """Tell a state, with available to promise where the subscriber wants it. Raises `EngineUnreachable`."""
        body = await self._body(change, engine)
        key = self._subscriber.key.id
        signature = Message({}, body).signature(int(time.time()), key, self._secret)
        headers = {"Content-Type": CONTENT_TYPE, HEADER: signature}
        timeout = aiohttp.ClientTimeout(total=self._subscriber.timeout_seconds)
        try:
            async with self._session.post(
                self._subscriber.url, data=body, headers=headers, timeout=timeout, allow_redirects=False
            ) as response:
                return _outcome(response.status, response.headers.get("Retry-After"))
        except TimeoutError:
            return Outcome("again", f"no answer within {self._subscriber.timeout_seconds:g} s")
        except (aiohttp.ClientError, OSError) as error:
            return Outcome("again", f"no answer ({network_cause(error)})")

    async def _body(self, change: Change, engine: EngineClient) -> bytes:
        data = change.data
        if change.table == "positions" and self._subscriber.atp:
            data = data | await _promise(change, engine)
        event = {
            "specversion": "1.0",
            "id": change.id,
            "source": "stockline",
            "type": change.type,
            "time": change.data["updated"],
            "subject": f"{change.data['sku']}@{change.data['location']}",
            "datacontenttype": "application/json",
            "data": data,
        }
        return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()


async def present(table: Table, key: str, engine: EngineClient) -> Change:
    """The state of a thing as it is now, by the key of a change. Raises `Unreadable` where it is gone."""
    sku, _, location = key.rpartition("@")
    name = f"{quote(sku, safe='')}/{quote(location, safe='')}" if table == "positions" else quote(key, safe="")
    try:
        return change_of(table, await engine.get(f"/v1/{table}/{name}"))
    except EngineRefused as error:
        raise Unreadable(f"{key} is not in the engine any more ({error})") from None


async def _promise(change: Change, engine: EngineClient) -> JsonObject:
    """Available to promise as of now: each day from which another quantity can be promised."""
    found = await present("positions", change.key, engine)
    days: list[JsonObject] = []
    for day in found.data.get("projection", ()):
        if not days or days[-1]["atp"] != day["atp"]:
            days.append({"date": day["date"], "atp": day["atp"]})
    return {"as_of": found.data.get("as_of"), "atp": days}


def _outcome(status: int, retry_after: str | None) -> Outcome:
    if 200 <= status < 300:
        return Outcome("told")
    if status in AT_FAULT:
        return Outcome("never", f"the subscriber answered {status}: it does not take this message")
    return Outcome("again", f"the subscriber answered {status}", _ordered_pause(retry_after))


def _ordered_pause(retry_after: str | None) -> float | None:
    """The seconds of a Retry-After; a date in it is not read, for clocks differ."""
    if retry_after is None or not retry_after.strip().isdecimal():
        return None
    return min(float(retry_after[:8]), LONGEST_ORDERED_PAUSE_SECONDS)
