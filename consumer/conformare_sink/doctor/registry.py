"""The Schema Registry: whether it answers, lets us in, and has our schemas; nothing is registered."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterator
from contextlib import closing

from conformare_schemas import DEFAULT_TOPIC_PREFIX, RELEASED_SCHEMAS, message_header
from conformare_schemas.findings import Finding, Role
from conformare_schemas.registry import (
    RegistryAccess,
    RegistryClient,
    RegistryError,
    RegistryUnreachableError,
    released_ids,
    subject_name,
)
from conformare_sink.doctor.asked import SinkAsked
from conformare_sink.doctor.names import named

PART = "registry"


def look(asked: SinkAsked) -> Iterator[Finding]:
    """Look whether the registry has every schema under its subject."""
    if asked.registry is None:
        yield Finding.unchecked(
            PART, "no setting names one, and none is needed: see --schema-registry-url"
        )
        return
    try:
        missing = _missing(asked, asked.registry)
    except RegistryUnreachableError as exc:
        yield Finding.mend(PART, f"{exc}: start it, or correct --schema-registry-url")
    except RegistryError as exc:
        yield Finding.mend(PART, str(exc))
    else:
        yield judge(asked, asked.registry, missing)


def judge(asked: SinkAsked, registry: RegistryAccess, missing: Collection[str]) -> Finding:
    """Return what is to be done about subjects that lack a schema of ours.

    Args:
        asked: Whose role it is. A job frames its messages by themselves where an id is missing; a
            sink reads what others have registered.
        registry: How the registry is reached.
        missing: The subjects.
    """
    if not missing:
        return Finding.good(PART, f"{registry.url} answers, and has all schemas of the messages")
    words = ["conformare", "schemas", "register", "--schema-registry-url", registry.url]
    if asked.topic_prefix != DEFAULT_TOPIC_PREFIX:
        words += ["--topic-prefix", asked.topic_prefix]
    line = f"{registry.url} lacks schemas of {named(missing)}: call `{shlex.join(words)}`"
    return (Finding.mend if asked.role is Role.JOB else Finding.advice)(PART, line)


def _missing(asked: SinkAsked, registry: RegistryAccess) -> set[str]:
    found = set()
    with closing(RegistryClient(registry)) as client:
        for grain, version in RELEASED_SCHEMAS:
            subject = subject_name(grain, asked.topic_prefix, registry.subject_strategy)
            if message_header(grain, version) not in released_ids(client, subject).values():
                found.add(subject)
    return found
