"""Settings: each is a field of a pydantic model, and everything else is derived from the field."""

from conformare_schemas.settings._config_file import (
    ConfigFile,
    SettingsError,
    config_file,
    read_config_file,
    use_config_file,
)
from conformare_schemas.settings._definition import (
    About,
    Definition,
    Settings,
    definitions,
)
from conformare_schemas.settings._in_force import (
    InForce,
    Origin,
    in_force,
    misfitting_variables,
    told,
)
from conformare_schemas.settings._known import SETTINGS_GROUP, known_models, unknown_variables
from conformare_schemas.settings._shared import (
    BOOTSTRAP_SERVERS,
    LAKE,
    STORAGE_OPTIONS,
    AsJson,
    BrokerNames,
    Catalog,
    Schema,
    TablePrefix,
    TopicPrefix,
)
from conformare_schemas.settings._shown import shown

__all__ = [
    "BOOTSTRAP_SERVERS",
    "LAKE",
    "SETTINGS_GROUP",
    "STORAGE_OPTIONS",
    "About",
    "AsJson",
    "BrokerNames",
    "Catalog",
    "ConfigFile",
    "Definition",
    "InForce",
    "Origin",
    "Schema",
    "Settings",
    "SettingsError",
    "TablePrefix",
    "TopicPrefix",
    "config_file",
    "definitions",
    "in_force",
    "known_models",
    "misfitting_variables",
    "read_config_file",
    "shown",
    "told",
    "unknown_variables",
    "use_config_file",
]
