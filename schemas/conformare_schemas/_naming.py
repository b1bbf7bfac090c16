"""The names of topics and tables: the one place where they are formed."""

from __future__ import annotations

from conformare_schemas._contract import GRAINS

DEFAULT_TOPIC_PREFIX = "conformare."

CONFIG_VARIABLE = "CONFORMARE_CONFIG"
"""Names the configuration file; without it, or `--config`, there is none."""

FOLDER = "delta.`"
"""Begins the SQL name of a table that is addressed by its folder."""
BY_PATH = "delta."
"""Begins the SQL name of a table that is addressed by path; names in a catalog are quoted."""


VARIABLES = "CONFORMARE_"
"""Begins the name of every setting in the environment."""


def environment_variable(setting: str) -> str:
    """Return the name that a setting has in the environment."""
    return f"{VARIABLES}{setting.upper()}"


def are_brokers(servers: str) -> bool:
    """Whether a text can name brokers; one that holds a user may hold a password as well."""
    return bool(servers) and servers.isprintable() and "@" not in servers


def topic_name(grain: str, topic_prefix: str = DEFAULT_TOPIC_PREFIX) -> str:
    """Return the Kafka topic of a grain."""
    return f"{topic_prefix}{grain}"


def topic_names(topic_prefix: str = DEFAULT_TOPIC_PREFIX) -> dict[str, str]:
    """Return the Kafka topic of every grain, grain → topic."""
    return {grain: topic_name(grain, topic_prefix) for grain in GRAINS}


def path_identifier(lake: str, table: str) -> str:
    """Return the quoted SQL name of a Delta table in a lake that is addressed by path.

    Args:
        lake: Folder of the lake, a local path or a URI that Spark can write to.
        table: A grain, or the name of a table that the sink keeps beside the grains.
    """
    return f"{BY_PATH}{_quoted(table_path(lake, table))}"


def table_path(lake: str, table: str) -> str:
    """Return the folder of a Delta table in a lake that is addressed by path."""
    return f"{lake.rstrip('/')}/{table}"


def table_identifier(
    table: str,
    *,
    catalog: str | None = None,
    schema: str | None = None,
    table_prefix: str = "",
) -> str:
    """Return the quoted SQL name of a Delta table in a lake that is addressed by catalog.

    Args:
        table: A grain, or the name of a table that the sink keeps beside the grains.
        catalog: Catalog, or None for the session's current one.
        schema: Schema, or None for the session's current one.
        table_prefix: Put in front of the table's name.
    """
    parts = [part for part in (catalog, schema, f"{table_prefix}{table}") if part]
    return ".".join(map(_quoted, parts))


def _quoted(name: str) -> str:
    return f"`{name.replace('`', '``')}`"
