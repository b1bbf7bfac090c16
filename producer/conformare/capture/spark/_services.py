"""Connectors to services: which of their options say where something lies."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from conformare._guard import guard
from conformare.capture.locations import path_of_servers, shown_query, shown_service

Options = Mapping[str, str]
_Spellings = tuple[str, ...]


_QUERY = "query"
_MODES = {"read": "input", "write": "output"}
# A pattern has other characters.
_TOPICS = re.compile(r"[\w.:/, -]+")
_NESTED = re.compile(r"[\w$:.`\"-]+")


@dataclass(frozen=True)
class Service:
    """A service, and the options of its connector; all options are in lower case.

    Attributes:
        scheme: What it is called in a location.
        servers: Options that name its servers, the one that wins first.
        port: Options that name the port of servers which are written without one.
        names: Options that name what lies there, from the outermost to the innermost.
        settings: What the settings of a session that say the same begin with; `{0}` is read or
            write, `{1}` input or output.
        is_many: Whether several places may be named at once.
        is_nested: Whether the innermost name may say those around it as well, with dots.
    """

    scheme: str
    servers: _Spellings = ()
    port: _Spellings = ()
    names: tuple[_Spellings, ...] = ()
    settings: _Spellings = ()
    is_many: bool = False
    is_nested: bool = False

    @property
    def options(self) -> Iterator[str]:
        """Every option that says where something lies."""
        for name in (*self.servers, *self.port, *(name for names in self.names for name in names)):
            yield name
            for prefix in self.settings:
                yield from (f"{prefix.format(*modes)}{name}" for modes in _MODES.items())


_KAFKA = Service(
    "kafka",
    ("kafka.bootstrap.servers",),
    names=(("topic", "subscribe", "subscribepattern", "assign"),),
    is_many=True,
)
_PULSAR = Service(
    "pulsar", ("service.url",), names=(("topic", "topics", "topicspattern"),), is_many=True
)
_MONGODB = Service(
    "mongodb",
    ("connection.uri", "uri"),
    names=(("database",), ("collection",)),
    settings=("spark.mongodb.{0}.", "spark.mongodb.{1}.", "spark.mongodb."),
)
_CASSANDRA = Service(
    "cassandra",
    ("cluster", "connection.host"),
    ("connection.port",),
    (("keyspace",), ("table",)),
    settings=("spark.cassandra.",),
)
_REDIS = Service(
    "redis",
    ("host",),
    ("port",),
    (("dbnum", "db"), ("table", "keys.pattern", "stream.keys")),
    settings=("spark.redis.",),
)
_BIGQUERY = Service(
    "bigquery",
    names=(("project", "parentproject"), ("dataset",), ("table", "path", "query")),
    settings=("spark.datasource.bigquery.",),
    is_nested=True,
)
_SNOWFLAKE = Service(
    "snowflake",
    ("sfurl",),
    names=(("sfdatabase",), ("sfschema",), ("dbtable", "query")),
    is_nested=True,
)
_COSMOS = Service(
    "cosmos",
    ("spark.cosmos.accountendpoint",),
    names=(("spark.cosmos.database",), ("spark.cosmos.container",)),
)
_NEO4J = Service(
    "neo4j",
    ("url",),
    names=(("database",), ("labels", "relationship", "query")),
    settings=("neo4j.",),
)
_KINESIS = Service(
    "kinesis",
    ("region", "kinesis.region", "endpointurl", "kinesis.endpointurl"),
    names=(("streamname", "kinesis.streamname"),),
)
_SINGLESTORE = Service(
    "singlestore",
    ("ddlendpoint",),
    names=(("database",), ("dbtable", "path", "query")),
    settings=("spark.datasource.singlestore.",),
    is_nested=True,
)
_CLICKHOUSE = Service(
    "clickhouse", ("host",), ("http_port", "port"), names=(("database",), ("table",))
)


def _search(scheme: str, prefix: str) -> Service:
    resource = f"{prefix}.resource"
    return Service(
        scheme,
        (f"{prefix}.nodes",),
        (f"{prefix}.port",),
        ((f"{resource}.read", f"{resource}.write", resource, "path"),),
        settings=("spark.",),
    )


SERVICES: Mapping[str, Service] = {
    **dict.fromkeys(("kafka", "org.apache.spark.sql.kafka010.kafkasourceprovider"), _KAFKA),
    "pulsar": _PULSAR,
    **dict.fromkeys(
        (
            *("mongodb", "mongo", "com.mongodb.spark.sql", "com.mongodb.spark.sql.defaultsource"),
            "com.mongodb.spark.sql.connector.mongotableprovider",
        ),
        _MONGODB,
    ),
    **dict.fromkeys(("org.apache.spark.sql.cassandra", "cassandra"), _CASSANDRA),
    **dict.fromkeys(("org.apache.spark.sql.redis", "redis"), _REDIS),
    **dict.fromkeys(("bigquery", "com.google.cloud.spark.bigquery"), _BIGQUERY),
    **dict.fromkeys(("snowflake", "net.snowflake.spark.snowflake"), _SNOWFLAKE),
    **dict.fromkeys(("cosmos.oltp", "cosmos.oltp.changefeed", "cosmos.olap"), _COSMOS),
    **dict.fromkeys(("org.neo4j.spark.datasource", "neo4j"), _NEO4J),
    **dict.fromkeys(("kinesis", "aws-kinesis"), _KINESIS),
    **dict.fromkeys(("singlestore", "com.singlestore.spark"), _SINGLESTORE),
    "clickhouse": _CLICKHOUSE,
    **dict.fromkeys(
        ("es", "elasticsearch", "org.elasticsearch.spark.sql"), _search("elasticsearch", "es")
    ),
    **dict.fromkeys(
        ("opensearch", "org.opensearch.spark.sql"), _search("opensearch", "opensearch")
    ),
    "dynamodb": Service("dynamodb", ("region",), names=(("tablename",),)),
    "pubsub": Service("pubsub", ("projectid",), names=(("topicid", "subscriptionid"),)),
    "solr": Service("solr", ("zkhost",), names=(("collection",),)),
    **dict.fromkeys(
        ("kudu", "org.apache.kudu.spark.kudu"),
        Service("kudu", ("kudu.master",), names=(("kudu.table",),)),
    ),
    "socket": Service("socket", ("host",), ("port",)),
}
"""Services by the names of their connectors, in lower case."""

OPTIONS = frozenset(name for service in SERVICES.values() for name in service.options)
"""Options that say where something lies."""


def places_in(service: Service, options: Options, session: Any, mode: str) -> list[str]:
    """Return where that lies which a reader or a writer is for.

    Args:
        service: The service that it belongs to.
        options: What its options say, in lower case.
        session: Its session, whose settings say what no option does; None if there is none.
        mode: read or write.
    """
    asked = _Asked(service, options, session, mode)
    servers, port = asked.said(service.servers), asked.said(service.port)
    if service.is_many:
        names = _several(asked.said(service.names[0]))
        return [shown_service(service.scheme, servers, [name]) for name in names or [""]]
    names = [asked.name(spelled) for spelled in service.names]
    if service is _MONGODB:
        database, _, collection = path_of_servers(servers).partition(".")
        names = [said or of_url for said, of_url in zip(names, (database, collection), strict=True)]
    if service.is_nested:
        names = _all_named(names)
    if service is _BIGQUERY and len(names) == len(service.names):
        servers, *names = names
    return [shown_service(service.scheme, servers, names, port)]


@dataclass(frozen=True)
class _Asked:
    """What is said about a place: by options first, by settings of the session else."""

    service: Service
    options: Options
    session: Any
    mode: str

    def name(self, spellings: _Spellings) -> str:
        """Return a name that is said; of a query, what stands for it."""
        *named, last = spellings
        if last != _QUERY:
            return self.said(spellings)
        query = self.said((last,))
        return self.said(tuple(named)) or (shown_query(query) if query else "")

    def said(self, spellings: _Spellings) -> str:
        """Return what is said under one of several names, "" for nothing."""
        prefixes = [prefix.format(self.mode, _MODES[self.mode]) for prefix in self.service.settings]
        full = [f"{prefix}{name}" for prefix in prefixes for name in spellings]
        for name in (*spellings, *full):
            if name in self.options:
                return self.options[name]
        for name in full if self.session is not None else ():
            if setting := _setting(self.session, name):
                return setting
        return ""


def _setting(session: Any, name: str) -> str | None:
    with guard:  # some platforms keep their settings to themselves
        setting = session.conf.get(name, None)
        return None if setting is None else str(setting)
    return None


def _several(names: str) -> list[str]:
    """Return the topics that one option names, in the one order that they have."""
    if names.lstrip().startswith("{"):  # partitions by topic
        try:
            topics = [*json.loads(names)]
        except ValueError:
            return []
    else:
        topics = names.split(",") if _TOPICS.fullmatch(names) else [names]
    return sorted({topic.strip().removeprefix("persistent://") for topic in topics if topic})


def _all_named(names: list[str]) -> list[str]:
    """Return names of which the innermost may say those around it as well."""
    *around, inner = names
    if not _NESTED.fullmatch(inner):
        return names
    parts = inner.replace("`", "").replace(":", ".", 1).split(".")
    return [*around[: max(len(names) - len(parts), 0)], *parts]
