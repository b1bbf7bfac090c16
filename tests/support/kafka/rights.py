"""The rights that docs/operation/topics.md gives to each user, read from the page."""

from __future__ import annotations

import argparse
import re
import shlex
from pathlib import Path

from confluent_kafka.admin._acl import AclBinding, AclOperation, AclPermissionType
from confluent_kafka.admin._resource import ResourcePatternType, ResourceType

DOCS = Path(__file__).parents[3] / "docs" / "operation" / "topics.md"


def documented_acls() -> list[AclBinding]:
    """The commands of docs/operation/topics.md, as kafka-acls reads them."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--add", action="store_true")
    parser.add_argument("--allow-principal")
    parser.add_argument("--operation", action="append")
    parser.add_argument("--topic")
    parser.add_argument("--group")
    parser.add_argument("--resource-pattern-type")
    text = DOCS.read_text(encoding="utf-8").replace("\\\n", " ")
    found = []
    for line in re.findall(r"^\$ACLS (.+)$", text, re.MULTILINE):
        asked = parser.parse_args(shlex.split(line))
        kind, name = ("TOPIC", asked.topic) if asked.topic else ("GROUP", asked.group)
        found += [
            AclBinding(
                ResourceType[kind],
                name,
                ResourcePatternType[asked.resource_pattern_type.upper()],
                asked.allow_principal,
                "*",
                AclOperation[_snake_case(operation)],
                AclPermissionType.ALLOW,
            )
            for operation in asked.operation
        ]
    return found


def user_of(acl: AclBinding) -> str:
    """Return whom a right is given to."""
    return str(acl.principal).removeprefix("User:")


def _snake_case(operation: str) -> str:
    """Return DESCRIBE_CONFIGS for DescribeConfigs."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", operation).upper()
