"""`conformare schemas`: our schemas in a Schema Registry."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from conformare._errors import ConformareError
from conformare.cli._printable import printable
from conformare_schemas import DEFAULT_TOPIC_PREFIX, RELEASED_SCHEMAS, message_header
from conformare_schemas.registry import (
    RegistryAccess,
    RegistryClient,
    RegistryError,
    SubjectStrategy,
    released_ids,
    schema_text,
    subject_name,
)

FAILURE = 1

app = typer.Typer(
    no_args_is_help=True,
    help="The schemas of the messages in a Schema Registry, for tools that read topics by it.",
)


class SchemaRegistryError(ConformareError):
    """The Schema Registry cannot be asked, or refuses."""


Url = Annotated[
    str,
    typer.Option(
        "--schema-registry-url",
        envvar="CONFORMARE_SCHEMA_REGISTRY_URL",
        help="Schema Registry with Confluent's API, such as https://registry:8081.",
    ),
]
Settings = Annotated[
    Path | None,
    typer.Option(
        "--schema-registry-settings",
        envvar="CONFORMARE_SCHEMA_REGISTRY_SETTINGS",
        metavar="FILE",
        help="File with what the registry wants of its clients: lines such as "
        "basic.auth.user.info=user:password, by Confluent's names.",
        show_default="nothing",
    ),
]
Strategy = Annotated[
    SubjectStrategy,
    typer.Option(
        "--schema-registry-subject-strategy",
        envvar="CONFORMARE_SCHEMA_REGISTRY_SUBJECT_STRATEGY",
        help="How the registry's subjects are named.",
    ),
]
TopicPrefix = Annotated[
    str,
    typer.Option(
        "--topic-prefix",
        envvar="CONFORMARE_TOPIC_PREFIX",
        help="Put in front of every grain's topic.",
    ),
]


@dataclass(frozen=True)
class _Wanted:
    """A released schema and its subject."""

    grain: str
    version: int
    subject: str

    def id_in(self, client: RegistryClient) -> int | None:
        """Return the registry's id of it; None where the subject does not have it."""
        header = message_header(self.grain, self.version)
        found = [
            one for one, known in released_ids(client, self.subject).items() if known == header
        ]
        return found[-1] if found else None


@app.command()
def register(
    url: Url,
    settings: Settings = None,
    strategy: Strategy = "TopicName",
    topic_prefix: TopicPrefix = DEFAULT_TOPIC_PREFIX,
) -> None:
    """Add the schemas of all grains to their subjects; those that are there stay as they are."""
    try:
        with closing(_client(url, settings, strategy)) as client:
            for wanted in _all(topic_prefix, strategy):
                schema_id = wanted.id_in(client)
                state = "is there as"
                if schema_id is None:
                    text = schema_text(wanted.grain, wanted.version)
                    schema_id = client.register(wanted.subject, text)
                    state = "registered as"
                _say(f"{wanted.subject}: {state} id {schema_id}")
    except RegistryError as exc:
        raise SchemaRegistryError(str(exc)) from exc


@app.command()
def check(
    url: Url,
    settings: Settings = None,
    strategy: Strategy = "TopicName",
    topic_prefix: TopicPrefix = DEFAULT_TOPIC_PREFIX,
) -> None:
    """Print which schemas the registry has; nothing is changed. Exit code 1: one is missing."""
    is_complete = True
    try:
        with closing(_client(url, settings, strategy)) as client:
            for wanted in _all(topic_prefix, strategy):
                schema_id = wanted.id_in(client)
                is_complete &= schema_id is not None
                if schema_id is not None:
                    state = f"id {schema_id}"
                elif client.is_compatible(
                    wanted.subject, schema_text(wanted.grain, wanted.version)
                ):
                    state = "missing: `conformare schemas register` adds it"
                else:
                    state = (
                        "missing, and the subject holds something that it does not go with: use "
                        "another topic prefix or subject strategy"
                    )
                _say(f"{wanted.subject}: {state}")
    except RegistryError as exc:
        raise SchemaRegistryError(str(exc)) from exc
    if not is_complete:
        raise typer.Exit(FAILURE)


def _client(url: str, settings: Path | None, strategy: SubjectStrategy) -> RegistryClient:
    return RegistryClient(RegistryAccess.read(url, settings, strategy))


def _all(topic_prefix: str, strategy: SubjectStrategy) -> Iterator[_Wanted]:
    """Yield every released schema, older versions first, for so a subject has them in order."""
    for grain, version in sorted(RELEASED_SCHEMAS, key=lambda one: one[1]):
        yield _Wanted(grain, version, subject_name(grain, topic_prefix, strategy))


def _say(line: str) -> None:
    typer.echo(printable(line))
