"""From a location to what OpenLineage calls a dataset: the namespace is where, the name is what.

The rules are those of https://openlineage.io/docs/spec/naming. What they say nothing of is named in
their manner: the scheme and the host are the namespace, and the rest is the name.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from conformare.capture.locations import BETWEEN
from conformare.openlineage._databases import SNOWFLAKE, database_table

DEFAULT_SCHEMA = "default"
"""What a table without a schema is in: the record leaves it out."""
NAMESPACE_LENGTH = 1_024
"""Signs of a namespace. With a longer one, Marquez cannot list its namespaces any more."""
FILE_SYSTEMS = ("hdfs", "viewfs", "dbfs", "adl", "ftp", "sftp", "http", "https")
"""Their names are paths from the root; those of object stores and services begin with no slash."""


class DatasetName(NamedTuple):
    """What a dataset is called."""

    namespace: str
    name: str


def dataset_names(locations: str, tables: str) -> list[DatasetName]:
    """Return the datasets of a location, none where it is in memory or not known.

    Example:
        >>> dataset_names("s3://shop/raw/orders", "hive://metastore:9083")
        [DatasetName(namespace='s3://shop', name='raw/orders')]
        >>> dataset_names("sales.orders", "hive://metastore:9083")
        [DatasetName(namespace='hive://metastore:9083', name='sales.orders')]

    Args:
        locations: As a record has it: one, or several of one read.
        tables: Namespace of the tables of a catalog.
    """
    several = (location.strip() for location in locations.split(BETWEEN))
    # In brackets stands what is no place, such as `(memory)`.
    named = [_named(one, tables) for one in several if one and not one.startswith("(")]
    return list(dict.fromkeys(named))


def _named(location: str, tables: str) -> DatasetName:
    for form, named in _FORMS:
        if (found := form.fullmatch(location)) is not None:
            namespace, name = named(found)
            return DatasetName(namespace[:NAMESPACE_LENGTH], name)
    name = location.replace("`", "")
    return DatasetName(tables, name if "." in name else f"{DEFAULT_SCHEMA}.{name}")


def _of_url(url: re.Match[str]) -> tuple[str, str]:
    scheme, host, path = url["scheme"].lower(), url["host"], url["path"]
    namespace, below = f"{scheme}://{host}", path.strip("/")
    if scheme in FILE_SYSTEMS:
        below = path
    elif scheme == "kafka":
        namespace = f"kafka://{host.partition(',')[0]}"
    elif scheme == "bigquery":
        namespace, below = "bigquery", f"{host}.{below}" if below else host
    elif scheme == "cassandra" and ":" not in host:
        namespace += ":9042"
    elif scheme == "snowflake":
        namespace = namespace.removesuffix(SNOWFLAKE)
    return namespace, below or "/"


def _of_share(share: re.Match[str]) -> tuple[str, str]:
    return f"file://{share['host']}", share["path"].replace("\\", "/") or "/"


def _of_pairs(pairs: re.Match[str]) -> tuple[str, str]:
    return pairs["place"], pairs["table"] or pairs["place"]


_PATH = r"(?P<path>/.*)"
_PAIR = r"[A-Za-z]+=[^;#]*"
_FORMS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], tuple[str, str]]], ...] = (
    (re.compile(r"jdbc:.*", re.DOTALL), lambda found: database_table(found[0])),
    (
        re.compile(r"(?P<scheme>[A-Za-z][\w+.-]*)://(?P<host>[^/]*)(?P<path>.*)", re.DOTALL),
        _of_url,
    ),
    (re.compile(r"(?://|\\\\)(?P<host>[^/\\]+)(?P<path>.*)", re.DOTALL), _of_share),
    # Of Windows, from the root, or from a folder that nobody knows any more.
    (re.compile(r"(?:[A-Za-z]:[/\\]|[/.]).*", re.DOTALL), lambda found: ("file", found[0])),
    (
        re.compile(rf"(?P<scheme>[A-Za-z][\w+.-]+):{_PATH}", re.DOTALL),
        lambda found: (found["scheme"].lower(), found["path"]),
    ),
    (re.compile(rf"(?P<place>{_PAIR}(?:;{_PAIR})*)(?:#(?P<table>.*))?", re.DOTALL), _of_pairs),
    (re.compile(r".*[/\\].*", re.DOTALL), lambda found: ("file", found[0])),
)
"""What a location may be, the first that it is; anything else is a table of a catalog."""
