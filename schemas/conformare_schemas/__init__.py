"""The contract of conformare-stream: grains, Avro schemas, framing, topic and table names."""

from conformare_schemas._contract import (
    CONTRACT_VERSION,
    GRAINS,
    RELEASED_VERSIONS,
    RowField,
    message_schema,
    message_schema_text,
    row_fields,
)
from conformare_schemas._framing import (
    HEADER_BYTES,
    SINGLE_OBJECT_MAGIC,
    message_header,
    schema_fingerprint,
)
from conformare_schemas._naming import (
    DEFAULT_TOPIC_PREFIX,
    table_identifier,
    table_path,
    topic_name,
    topic_names,
)
from conformare_schemas._tables import (
    CHILD_GRAINS,
    EMISSION_COLUMN,
    GRAIN_PROPERTY,
    KEY_COLUMNS,
    Column,
    table_columns,
    table_comment,
    table_ddl,
)

__all__ = [
    "CHILD_GRAINS",
    "CONTRACT_VERSION",
    "DEFAULT_TOPIC_PREFIX",
    "EMISSION_COLUMN",
    "GRAINS",
    "GRAIN_PROPERTY",
    "HEADER_BYTES",
    "KEY_COLUMNS",
    "RELEASED_VERSIONS",
    "SINGLE_OBJECT_MAGIC",
    "Column",
    "RowField",
    "message_header",
    "message_schema",
    "message_schema_text",
    "row_fields",
    "schema_fingerprint",
    "table_columns",
    "table_comment",
    "table_ddl",
    "table_identifier",
    "table_path",
    "topic_name",
    "topic_names",
]
