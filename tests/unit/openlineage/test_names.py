"""Names of datasets: each form of a location, as OpenLineage's rules name it."""

from __future__ import annotations

import pytest
from openlineage.client.naming import dataset as theirs
from support.jobs.location_forms import FORMS

from conformare.openlineage import dataset_names

TABLES = "hive://metastore:9083"
NAMES = [
    ("/data/orders", "file", "/data/orders"),
    (r"C:\data\orders", "file", r"C:\data\orders"),
    ("data/orders.csv", "file", "data/orders.csv"),
    ("//server/share/orders", "file://server", "/share/orders"),
    (r"\\server\share\orders", "file://server", "/share/orders"),
    ("dbfs:/mnt/orders", "dbfs", "/mnt/orders"),
    ("hdfs://namenode:9000/data/orders", "hdfs://namenode:9000", "/data/orders"),
    ("s3://shop/raw/orders", "s3://shop", "raw/orders"),
    ("s3://shop", "s3://shop", "/"),
    ("gs://shop/raw", "gs://shop", "raw"),
    (
        "abfss://box@account.dfs.core.windows.net/raw",
        "abfss://box@account.dfs.core.windows.net",
        "raw",
    ),
    ("wasbs://account.blob.core.windows.net/x", "wasbs://account.blob.core.windows.net", "x"),
    ("kafka://a:9092,b:9092/orders", "kafka://a:9092", "orders"),
    ("bigquery://project/sales.orders", "bigquery", "project.sales.orders"),
    ("cassandra://host/shop.orders", "cassandra://host:9042", "shop.orders"),
    ("snowflake://org-acc.snowflakecomputing.com/DB.S.T", "snowflake://org-acc", "DB.S.T"),
    ("mongodb://host/shop.orders", "mongodb://host", "shop.orders"),
    ("https://host/orders.csv", "https://host", "/orders.csv"),
    ("orders", TABLES, "default.orders"),
    ("sales.orders", TABLES, "sales.orders"),
    ("`my-cat`.sales.orders", TABLES, "my-cat.sales.orders"),
    ("jdbc:postgresql://host/db#public.orders", "postgres://host:5432", "db.public.orders"),
    ("jdbc:postgresql://host/db;schema=s,t#orders", "postgres://host:5432", "db.s.orders"),
    ("jdbc:postgresql://a:5433,b/db#s.t", "postgres://a:5433,b:5432", "db.s.t"),
    ("jdbc:postgresql://host/db#query:75cc", "postgres://host:5432", "db.query:75cc"),
    ("jdbc:mysql://host/db#orders", "mysql://host:3306", "db.orders"),
    ("jdbc:mysql://host/db#other.orders", "mysql://host:3306", "other.orders"),
    ("jdbc:sqlserver://host;database=db#dbo.orders", "mssql://host:1433", "db.dbo.orders"),
    ("jdbc:jtds:sqlserver://host/db#dbo.orders", "mssql://host:1433", "db.dbo.orders"),
    ("jdbc:oracle:thin:@//host/service#S.T", "oracle://host:1521", "service.S.T"),
    ("jdbc:oracle:thin:@host:1522:sid#S.T", "oracle://host:1522", "sid.S.T"),
    ("jdbc:db2://host/db#S.T", "db2://host:50000", "db.S.T"),
    ("jdbc:teradata://host;database=db#t", "teradata://host:1025", "db.t"),
    ("jdbc:trino://host:8080/hive/sales#t", "trino://host:8080", "hive.sales.t"),
    ("jdbc:hive2://host/db#t", "hive://host:10000", "db.t"),
    (
        "jdbc:redshift://cluster.x1.eu-west-1.redshift.amazonaws.com/db#s.t",
        "redshift://cluster.eu-west-1:5439",
        "db.s.t",
    ),
    (
        "jdbc:snowflake://org-acc.snowflakecomputing.com;database=db;schema=s#t",
        "snowflake://org-acc",
        "db.s.t",
    ),
    ("jdbc:sqlite:/data/shop.db#t", "sqlite", "/data/shop.db.t"),
    ("jdbc:postgresql://host/db", "postgres://host:5432", "db"),
    ("jdbc:0123456789abcdef", "jdbc", "0123456789abcdef"),
    ("server=host;port=1433;database=db#dbo.t", "server=host;port=1433;database=db", "dbo.t"),
]
THEIRS: list[tuple[str, theirs.DatasetNaming]] = [
    ("/data/orders", theirs.LocalFileSystem("/data/orders")),
    ("s3://shop/raw", theirs.S3("shop", "raw")),
    ("gs://shop/raw", theirs.GCS("shop", "raw")),
    ("abfss://box@account.dfs.core.windows.net/raw", theirs.ABFSS("box", "account", "raw")),
    ("kafka://host:9092/orders", theirs.Kafka("host", "9092", "orders")),
    ("hdfs://host:9000/raw", theirs.HDFS("host", "9000", "/raw")),
    ("bigquery://p/d.t", theirs.BigQuery("p", "d", "t")),
    ("jdbc:postgresql://host/db#s.t", theirs.Postgres("host", "5432", "db", "s", "t")),
    ("jdbc:mysql://host/db#t", theirs.MySQL("host", "3306", "db", "t")),
    ("jdbc:oracle:thin:@//host/service#S.T", theirs.Oracle("host", "1521", "service", "S", "T")),
    ("jdbc:db2://host/db#S.T", theirs.DB2("host", "50000", "db", "S", "T")),
    ("jdbc:trino://host:8080/c/s#t", theirs.Trino("host", "8080", "c", "s", "t")),
    ("jdbc:hive2://host/db#t", theirs.Hive("host", "10000", "db", "t")),
    ("cassandra://host/k.t", theirs.Cassandra("host", "9042", "k", "t")),
]


@pytest.mark.parametrize(("location", "namespace", "name"), NAMES)
def test_a_location_is_named_by_the_rules(location: str, namespace: str, name: str) -> None:
    """The namespace says where, the name says what."""
    assert dataset_names(location, TABLES) == [(namespace, name)]


@pytest.mark.parametrize(("location", "naming"), THEIRS, ids=[one for one, _ in THEIRS])
def test_names_are_those_of_their_client(location: str, naming: theirs.DatasetNaming) -> None:
    """Where it has a class for them."""
    assert dataset_names(location, TABLES) == [(naming.get_namespace(), naming.get_name())]


def test_a_read_of_several_places_is_of_several_datasets() -> None:
    """Each once."""
    assert dataset_names("/a, s3://b/c, /a", TABLES) == [("file", "/a"), ("s3://b", "c")]


@pytest.mark.parametrize("location", ["(memory)", "(unknown)", ""])
def test_what_is_no_place_is_no_dataset(location: str) -> None:
    """Nobody else can mean the same."""
    assert dataset_names(location, TABLES) == []


def test_every_form_of_a_location_has_a_name() -> None:
    """Whatever a record may hold."""
    for form in (form for forms in FORMS.values() for form in forms if form.kept):
        for namespace, name in dataset_names(form.kept, TABLES):
            assert namespace
            assert name, form.kept
