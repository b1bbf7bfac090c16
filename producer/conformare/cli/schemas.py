"""`conformare schemas`: our schemas in a Schema Registry."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

import typer

from conformare._errors import ConformareError
from conformare.cli.settings import SchemasSettings
from conformare_schemas import RELEASED_SCHEMAS, message_header
from conformare_schemas.printable import printable
from conformare_schemas.registry import (
    RegistryClient,
    RegistryError,
    access_of,
    released_ids,
    schema_text,
    subject_name,
)
from conformare_schemas.settings.command_line import command_of

FAILURE = 1

app = typer.Typer(
    no_args_is_help=True,
    help="The schemas of the messages in a Schema Registry, for tools that read topics by it.",
)


class SchemaRegistryError(ConformareError):
    """The Schema Registry cannot be asked, or refuses."""


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
@command_of(SchemasSettings)
def register(given: SchemasSettings) -> None:
    """Add the schemas of all grains to their subjects; those that are there stay as they are."""
    try:
        with closing(_client(given)) as client:
            for wanted in _all(given):
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
@command_of(SchemasSettings)
def check(given: SchemasSettings) -> None:
    """Print which schemas the registry has; nothing is changed. Exit code 1: one is missing."""
    is_complete = True
    try:
        with closing(_client(given)) as client:
            for wanted in _all(given):
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


def _client(given: SchemasSettings) -> RegistryClient:
    return RegistryClient(
        access_of(
            given.schema_registry_url,
            {name: one.get_secret_value() for name, one in given.registry_settings.items()},
            given.schema_registry_subject_strategy,
        )
    )


def _all(given: SchemasSettings) -> Iterator[_Wanted]:
    """Yield every released schema, older versions first, for so a subject has them in order."""
    strategy = given.schema_registry_subject_strategy
    for grain, version in sorted(RELEASED_SCHEMAS, key=lambda one: one[1]):
        yield _Wanted(grain, version, subject_name(grain, given.topic_prefix, strategy))


def _say(line: str) -> None:
    typer.echo(printable(line))
