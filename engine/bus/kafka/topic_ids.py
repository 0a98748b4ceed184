"""The identity of topics, which a topic that was deleted and created again under its name does not share.

aiokafka speaks metadata up to version 5; identities came with version 10 (KIP-516).
"""

from io import BytesIO
from typing import Any
from uuid import UUID

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import Boolean, CompactArray, CompactString, Int16, Int32, Schema, TaggedFields

METADATA = 3


class _Uuid:
    @staticmethod
    def encode(value: UUID | None) -> bytes:
        return bytes(16) if value is None else value.bytes

    @staticmethod
    def decode(data: BytesIO) -> UUID:
        return UUID(bytes=data.read(16))


_TEXT = CompactString("utf-8")
_PARTITION = (
    ("error_code", Int16),
    ("partition", Int32),
    ("leader", Int32),
    ("leader_epoch", Int32),
    ("replicas", CompactArray(Int32)),
    ("isr", CompactArray(Int32)),
    ("offline_replicas", CompactArray(Int32)),
    ("tags", TaggedFields),
)


class _MetadataResponse(Response):
    API_KEY = METADATA
    API_VERSION = 10
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("brokers", CompactArray(("node_id", Int32), ("host", _TEXT), ("port", Int32), ("rack", _TEXT),
                                 ("tags", TaggedFields))),
        ("cluster_id", _TEXT),
        ("controller_id", Int32),
        ("topics", CompactArray(("error_code", Int16), ("topic", _TEXT), ("topic_id", _Uuid),
                                ("is_internal", Boolean), ("partitions", CompactArray(*_PARTITION)),
                                ("authorized_operations", Int32), ("tags", TaggedFields))),
        ("authorized_operations", Int32),
        ("tags", TaggedFields),
    )  # fmt: skip


class _MetadataRequest(RequestStruct):
    FLEXIBLE_VERSION = True
    API_KEY = METADATA
    API_VERSION = 10
    RESPONSE_TYPE = _MetadataResponse
    SCHEMA = Schema(
        ("topics", CompactArray(("topic_id", _Uuid), ("topic", _TEXT), ("tags", TaggedFields))),
        ("allow_auto_topic_creation", Boolean),
        ("include_cluster_authorized_operations", Boolean),
        ("include_topic_authorized_operations", Boolean),
        ("tags", TaggedFields),
    )


class _TopicIds(Request[_MetadataRequest]):
    API_KEY = METADATA

    def __init__(self, topics: list[str]) -> None:
        self._topics = topics

    def build(self, request_struct_class: type[_MetadataRequest]) -> _MetadataRequest:
        return request_struct_class([(None, name, {}) for name in self._topics], False, False, False, {})


async def topic_ids(admin: AIOKafkaAdminClient, topics: list[str]) -> dict[str, str]:
    """The identity of each of `topics` that exists, as text."""
    answer: Any = await admin._send_request(_TopicIds(topics))  # noqa: SLF001
    return {topic[1]: str(topic[2]) for topic in answer.topics if topic[0] == 0}
