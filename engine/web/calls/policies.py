"""The policy of a row, set by a planner: what it would change, and the event that sets it."""

import asyncio
import secrets

import msgspec
from aiohttp import web

from engine.core.events import PolicySet, decode
from engine.core.outcomes import Rejection
from engine.core.payloads import PolicySetData
from engine.core.values import moment
from engine.web import bodies
from engine.web.answers import PolicySetting, as_json
from engine.web.calls.decisions import SOURCE
from engine.web.calls.positions import DEFAULT_DAYS, unknown
from engine.web.idempotency import HEADER, id_part, key_of
from engine.web.ports import CONTEXT, principal_of, service_of
from engine.web.problems import Problem


async def preview(request: web.Request) -> web.Response:
    """What a policy would make of its row, without setting it."""
    async with request.app[CONTEXT].intake.body(request) as body:
        policy = bodies.decode(body, PolicySetData)
    row = _row_of(request, policy)
    effect = await asyncio.to_thread(service_of(request).policy_effect, policy)
    if effect is None:
        raise unknown(*row)
    return as_json(effect)


async def put(request: web.Request) -> web.Response:
    """Sets the policy of a row, also of one that no event has told of yet; answers with the row after it."""
    async with request.app[CONTEXT].intake.body(request) as body:
        setting = bodies.decode_signed(body, PolicySetting, principal_of(request))
    row = _row_of(request, setting.policy)
    raw = _event(request, setting)
    if isinstance(rejected := decode(raw), Rejection):
        raise Problem(400, rejected.detail, rejected.reason)
    submission = await service_of(request).decide(raw)
    detail = await asyncio.to_thread(service_of(request).row_detail, *row, DEFAULT_DAYS)
    for refused in submission.refused:
        # The call was taken before under this key, at another time: it is the same unless it set another policy.
        if key_of(request) is None or refused.reason != "conflict":
            raise Problem(409, refused.detail, refused.reason)
        if detail is None or detail["policy"] != msgspec.to_builtins(setting.policy):
            raise Problem(422, f"the `{HEADER}` was that of another policy; take a new key", "idempotency_key_reused")
    return as_json(detail)


def _row_of(request: web.Request, policy: PolicySetData) -> tuple[str, str]:
    """The row of the path, which must be that of the policy; raises Problem 400 otherwise."""
    sku, location = row = request.match_info["sku"], request.match_info["location"]
    if row != (policy.sku, policy.location):
        raise Problem(
            400, f"the policy is of ({policy.sku}, {policy.location}), not ({sku}, {location})", "invalid_body"
        )
    return row


def _event(request: web.Request, setting: PolicySetting) -> bytes:
    """`policy.set`, with who set it as the attribute `by` of its envelope, where other writers may have none."""
    key = key_of(request)
    event = {
        "specversion": "1.0",
        "id": f"policy-{secrets.token_hex(8) if key is None else id_part(request, key)}",
        "source": SOURCE,
        "type": PolicySet.__struct_config__.tag,
        "time": moment(service_of(request).now()),
        "by": setting.by,
        "data": {name: value for name, value in msgspec.to_builtins(setting.policy).items() if value is not None},
    }
    return msgspec.json.encode(event)
