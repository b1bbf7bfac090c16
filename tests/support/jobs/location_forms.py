"""The table of docs/reference/metadata-only.md: forms of locations, and what is kept of each.

`python -m support.jobs.location_forms` (with `tests` on the path, as `make capture-table` does) writes it
anew. `<…>` stands for what may hold a secret: a test puts secrets there and looks for them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from conformare.capture.locations import redacted
from support.jobs.document_table import DocumentTable

PLACE = re.compile(r"<([^>]*)>")


@dataclass(frozen=True)
class Form:
    """One way to write where something lies.

    Attributes:
        written: An example, `<…>` around what may hold a secret.
        kept: What is kept of it.
    """

    written: str
    kept: str

    @property
    def example(self) -> str:
        """The example without the marks."""
        return PLACE.sub(r"\1", self.written)

    def holding(self, secret: str, *places: int) -> str:
        """Return the example with a secret in it.

        Args:
            secret: The secret.
            places: Where to put it; everywhere unless given.
        """
        parts = PLACE.split(self.written)
        chosen = [2 * place + 1 for place in places] or range(1, len(parts), 2)
        return "".join(secret if n in chosen else part for n, part in enumerate(parts))

    @property
    def places(self) -> int:
        """In how many places it may hold a secret."""
        return len(PLACE.findall(self.written))


FORMS = {
    "paths": (
        Form("/mnt/orders/2026-0?/*.csv", "/mnt/orders/2026-0?/*.csv"),
        Form("/mnt/orders?sv=2024&sig=<abc>", "/mnt/orders"),
        Form("/lake/orders@v12", "/lake/orders@v12"),
        Form("/lake/country=DE/email=<ana>/part-0", "/lake/country=DE/email=***/part-0"),
        Form("/out/ana@example.org/part-0", "/out/***/part-0"),
        Form("file:/mnt/orders?sig=<abc>", "/mnt/orders"),
        Form("file:///mnt//orders/./", "/mnt/orders"),
        Form("dbfs:/mnt/orders?sv=2024&sig=<abc>&se=2026", "dbfs:/mnt/orders"),
        Form("/mnt/config.share#share.schema.orders", "/mnt/config.share#share.schema.orders"),
        Form(r"C:\data\orders.csv", r"C:\data\orders.csv"),
        Form(r"\\server\share\orders", r"\\server\share\orders"),
        Form("//<user>:<secret>@server/orders", "//server/orders"),
        Form("<user>/<secret>@host:1521/orders", "//host:1521/orders"),
    ),
    "names": (
        Form("catalog.schema.orders", "catalog.schema.orders"),
        Form("project:dataset.orders", "project:dataset.orders"),
        Form("orders,returns", "orders,returns"),
        Form("SELECT id FROM orders WHERE name = '<Bob>'", ""),
    ),
    "object stores": (
        Form("s3a://bucket/orders/", "s3://bucket/orders"),
        Form("s3a://<key>:<secret>@bucket/orders", "s3://bucket/orders"),
        Form("s3://bucket/orders?X-Amz-Signature=<abc>&X-Amz-Expires=60", "s3://bucket/orders"),
        Form("s3n://bucket/a//b/", "s3://bucket/a//b"),
        Form("gs://bucket/orders", "gs://bucket/orders"),
        Form("oss://<key>:<secret>@bucket.oss.aliyuncs.com/x", "oss://bucket.oss.aliyuncs.com/x"),
        Form(
            "abfss://box@account.dfs.core.windows.net/orders?sv=2024&sig=<abc>",
            "abfss://box@account.dfs.core.windows.net/orders",
        ),
        Form(
            "abfs://box@Account.dfs.core.windows.net//orders/",
            "abfss://box@account.dfs.core.windows.net/orders",
        ),
        Form(
            "wasbs://box:<key>@account.blob.core.windows.net/orders",
            "wasbs://account.blob.core.windows.net/orders",
        ),
        Form(
            "https://account.blob.core.windows.net/box/orders?sv=2024&sig=<abc>",
            "https://account.blob.core.windows.net/box/orders",
        ),
        Form("hdfs://namenode:8020/user/ana/orders", "hdfs://namenode/user/ana/orders"),
        Form(
            "s3://arn:aws:s3:eu-west-1:123456789012:accesspoint/box/orders",
            "s3://arn:aws:s3:eu-west-1:123456789012:accesspoint/box/orders",
        ),
    ),
    "other URLs": (
        Form("https://<user>:<secret>@host:8443/orders?page=<1>#<a>", "https://host:8443/orders"),
        Form(
            "https://<token>@host/config.share#share.schema.orders",
            "https://host/config.share#share.schema.orders",
        ),
        Form("https://<token>@host/orders", "https://host/orders"),
        Form("https://host/orders;token=<abc>", "https://host/orders"),
        Form("ftp://<user>:<secret>@host/orders.csv", "ftp://host/orders.csv"),
        Form(
            "mongodb://<user>:<secret>@h1:27017,h2:27017/db.orders?authSource=<admin>",
            "mongodb://h1,h2/db.orders",
        ),
        Form("mongodb+srv://<user>:<secret>@host/db", "mongodb+srv://host/db"),
        Form("redis://:<secret>@host:6379/0", "redis://host/0"),
        Form("host:6380,password=<secret>,ssl=True", "host:6380"),
        Form("cassandra://<user>:<secret>@host:9042/keyspace", "cassandra://host/keyspace"),
        Form("https://<user>:<secret>@host:9200/index", "https://host:9200/index"),
        Form("kafka://<user>:<secret>@B:9092,a:9093/orders", "kafka://a:9093,b:9092/orders"),
    ),
    "strings of `name=value`": (
        Form(
            "Endpoint=sb://space.servicebus.windows.net/;SharedAccessKeyName=<name>"
            ";SharedAccessKey=<secret>;EntityPath=orders",
            "endpoint=sb://space.servicebus.windows.net;entityPath=orders",
        ),
        Form(
            "DefaultEndpointsProtocol=https;AccountName=account;AccountKey=<secret>"
            ";EndpointSuffix=core.windows.net",
            "accountName=account;endpointSuffix=core.windows.net",
        ),
        Form(
            "BlobEndpoint=https://account.blob.core.windows.net;SharedAccessSignature=sv=1&sig=<abc>",
            "blobEndpoint=https://account.blob.core.windows.net",
        ),
        Form(
            "Driver={PostgreSQL};Server=host;Port=5432;Database=db;Uid=<user>;Pwd=<secret>",
            "server=host;port=5432;database=db",
        ),
        Form(
            "Server=tcp:host,1433;Initial Catalog=db;User ID=<user>;Password={<secret>}",
            "server=host;port=1433;database=db",
        ),
        Form(
            "host=host port=5432 dbname=db user=<user> password=<secret>",
            "server=host;port=5432;database=db",
        ),
    ),
    "JDBC": (
        Form("jdbc:postgresql://host:5432/db?user=<u>&password=<s>", "jdbc:postgresql://host/db"),
        Form(
            "jdbc:postgresql://B:5432,a:5433/db?password=<s>&currentSchema=sales,public",
            "jdbc:postgresql://a:5433,b/db;schema=sales,public",
        ),
        Form(
            "jdbc:postgresql://host/db?options=-c%20search_path=sales%20-c%20x=<secret>",
            "jdbc:postgresql://host/db;schema=sales",
        ),
        Form("jdbc:postgresql://<user>:<secret>@host/db", "jdbc:postgresql://host/db"),
        Form(
            "jdbc:mysql://h1:3306,h2:3306/db?user=<u>&password=<s>",
            "jdbc:mysql://h1,h2/db",
        ),
        Form(
            "jdbc:mysql://(host=host,port=3306,user=<u>,password=<s>)/db",
            "jdbc:mysql://host/db",
        ),
        Form("jdbc:mysql://address=(host=host)(user=<u>)(password=<s>)/db", "jdbc:mysql://host/db"),
        Form(
            "jdbc:mysql:///db?cloudSqlInstance=project:region:name&user=<u>&password=<s>",
            "jdbc:mysql:///db;cloudSqlInstance=project:region:name",
        ),
        Form("jdbc:mariadb://host/db?user=<u>&password=<s>", "jdbc:mariadb://host/db"),
        Form(
            "jdbc:oracle:thin:<user>/<secret>@//host:1521/service",
            "jdbc:oracle:thin:@//host/service",
        ),
        Form("jdbc:oracle:thin:<user>/<secret>@host:1521:sid", "jdbc:oracle:thin:@host:1521:sid"),
        Form(
            "jdbc:oracle:thin:<user>/<secret>@(DESCRIPTION=(ADDRESS=(PROTOCOL=TCP)(HOST=host)"
            "(PORT=1521))(CONNECT_DATA=(SERVICE_NAME=service)))",
            "jdbc:oracle:thin:@//host/service",
        ),
        Form("jdbc:oracle:oci:<user>/<secret>@alias", "jdbc:oracle:oci:@alias"),
        Form(
            "jdbc:sqlserver://host:1433;databaseName=db;user=<u>;password=<s>",
            "jdbc:sqlserver://host;database=db",
        ),
        Form(
            r"jdbc:sqlserver://host\instance;user=<u>;password={<s>};databaseName=db",
            r"jdbc:sqlserver://host\instance;database=db",
        ),
        Form(
            "jdbc:sqlserver://;serverName=Host;port=1444;instanceName=i;password=<s>;database=db",
            r"jdbc:sqlserver://host\i:1444;database=db",
        ),
        Form(
            "jdbc:jtds:sqlserver://host:1433/db;instance=i;user=<u>;password=<s>",
            "jdbc:jtds:sqlserver://host/db;instance=i",
        ),
        Form(
            "jdbc:sybase:Tds:host:5000/db?ServiceName=service&user=<u>&password=<s>",
            "jdbc:sybase:tds:host:5000/db;service=service",
        ),
        Form(
            "jdbc:as400://host/library;libraries=a,b;database name=db;user=<u>;password=<s>",
            "jdbc:as400://host/library;database=db;libraries=a,b",
        ),
        Form("jdbc:db2://host:50000/db:user=<u>;password=<s>;", "jdbc:db2://host:50000/db"),
        Form(
            "jdbc:teradata://host/DATABASE=db,DBS_PORT=1026,USER=<u>,PASSWORD=<s>",
            "jdbc:teradata://host:1026;database=db",
        ),
        Form(
            "jdbc:awsathena://AwsRegion=eu-west-1;UID=<u>;PWD=<s>;Schema=db",
            "jdbc:awsathena://region=eu-west-1;schema=db",
        ),
        Form(
            "jdbc:snowflake://account.snowflakecomputing.com/?db=db&schema=s&user=<u>&password=<s>",
            "jdbc:snowflake://account.snowflakecomputing.com;database=db;schema=s",
        ),
        Form("jdbc:redshift://host:5439/db?user=<u>&password=<s>", "jdbc:redshift://host/db"),
        Form(
            "jdbc:redshift:iam://cluster:eu-west-1/db?AccessKeyID=<k>&SecretAccessKey=<s>",
            "jdbc:redshift:iam://cluster:eu-west-1/db",
        ),
        Form(
            "jdbc:bigquery://https://www.googleapis.com/bigquery/v2:443;ProjectId=project"
            ";OAuthServiceAcctEmail=<u>;OAuthPvtKey=<s>;DefaultDataset=db",
            "jdbc:bigquery://https://www.googleapis.com/bigquery/v2;project=project;database=db",
        ),
        Form("jdbc:vertica://host:5433/db?user=<u>&password=<s>", "jdbc:vertica://host/db"),
        Form(
            "jdbc:sap://host:30015/?databaseName=db&user=<u>&password=<s>",
            "jdbc:sap://host:30015;database=db",
        ),
        Form(
            "jdbc:hive2://host:10000/db;principal=hive/_HOST@REALM;password=<s>",
            "jdbc:hive2://host/db",
        ),
        Form(
            "jdbc:hive2://b:2181,a:2181/db;password=<s>;zooKeeperNamespace=hiveserver2",
            "jdbc:hive2://a:2181,b:2181/db;namespace=hiveserver2",
        ),
        Form(
            "jdbc:databricks://host:443/db;AuthMech=3;UID=token;PWD=<s>",
            "jdbc:databricks://host/db",
        ),
        Form(
            "jdbc:trino://<user>:<secret>@host:443/catalog/s?SSL=true",
            "jdbc:trino://host:443/catalog/s",
        ),
        Form(
            "jdbc:presto://host:8080/catalog/s?user=<u>&password=<s>",
            "jdbc:presto://host:8080/catalog/s",
        ),
        Form(
            "jdbc:clickhouse://<user>:<secret>@host:8123/db?ssl=true",
            "jdbc:clickhouse://host/db",
        ),
        Form("jdbc:h2:tcp://host:9092/~/db;USER=<u>;PASSWORD=<s>", "jdbc:h2:tcp://host/~/db"),
        Form("jdbc:h2:mem:db;PASSWORD=<s>", "jdbc:h2:mem:db"),
        Form("jdbc:sqlite:/data/orders.db?password=<s>", "jdbc:sqlite:/data/orders.db"),
        Form("jdbc:derby://host:1527/db;user=<u>;password=<s>", "jdbc:derby://host/db"),
        Form(
            "jdbc:informix-sqli://host:1526/db:INFORMIXSERVER=server;user=<u>;password=<s>",
            "jdbc:informix-sqli://host:1526/db;instance=server",
        ),
        Form(
            "jdbc:cassandra:Server=host;Port=9042;User=<u>;Password=<s>",
            "jdbc:cassandra:server=host;port=9042",
        ),
    ),
    "anything else": (
        Form("https://<user>:12?<34>@host/orders", ""),
        Form("jdbc:vendor:user/<secret>", ""),
    ),
}
"""Group → its forms; where nothing is named to be kept, that is a kind and a digest."""


def table() -> str:
    """Return the table, as Markdown."""
    lines = ["| | written | kept |", "| --- | --- | --- |"]
    for group, forms in FORMS.items():
        for form in forms:
            written = _cell(form.written)
            lines.append(f"| {group} | {written} | {_cell(redacted(form.example))} |")
    return "\n".join(lines)


def _cell(text: str) -> str:
    return f"`{text}`"


TABLE = DocumentTable("reference/metadata-only.md", "locations", table)

if __name__ == "__main__":
    TABLE.write()
