"""The settings that jobs, the sink and those who read a lake have in common."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from conformare_schemas._naming import are_brokers
from conformare_schemas.settings._definition import About


def _brokers(servers: str) -> str:
    servers = servers.strip()
    if not are_brokers(servers):
        raise ValueError("it must be host:port, separated by commas, without user and password")
    return servers


BrokerNames = Annotated[str, AfterValidator(_brokers)]
BOOTSTRAP_SERVERS = Field(
    description="Kafka brokers to connect to first, `host:port` separated by commas."
)
TopicPrefix = Annotated[str, Field(description="Prefix of all topic names.")]
LAKE = Field(
    description="Where the lake is: a folder of this machine, or a URL such as `s3://bucket/lake`."
)
Catalog = Annotated[
    str | None,
    About(default="the session's current catalog"),
    Field(description="Catalog of the tables, if they are not in the lake's folder."),
]
Schema = Annotated[
    str | None,
    Field(description="Schema of the tables, if they are not in the lake's folder."),
]
TablePrefix = Annotated[
    str,
    Field(description="Prefix of all table names, if the tables are in a catalog."),
]
STORAGE_OPTIONS = Field(
    description="File with credentials and settings of the lake's store: lines such as "
    "`AWS_ACCESS_KEY_ID=…`, by the store's own names.",
)
AsJson = Annotated[bool, About(of_one_call=True), Field(alias="json", description="Print JSON.")]
