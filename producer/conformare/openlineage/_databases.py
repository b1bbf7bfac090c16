"""Tables of databases, which records name by their JDBC URL and a `#`, as OpenLineage names them."""

from __future__ import annotations

import re
from typing import NamedTuple

SNOWFLAKE = ".snowflakecomputing.com"
_REDSHIFT = re.compile(r"([^.]+)\.[^.]+\.([^.]+)\.redshift\.amazonaws\.com")
_ORACLE_SID = re.compile(r"@(?://)?([^:/]+)(?::(\d+))?(?:[:/](.*))?")


class _Vendor(NamedTuple):
    """How OpenLineage names the tables of a vendor.

    Attributes:
        scheme: What the namespace begins with.
        port: The usual port, which records leave out and OpenLineage does not.
        parts: Of how many parts the name of a table is, the database first.
    """

    scheme: str
    port: str = ""
    parts: int = 3


_VENDORS = {
    "db2": _Vendor("db2", "50000"),
    "hive2": _Vendor("hive", "10000", parts=2),
    "mariadb": _Vendor("mariadb", "3306", parts=2),
    "mysql": _Vendor("mysql", "3306", parts=2),
    "oracle": _Vendor("oracle", "1521"),
    "postgresql": _Vendor("postgres", "5432"),
    "redshift": _Vendor("redshift", "5439"),
    "snowflake": _Vendor("snowflake"),
    "sqlserver": _Vendor("mssql", "1433"),
    "teradata": _Vendor("teradata", "1025", parts=2),
}


def database_table(location: str) -> tuple[str, str]:
    """Return the namespace and the name of a table in a database.

    Args:
        location: As a record has it, such as `jdbc:postgresql://host/db#public.orders`.
    """
    place, _, table = location.removeprefix("jdbc:").rpartition("#")
    if not place:
        place, table = table, ""
    vendor_name, _, rest = place.partition(":")
    if not rest:  # a digest, of what nobody could take apart
        return "jdbc", place
    vendor_name = vendor_name.lower()
    if vendor_name == "jtds":
        vendor_name, _, rest = rest.partition(":")
    vendor = _VENDORS.get(vendor_name, _Vendor(vendor_name))
    body, *pairs = rest.split(";")
    told = {name.lower(): value for name, _, value in (pair.partition("=") for pair in pairs)}
    hosts, database = _host_and_database(vendor_name, body)
    levels = [database or told.get("database", ""), told.get("schema", "").partition(",")[0]]
    return _namespace(vendor, hosts), _name(vendor, [one for one in levels if one], table)


def _host_and_database(vendor: str, body: str) -> tuple[str, str]:
    if vendor == "oracle" and (found := _ORACLE_SID.search(body)) is not None:
        host, port, database = found.groups(default="")
        return f"{host}:{port}" if port else host, database
    if body.startswith("//"):
        hosts, _, database = body[2:].partition("/")
        return hosts, database.replace("/", ".")
    return "", body  # such as the file of an embedded database


def _namespace(vendor: _Vendor, hosts: str) -> str:
    if not hosts:
        return vendor.scheme
    if vendor.scheme == "snowflake":
        return f"snowflake://{hosts.removesuffix(SNOWFLAKE)}"
    if vendor.scheme == "redshift":
        hosts = _REDSHIFT.sub(r"\1.\2", hosts)
    with_ports = (
        host if ":" in host or not vendor.port else f"{host}:{vendor.port}"
        for host in hosts.split(",")
    )
    return f"{vendor.scheme}://{','.join(with_ports)}"


def _name(vendor: _Vendor, levels: list[str], table: str) -> str:
    """Return a name as far as its parts are known; one that begins with its database stays."""
    parts = [part for part in table.split(".") if part]
    missing = max(vendor.parts - len(parts), 0)
    return ".".join((*levels[:missing], *parts)) or "/"
