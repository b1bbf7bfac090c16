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
# A full name may say that it is one.
_END_OF_NAME = re.compile(r"\.(?=:|$)")
# What answers where no port is named, by the scheme of a URL or the vendor of a database.
_PORTS = {
    80: ("http",),
    443: ("https", "snowflake", "databricks", "spark", "cosmos"),
    21: ("ftp",),
    22: ("sftp",),
    8020: ("hdfs",),
    27017: ("mongodb",),
    6379: ("redis", "rediss"),
    9042: ("cassandra",),
    6650: ("pulsar",),
    9200: ("elasticsearch", "opensearch"),
    7687: ("bolt", "neo4j"),
    5432: ("postgresql",),
    3306: ("mysql", "mariadb"),
    1521: ("oracle",),
    1433: ("sqlserver",),
    5439: ("redshift",),
    10000: ("hive2",),
    21050: ("impala",),
    8123: ("clickhouse",),
    5433: ("vertica",),
    1527: ("derby",),
    5480: ("netezza",),
    9092: ("h2",),
    1025: ("teradata",),
}
_PORT_OF = {kind: port for port, kinds in _PORTS.items() for kind in kinds}


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
    usual = next((_PORT_OF[kind] for kind in reversed(kinds) if kind in _PORT_OF), "")
    alike = {_without_port(host.lower(), f":{usual}") for host in hosts.split(",")}
    return ",".join(sorted(alike))


def _without_port(host: str, usual: str) -> str:
    # Of an instance, another port than the vendor's is the usual one.
    bare = host.removesuffix(":" if "\\" in host else usual).removesuffix(":")
    return _END_OF_NAME.sub("", bare)
