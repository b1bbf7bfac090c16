"""Where connectors to services are told that something lies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conformare.capture.locations import redacted, shown_locations
from conformare.capture.spark._places import place_of
from conformare.capture.spark._services import SERVICES

MARK = "Q9Z"
KAFKA = {"kafka.bootstrap.servers": "b:9092,A:9093"}
CASSANDRA = "org.apache.spark.sql.cassandra"
MONGODB = {"connection.uri": "mongodb://u:secret@H2,h1:27017/?authSource=admin"}
SNOWFLAKE = {"sfurl": "https://Acc.snowflakecomputing.com:443", "sfuser": "secret"}


class _Session:
    """A session that has settings, and is at home in the schema `sales`."""

    def __init__(self, **settings: str) -> None:
        self.catalog = self
        self.conf = {f"spark.{name.replace('_', '.')}": value for name, value in settings.items()}

    def currentCatalog(self) -> str:
        return "spark_catalog"

    def currentDatabase(self) -> str:
        return "sales"


PLACES: list[tuple[str, dict[str, str], str]] = [
    ("kafka", {**KAFKA, "subscribe": "orders"}, "kafka://a:9093,b:9092/orders"),
    ("kafka", {**KAFKA, "topic": "orders"}, "kafka://a:9093,b:9092/orders"),
    (
        "kafka",
        {"kafka.bootstrap.servers": " a:9093, PLAINTEXT://b:9092", "subscribe": "y.v1, x"},
        "kafka://a:9093,b:9092/x, kafka://a:9093,b:9092/y.v1",
    ),
    (
        "kafka",
        {**KAFKA, "assign": '{"y":[0,1],"x":[2]}'},
        "kafka://a:9093,b:9092/x, kafka://a:9093,b:9092/y",
    ),
    ("kafka", {**KAFKA, "subscribepattern": "x-.*"}, "kafka://a:9093,b:9092/x-.*"),
    ("kafka", {**KAFKA, "subscribepattern": "x{1,2}"}, "kafka://a:9093,b:9092/x{1,2}"),
    ("kafka", KAFKA, "kafka://a:9093,b:9092"),
    ("kafka", {**KAFKA, "assign": "{"}, "kafka://a:9093,b:9092"),
    (
        "pulsar",
        {"service.url": "pulsar://h:6650", "topic": "persistent://t/n/x"},
        "pulsar://h/t/n/x",
    ),
    ("mongodb", {**MONGODB, "database": "d", "collection": "c"}, "mongodb://h1,h2/d.c"),
    ("mongodb", {"uri": "mongodb://h1,h2/d.c.e?w=1"}, "mongodb://h1,h2/d.c.e"),
    ("mongo", {"uri": "mongodb://h1,h2/d.c", "collection": "fs.files"}, "mongodb://h1,h2/d.fs.files"),
    (
        "mongodb",
        {"spark.mongodb.read.database": "d", "spark.mongodb.collection": "c"},
        "mongodb:/d.c",
    ),
    (CASSANDRA, {"keyspace": "k", "table": "t"}, "cassandra:/k.t"),
    (
        CASSANDRA,
        {"keyspace": "k", "table": "t", "spark.cassandra.connection.host": "B,a"},
        "cassandra://a,b/k.t",
    ),
    (CASSANDRA, {"keyspace": "k", "table": "t", "cluster": "east"}, "cassandra://east/k.t"),
    ("es", {"es.nodes": "https://B,a:9201", "es.port": "443", "path": "orders"}, ""),
    ("es", {"es.nodes": "b,a:9201", "es.port": "443", "path": "orders/_doc"}, "elasticsearch://a:9201,b:443/orders/_doc"),
    ("org.elasticsearch.spark.sql", {"es.nodes": "h:9200", "es.resource": "orders"}, "elasticsearch://h/orders"),
    ("opensearch", {"opensearch.nodes": "https://u:secret@h", "opensearch.resource": "x"}, "opensearch://h/x"),
    ("redis", {"host": "h", "port": "6379", "dbnum": "1", "table": "p"}, "redis://h/1.p"),
    ("org.apache.spark.sql.redis", {"keys.pattern": "p:*"}, "redis:/p:*"),
    ("bigquery", {"path": "p.d.t"}, "bigquery://p/d.t"),
    ("bigquery", {"table": "p:d.t"}, "bigquery://p/d.t"),
    ("bigquery", {"table": "d.t", "project": "p"}, "bigquery://p/d.t"),
    ("bigquery", {"table": "t", "dataset": "d", "parentproject": "p"}, "bigquery://p/d.t"),
    ("bigquery", {"table": "q.e.t", "dataset": "d", "parentproject": "p"}, "bigquery://q/e.t"),
    ("bigquery", {"table": "d.t"}, "bigquery:/d.t"),
    ("snowflake", {**SNOWFLAKE, "sfdatabase": "D", "sfschema": "S", "dbtable": "t"}, "snowflake://acc.snowflakecomputing.com/D.S.t"),
    ("snowflake", {**SNOWFLAKE, "sfdatabase": "D", "sfschema": "S", "dbtable": "P.t"}, "snowflake://acc.snowflakecomputing.com/D.P.t"),
    ("snowflake", {**SNOWFLAKE, "dbtable": "E.P.t"}, "snowflake://acc.snowflakecomputing.com/E.P.t"),
    ("cosmos.oltp", {"spark.cosmos.accountendpoint": "https://a.documents.azure.com:443/", "spark.cosmos.database": "d", "spark.cosmos.container": "c"}, "cosmos://a.documents.azure.com/d.c"),
    ("org.neo4j.spark.datasource", {"url": "bolt://H:7687", "labels": ":Person", "database": "d"}, "neo4j://h/d.Person"),
    ("neo4j", {"url": "bolt://h", "query": "MATCH(n{name:secret})RETURN(n)"}, ""),
    ("neo4j", {"url": "bolt://h", "query": "secret"}, ""),
    ("neo4j", {"url": "bolt://h", "labels": 'MATCH (n {name: "secret"}) RETURN n'}, ""),
    ("snowflake", {"dbtable": 't where x = "secret"'}, ""),
    ("snowflake", {**SNOWFLAKE, "dbtable": '"My Sales"."t"'}, 'snowflake://acc.snowflakecomputing.com/"My Sales"."t"'),
    ("kinesis", {"region": "eu-west-1", "streamname": "s"}, "kinesis://eu-west-1/s"),
    ("dynamodb", {"region": "eu-west-1", "tablename": "t"}, "dynamodb://eu-west-1/t"),
    ("pubsub", {"projectid": "p", "topicid": "t"}, "pubsub://p/t"),
    ("solr", {"zkhost": "b:2181,a:2181", "collection": "c"}, "solr://a:2181,b:2181/c"),
    ("kudu", {"kudu.master": "b:7051,a:7051", "kudu.table": "impala::d.t"}, "kudu://a:7051,b:7051/impala::d.t"),
    ("singlestore", {"ddlendpoint": "h", "database": "d", "path": "t"}, "singlestore://h/d.t"),
    ("clickhouse", {"host": "h", "http_port": "8123", "database": "d", "table": "t"}, "clickhouse://h/d.t"),
    ("socket", {"host": "H", "port": "9999"}, "socket://h:9999"),
    ("postgresql", {"host": "h", "port": "5432", "database": "d", "dbtable": "s.t"}, "jdbc:postgresql://h/d#s.t"),
    ("sqlserver", {"host": "h", "database": "d", "dbtable": "t"}, "jdbc:sqlserver://h;database=d#t"),
    ("jdbc", {"url": "jdbc:sqlserver://h:1433", "databasename": "d", "dbtable": "t"}, "jdbc:sqlserver://h;database=d#t"),
    ("jdbc", {"url": "jdbc:sqlserver://h;databaseName=d", "databasename": "e"}, "jdbc:sqlserver://h;database=d"),
    ("jdbc", {"url": "jdbc:postgresql://h/d", "currentschema": "s", "database": "e"}, "jdbc:postgresql://h/d;schema=s"),
    ("eventhubs", {"eventhubs.connectionstring": "Endpoint=sb://h/;SharedAccessKey=secret;EntityPath=e"}, "endpoint=sb://h;entityPath=e"),
    ("eventhubs", {"eventhubs.connectionstring": "Endpoint=sb://h/;SharedAccessKey=secret", "eventhubs.name": "e"}, "endpoint=sb://h;entityPath=e"),
    ("eventhubs", {"eventhubs.connectionstring": "secret/+=="}, ""),
    ("vendor", {"host": "h", "database": "d", "dbtable": "t", "password": "secret"}, "server=h;database=d#t"),
    ("vendor", {"keyspace": "k", "table": "t"}, "schema=k#t"),
]  # fmt: skip


@pytest.mark.parametrize(("format_", "options", "place"), PLACES)
def test_a_connector_is_told_where_something_lies(
    format_: str, options: dict[str, str], place: str
) -> None:
    said = place_of(options, format_=format_)
    assert "secret" not in said
    assert said == place or not place
    assert shown_locations(said) == said
    if "#" not in said:
        assert [redacted(part) for part in said.split(", ")] == said.split(", ")


def test_what_no_option_says_the_session_does() -> None:
    session = _Session(
        mongodb_read_connection_uri="mongodb://r/d.c",
        mongodb_output_uri="mongodb://w/d.c",
        cassandra_connection_host="h",
        es_nodes="e",
    )
    assert place_of({}, session=session, format_="mongodb") == "mongodb://r/d.c"
    assert place_of({}, session=session, format_="mongodb", mode="write") == "mongodb://w/d.c"
    said = {"keyspace": "k", "table": "t"}
    assert place_of(said, session=session, format_=CASSANDRA) == "cassandra://h/k.t"
    assert place_of({"path": "x"}, session=session, format_="es") == "elasticsearch://e/x"


def test_a_table_of_iceberg_has_the_name_that_others_give_it() -> None:
    names = ("orders", "default.orders", "/lake/orders", "s3a://b/orders")
    places = [place_of({"path": n}, session=_Session(), format_="iceberg") for n in names]
    assert places == ["sales.orders", "orders", "/lake/orders", "s3://b/orders"]


def test_two_places_of_a_service_are_two_locations() -> None:
    places = [
        place_of(options, format_=format_)
        for format_, options in (
            ("kafka", {**KAFKA, "topic": "x"}),
            ("kafka", {**KAFKA, "topic": "y"}),
            ("kafka", {"kafka.bootstrap.servers": "a:9092", "topic": "x"}),
            ("kafka", {"kafka.bootstrap.servers": "a:9093", "topic": "x"}),
            ("kafka", {"kafka.bootstrap.servers": "(a)", "topic": "x"}),
            ("kafka", {"kafka.bootstrap.servers": "(b)", "topic": "x"}),
            (CASSANDRA, {"keyspace": "k", "table": "t"}),
            (CASSANDRA, {"keyspace": "l", "table": "t"}),
            ("mongodb", {**MONGODB, "database": "d", "collection": "c"}),
            ("mongodb", {**MONGODB, "database": "e", "collection": "c"}),
            ("snowflake", {"sfdatabase": "D", "sfschema": "S", "dbtable": "t"}),
            ("snowflake", {"sfdatabase": "D", "sfschema": "R", "dbtable": "t"}),
            ("snowflake", {"sfdatabase": "C", "sfschema": "S", "dbtable": "t"}),
            ("snowflake", {"sfdatabase": "C", "sfschema": "S", "query": "select a from t"}),
            ("snowflake", {"sfdatabase": "C", "sfschema": "S", "query": "select b from t"}),
            ("bigquery", {"table": "d.t", "project": "p"}),
            ("bigquery", {"table": "d.t", "project": "q"}),
            ("es", {"es.nodes": "a", "path": "x"}),
            ("es", {"es.nodes": "b", "path": "x"}),
            ("es", {"es.nodes": "https://h:80", "path": "x"}),
            ("es", {"es.nodes": "https://h", "path": "x"}),
            ("vendor", {"host": "h", "dbtable": "t"}),
            ("vendor", {"host": "i", "dbtable": "t"}),
        )
    ]
    assert len(set(places)) == len(places)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.usefixtures("quick_digests")
@given(
    st.sampled_from(sorted(SERVICES)),
    st.lists(st.sampled_from([*"/@:?&;=,(){}[]#'\" %|+$*!", "://", "h:1/", "h?"]), min_size=1),
    st.data(),
)
def test_no_secret_is_seen_wherever_an_option_holds_one(
    format_: str, separators: list[str], data: st.DataObject
) -> None:
    """In a URL, behind a server, in a query, or in an option that says no place."""
    service = SERVICES[format_]
    secret = f"{MARK}{''.join(f'{part}{MARK}' for part in separators)}"
    form = data.draw(
        st.sampled_from(
            ["https://u:{}@h/x", "https://h/x?password={}", "h:1;password={}", "u:{}@h:1", "u/{}@h"]
        )
    )
    options = dict.fromkeys(service.servers, form.format(secret))
    options |= dict.fromkeys(service.port, "1")
    quote = data.draw(st.sampled_from("'\""))
    begin = data.draw(st.sampled_from(["select a, ", "MATCH (n {name: ", "t where x = "]))
    inner = f"{begin}{quote}{secret.replace(quote, '')}{quote}"
    for names in service.names:
        options |= dict.fromkeys(names, inner)
    options |= {"password": secret, "vendor.option": secret}
    said: Mapping[str, Any] = options
    assert MARK not in shown_locations(place_of(said, format_=format_))
