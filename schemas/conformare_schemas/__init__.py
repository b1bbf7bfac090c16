"""The contract of conformare-stream: grains, Avro schemas, framing, topic and table names."""

from conformare_schemas._arrow import arrow_schema
from conformare_schemas._contract import (
    CONTRACT_VERSION,
    GRAINS,
    MAX_ROWS_PER_MESSAGE,
    RELEASED_VERSIONS,
    RowField,
    message_schema,
    message_schema_text,
    row_fields,
)
from conformare_schemas._delta import ForeignTableError, open_table
from conformare_schemas._framing import (
    HEADER_BYTES,
    SINGLE_OBJECT_MAGIC,
    message_header,
    schema_fingerprint,
)
from conformare_schemas._headers import (
    CONTRACT_HEADER,
    PRODUCER_HEADER,
    SEQUENCE_HEADER,
    TRACE_HEADER,
    VERSION_HEADER,
)
from conformare_schemas._naming import (
    DEFAULT_TOPIC_PREFIX,
    path_identifier,
    table_identifier,
    table_path,
    topic_name,
    topic_names,
)
from conformare_schemas._tables import (
    CHILD_GRAINS,
    EMISSION_COLUMN,
    KEY_COLUMNS,
    LAKE_PROPERTY,
    OWNER_PROPERTY,
    SKIPPING_COLUMNS,
    Column,
    TableDefinition,
    grain_table,
    table_columns,
)

__all__ = [
    "CHILD_GRAINS",
    "CONTRACT_HEADER",
    "CONTRACT_VERSION",
    "DEFAULT_TOPIC_PREFIX",
    "EMISSION_COLUMN",
    "GRAINS",
    "HEADER_BYTES",
    "KEY_COLUMNS",
    "LAKE_PROPERTY",
    "MAX_ROWS_PER_MESSAGE",
    "OWNER_PROPERTY",
    "PRODUCER_HEADER",
    "RELEASED_VERSIONS",
    "SEQUENCE_HEADER",
    "SINGLE_OBJECT_MAGIC",
    "SKIPPING_COLUMNS",
    "TRACE_HEADER",
    "VERSION_HEADER",
    "Column",
    "ForeignTableError",
    "RowField",
    "TableDefinition",
    "arrow_schema",
    "grain_table",
    "message_header",
    "message_schema",
    "message_schema_text",
    "open_table",
    "path_identifier",
    "row_fields",
    "schema_fingerprint",
    "table_columns",
    "table_identifier",
    "table_path",
    "topic_name",
    "topic_names",
]
