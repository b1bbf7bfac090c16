"""Subjects: under which name a registry keeps a grain's schema, and with which ids."""

from __future__ import annotations

import json
from collections.abc import Mapping

from conformare_schemas._contract import CONTRACT_VERSION, message_schema
from conformare_schemas._naming import topic_name
from conformare_schemas.registry._access import SubjectStrategy
from conformare_schemas.registry._agreement import released_header
from conformare_schemas.registry._client import RegistryClient


def subject_name(grain: str, topic_prefix: str, strategy: SubjectStrategy) -> str:
    """Return the subject of a grain's messages.

    Args:
        grain: One of `GRAINS`.
        topic_prefix: Put in front of every grain's topic.
        strategy: How subjects are named.
    """
    schema = message_schema(grain)
    record = f"{schema['namespace']}.{schema['name']}"
    topic = topic_name(grain, topic_prefix)
    if strategy == "RecordName":
        return record
    return f"{topic}-value" if strategy == "TopicName" else f"{topic}-{record}"


def schema_text(grain: str, version: int = CONTRACT_VERSION) -> str:
    """Return a grain's released schema as it is registered: its `.avsc`, without line breaks."""
    return json.dumps(message_schema(grain, version), ensure_ascii=False)


def released_ids(client: RegistryClient, subject: str) -> Mapping[int, bytes]:
    """Return which schemas of a subject are released ones of ours.

    Args:
        client: The registry.
        subject: Name of the subject.

    Returns:
        The registry's id → the header of messages in single-object encoding, oldest first.

    Raises:
        RegistryError: It does not answer, or refuses.
    """
    found = {one.schema_id: released_header(one.text) for one in client.versions(subject)}
    return {schema_id: header for schema_id, header in found.items() if header is not None}
