"""The settings of a Schema Registry that jobs, the sink and commands have in common."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, SecretStr, model_validator

from conformare_schemas.registry._access import RegistryAccess, SubjectStrategy
from conformare_schemas.registry._client import RegistryClient
from conformare_schemas.registry._errors import RegistryError
from conformare_schemas.settings import About, Settings
from conformare_schemas.store import StoreError, read_settings

SCHEMA_REGISTRY_URL = Field(
    description="Schema Registry with Confluent's API, such as `https://registry:8081`; messages then "
    "carry its schema ids."
)
SchemaRegistrySubjects = Annotated[
    SubjectStrategy, Field(description="How the subjects of the Schema Registry are named.")
]


def _read(given: Any) -> Any:
    """Take the name of a file for what is in it."""
    if not isinstance(given, (str, Path)):
        return given
    try:
        return read_settings(Path(given))
    except StoreError as exc:
        raise ValueError(str(exc)) from None  # the chain may have values


class RegistrySettings(Settings):
    """How a command reaches the Schema Registry, where there is one."""

    schema_registry_url: Annotated[str | None, About(default="none"), SCHEMA_REGISTRY_URL] = None
    schema_registry_subject_strategy: SchemaRegistrySubjects = "TopicName"
    registry_settings: Annotated[
        Mapping[str, SecretStr], About(metavar="FILE", default="nothing"), BeforeValidator(_read)
    ] = Field(
        default={},
        alias="schema_registry_settings",
        description="File with the login settings for the Schema Registry: lines such as "
        "`basic.auth.user.info=user:password`, by Confluent's names.",
    )

    @model_validator(mode="after")
    def _reaches_a_registry(self) -> RegistrySettings:
        if self.registry_settings and self.schema_registry_url is None:
            raise ValueError("--schema-registry-settings needs --schema-registry-url")
        require_usable(self.registry)
        return self

    @property
    def registry(self) -> RegistryAccess | None:
        """The registry; None where there is none."""
        if self.schema_registry_url is None:
            return None
        settings = {name: one.get_secret_value() for name, one in self.registry_settings.items()}
        strategy = self.schema_registry_subject_strategy
        return access_of(self.schema_registry_url, settings, strategy)


def access_of(url: str, settings: Mapping[str, Any], strategy: SubjectStrategy) -> RegistryAccess:
    """Return how a registry is reached, as `RegistryAccess.of` makes it.

    Raises:
        ValueError: Something does not fit.
    """
    try:
        return RegistryAccess.of(url, settings, strategy)
    except RegistryError as exc:
        raise ValueError(str(exc)) from None


def require_usable(access: RegistryAccess | None) -> None:
    """Refuse settings by which no client can be made; nothing is connected to.

    Raises:
        ValueError: A file cannot be used, or what is needed is not installed.
    """
    try:
        if access is not None:
            RegistryClient(access).close()
    except RegistryError as exc:
        raise ValueError(str(exc)) from None
