"""What several of the sink's commands have."""

from __future__ import annotations

from pydantic import Field, model_validator

from conformare_schemas.registry import RegistrySettings
from conformare_schemas.settings import (
    AsJson,
    Catalog,
    Schema,
    Settings,
    TablePrefix,
)
from conformare_sink.options import (
    DEFAULT_LIMIT,
    Batches,
    Brokers,
    CatalogOptions,
    LakeStore,
    SinkOptions,
)


class Tables(Settings):
    """Where the tables are, if they are not folders of the lake."""

    catalog: Catalog = None
    schema_name: Schema = Field(default=None, alias="schema")
    table_prefix: TablePrefix = ""

    @model_validator(mode="after")
    def _has_a_schema(self) -> Tables:
        if self.schema_name is None and (self.catalog is not None or self.table_prefix):
            raise ValueError("--catalog and --table-prefix need --schema")
        return self

    @property
    def tables_at(self) -> CatalogOptions | None:
        """Where they are; None where they are folders of the lake."""
        if self.schema_name is None:
            return None
        return CatalogOptions(
            catalog=self.catalog, schema_name=self.schema_name, table_prefix=self.table_prefix
        )


class LakeSettings(Tables, LakeStore):
    """Of a command that works on a lake."""


class Landing(Tables, Batches, RegistrySettings, LakeStore, Brokers):
    """Of a command that lands messages in a lake."""

    def options(self) -> SinkOptions:
        """Return the same for the sink."""
        given = {
            name: getattr(self, name)
            for name in SinkOptions.model_fields
            if name in type(self).model_fields and name != "catalog"
        }
        return SinkOptions(**given, catalog=self.tables_at)


class Printed(Settings):
    """What is printed for people or for programs."""

    as_json: AsJson = False


class Limited(Settings):
    """How much is printed."""

    limit: int = Field(
        default=DEFAULT_LIMIT,
        ge=1,
        le=10_000,
        description="List at most this many of each kind.",
    )
