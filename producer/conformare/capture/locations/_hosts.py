"""Names of hosts, as they stand in URLs and in strings of `name=value`."""

from __future__ import annotations

import re

_HOST = r"(?:\[[0-9A-Fa-f:.]+(?:%\w+)?\]|\w[\w.-]*)"
_INSTANCE = r"(?:\\[\w$]+)?"
# Redshift has a region in the place of a port.
_PORT = r"(?::(?:[a-z]{2}(?:-[a-z]+)+-\d|\d{0,5}))?"
_HOST_AND_PORT = rf"{_HOST}{_INSTANCE}{_PORT}"

HOSTS = rf"{_HOST_AND_PORT}(?:,{_HOST_AND_PORT})*"
"""One host or several, each with its port and its instance where it has one."""

_HOSTS = re.compile(HOSTS)
# What answers where no port is named, by the scheme of a URL or the vendor of a database.
_PORTS = {
    **{"http": 80, "https": 443, "ftp": 21, "sftp": 22, "hdfs": 8020},
    **{"mongodb": 27017, "redis": 6379, "rediss": 6379, "cassandra": 9042, "pulsar": 6650},
    **{"elasticsearch": 9200, "opensearch": 9200, "bolt": 7687, "neo4j": 7687},
    **{"snowflake": 443, "databricks": 443, "spark": 443, "cosmos": 443},
    **{"postgresql": 5432, "mysql": 3306, "mariadb": 3306, "oracle": 1521, "sqlserver": 1433},
    **{"redshift": 5439, "hive2": 10000, "impala": 21050, "clickhouse": 8123, "vertica": 5433},
    **{"derby": 1527, "netezza": 5480},
}


def are_hosts(text: str) -> bool:
    """Whether a text is one host or several, and nothing else."""
    return _HOSTS.fullmatch(text) is not None


def one_form(hosts: str, *kinds: str) -> str:
    """Return hosts as everybody writes them: the same in any case, in any order.

    Args:
        hosts: One host or several.
        kinds: Scheme of their URL, vendor of their database; the last that has a port of its own
            says which one need not be named.
    """
    port = next((f":{_PORTS[kind]}" for kind in reversed(kinds) if kind in _PORTS), None)
    alike = {_without_port(host.lower(), port) for host in hosts.split(",")}
    return ",".join(sorted(alike))


def _without_port(host: str, port: str | None) -> str:
    # Of an instance, another port than the vendor's is the usual one.
    bare = host.removesuffix(port) if port and "\\" not in host else host
    return bare.removesuffix(":")
