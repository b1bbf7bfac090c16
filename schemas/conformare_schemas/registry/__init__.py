"""A Schema Registry with Confluent's API: how it is reached, and what it says of our schemas."""

from conformare_schemas.registry._access import SETTING_NAMES, RegistryAccess, SubjectStrategy
from conformare_schemas.registry._agreement import released_header
from conformare_schemas.registry._client import RegistryClient
from conformare_schemas.registry._errors import (
    RegistryError,
    RegistryRefusedError,
    RegistrySettingsError,
    RegistryUnreachableError,
)
from conformare_schemas.registry._settings import (
    SCHEMA_REGISTRY_URL,
    RegistrySettings,
    SchemaRegistrySubjects,
    access_of,
    require_usable,
)
from conformare_schemas.registry._subjects import released_ids, schema_text, subject_name

__all__ = [
    "SCHEMA_REGISTRY_URL",
    "SETTING_NAMES",
    "RegistryAccess",
    "RegistryClient",
    "RegistryError",
    "RegistryRefusedError",
    "RegistrySettings",
    "RegistrySettingsError",
    "RegistryUnreachableError",
    "SchemaRegistrySubjects",
    "SubjectStrategy",
    "access_of",
    "released_header",
    "released_ids",
    "require_usable",
    "schema_text",
    "subject_name",
]
