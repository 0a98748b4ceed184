"""Webhooks: CloudEvents that others send here become events of the log, and others are told what the engine publishes.

What comes in is delivered at least once: a sender gets its 202 only when its events are durable, and sends again until
then. The ids of CloudEvents are theirs, and those of documents follow from the documents, so the log counts each once.

What goes out is delivered at least once too, in order by row: each change is kept in a small database until the
subscriber has answered 2xx. Its id names the state that it tells, which is the idempotency key of the subscriber. A
subscriber who is slower than the changes gets the latest state of each row.
"""

from connectors.ports import Tools
from connectors.webhook.connector import WebhookConnector
from connectors.webhook.profile import Profile

__all__ = ["Profile", "WebhookConnector", "connect"]


def connect(profile: Profile, tools: Tools) -> WebhookConnector:
    """A connector, which is not open yet."""
    return WebhookConnector(profile, tools)
