"""The names that say where something lies, in strings of `name=value`."""

from __future__ import annotations

import re
from collections.abc import Mapping

# How a name is shown → the names that say the same, in lower case and without separators. The
# order is that in which they are shown.
PLACES: Mapping[str, tuple[str, ...]] = {
    "endpoint": ("endpoint", "accountendpoint", "url"),
    "accountName": ("accountname",),
    "blobEndpoint": ("blobendpoint",),
    "dfsEndpoint": ("dfsendpoint",),
    "fileEndpoint": ("fileendpoint",),
    "queueEndpoint": ("queueendpoint",),
    "tableEndpoint": ("tableendpoint",),
    "endpointSuffix": ("endpointsuffix",),
    "server": (
        *("server", "servername", "host", "hostname", "hostaddr", "address", "addr"),
        *("networkaddress", "datasource", "contactpoints", "drillbit", "direct", "zk"),
    ),
    "port": ("port", "portnumber", "dbsport"),
    "instance": ("instancename", "instance", "informixserver"),
    "cloudSqlInstance": ("cloudsqlinstance",),
    "dsn": ("dsn",),
    "region": ("region", "awsregion"),
    "project": ("projectid", "project"),
    "catalog": ("catalog", "catalogname", "conncatalog"),
    "database": (
        *("database", "databasename", "db", "dbname", "initialcatalog", "dbq", "dbalias"),
        *("defaultdataset", "dataset"),
    ),
    "sid": ("sid",),
    "service": ("servicename", "service"),
    "namespace": ("namespace", "zookeepernamespace"),
    "schema": (
        *("schema", "currentschema", "schemaname", "defaultschema", "connschema", "keyspace"),
        "searchpath",
    ),
    "libraries": ("libraries",),
    "collection": ("collection", "collectionname"),
    "container": ("container", "containername", "bucket", "filesystem", "share"),
    "entityPath": ("entitypath", "topic", "queue"),
}
_SHOWN_AS = {spelling: name for name, spellings in PLACES.items() for spelling in spellings}
URLS = ("endpoint", "blobEndpoint", "dfsEndpoint", "fileEndpoint", "queueEndpoint", "tableEndpoint")
"""Those whose value may be a URL."""

_SECRETS = re.compile(
    r"sig|sas|token|accesstoken|signature|sharedaccesssignature|password|passwd|pass|pwd|secret"
    r"|(?:api|access|account|secret|shared|sharedaccess|secretaccess|private|master)key"
)


def place_named(written: str) -> str | None:
    """Return how the name of a place is shown, None for a name of anything else.

    Args:
        written: The name, in any case and with any separators.
    """
    return _SHOWN_AS.get(re.sub(r"[\W_]", "", written.lower()))


def is_secret(written: str) -> bool:
    """Whether a name is one of those that secrets usually have.

    Args:
        written: The name, in any case and with any separators.
    """
    return _SECRETS.fullmatch(re.sub(r"[\W_]", "", written.lower())) is not None
