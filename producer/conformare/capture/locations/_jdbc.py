"""JDBC URLs: vendor, hosts, ports and database.

Vendors write them in many ways. What follows none of these is a digest.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from conformare.capture.locations._hosts import HOSTS
from conformare.capture.locations._oracle import shown_descriptor
from conformare.capture.locations._pairs import pairs_of, shown_places
from conformare.capture.locations._paths import shown_path
from conformare.capture.locations._places import PLACES
from conformare.capture.locations._unreadable import unreadable
from conformare.capture.locations._url import authority_and_rest

_KINDS = (
    "thin oci oci8 kprb replication loadbalance failover sequential load-balance-read aurora "
    "sqlserver sybase postgresql mysql mariadb oracle db2 tds greenplum hive2 mem file tcp ssl zip "
    "nio res aws bolt hsql hsqls memory directory classpath jar net http https remote direct iam grpc"
)
_URL = re.compile(
    r"jdbc:(?P<vendor>[a-z][\w+.-]*(?::(?:{})(?=:|/|;|\?|$))*)(?::(?P<body>.*))?".format(
        _KINDS.replace(" ", "|")
    ),
    re.IGNORECASE | re.DOTALL,
)
# Of these, users and passwords stand before an "@", separated by "/".
_WITH_DESCRIPTORS = ("oracle", "tibero")
# Of these, the database is in the path: a parameter named like one is none.
_DATABASE_IN_PATH = frozenset(
    {
        *("postgresql", "redshift", "mysql", "mariadb", "db2", "as400", "hive2", "impala"),
        *("trino", "presto", "vertica", "derby", "sybase", "informix-sqli", "mongodb", "oracle"),
        *("cockroach", "yugabytedb", "aws-wrapper", "pgsql", "netezza", "monetdb"),
    }
)
_WITH_COMMAS = "teradata"
_OF_FILES = frozenset({"sqlite", "duckdb", "h2", "derby", "hsqldb", "ucanaccess"})
_INNER_SCHEME = re.compile(r"(?:https?|tcps?)://", re.IGNORECASE)
_PAIR = re.compile(r"/?\s*\w[\w .-]*=")
_DATABASE = re.compile(r"(?:/[\w.$~%+-]*)*")
# A name, or a host that a port tells from a user.
_NAME = re.compile(rf"[\w.$-]*|(?=[^/]*:\d){HOSTS}(?::?/[\w./-]*)?")
# An address of IPv6 is in brackets as well.
_DESCRIBED = re.compile(r"\(|address=|\[(?![0-9a-f:.]+(?:%\w+)?\])", re.IGNORECASE)
_NAMED_HOST = re.compile(r"(?<![^(,\[])\s*host\s*=\s*([\w.-]+|\[[0-9A-Fa-f:.]+\])", re.IGNORECASE)
_NAMED_PORT = re.compile(r"(?<![^(,\[])\s*port\s*=\s*(\d+)", re.IGNORECASE)


def is_jdbc(text: str) -> bool:
    """Whether a text is a JDBC URL."""
    return text[:5].lower() == "jdbc:"


def shown_jdbc(text: str) -> str:
    """Return of a JDBC URL what says where a database is.

    Args:
        text: The URL.
    """
    found = _URL.fullmatch(text)
    if found is None:
        return unreadable("jdbc", text)
    kinds, body = found["vendor"], found["body"] or ""
    vendor, *more = kinds.lower().split(":")
    place = _place(vendor, more, body)
    return unreadable(f"jdbc:{vendor}", text) if place is None else f"jdbc:{place}"


def _place(vendor: str, kinds: list[str], body: str) -> str | None:
    """Return a URL without `jdbc:`, None if it is of no known form."""
    start = ":".join((vendor, *kinds))
    if vendor in _WITH_DESCRIPTORS:
        descriptor = _descriptor(body)
        return None if descriptor is None else f"{start}{descriptor}"
    if body.startswith("//"):
        network = _network(vendor, body[2:])
        return None if network is None else f"{start}://{network}"
    if _PAIR.match(body):
        places = ";".join(_places(vendor, body, ";"))
        return f"{start}:{places}" if places else start
    return _local(vendor, start, body)


def _descriptor(body: str) -> str | None:
    before, sign, descriptor = body.rpartition("@")
    if not sign:
        # Without an "@" there is a user at most, and the place is the machine's own database.
        shown = shown_descriptor(body) if body.startswith("//") else None
        return f":@{shown}" if shown else ""
    ends = before.split("@")[1:] if "?" in before else ()
    if any(shown_descriptor(end.partition("?")[0]) for end in ends):
        return None  # one of them is in a parameter
    shown = shown_descriptor(descriptor)
    # An alias behind several "@" may be the end of a password.
    is_certain = shown is not None and ("@" not in before or re.search(r"[:/]", shown))
    return f":@{shown}" if is_certain else None


def _network(vendor: str, rest: str) -> str | None:
    """Return the hosts, the path and the places of what follows the two slashes."""
    inner = _INNER_SCHEME.match(rest)
    scheme = inner[0].lower() if inner else ""
    rest = rest[len(scheme) :]
    if _DESCRIBED.match(rest):
        return _described(vendor, rest)
    if _PAIR.match(rest):
        return ";".join(_places(vendor, rest.lstrip("/"), ";?&"))
    parts = authority_and_rest("jdbc", rest)
    if parts is None:
        return None
    authority, rest = parts
    return _behind(vendor, f"{scheme}{authority}", rest)


def _behind(vendor: str, hosts: str, rest: str) -> str | None:
    found = _DATABASE.match(rest)
    path = "" if found is None else found[0]
    parameters = rest[len(path) :]
    if parameters.startswith("="):  # the path is a pair itself
        path, _, name = path.rpartition("/")
        parameters = f",{name}{parameters}"
    if parameters[:1] not in ("", "?", ";", "&", "#", ":", ","):
        return None
    path = "" if path == "/" else path
    return _with(
        f"{hosts}{path}",
        _places(vendor, parameters[1:], ";?&#," if vendor == _WITH_COMMAS else ";?&#"),
    )


def _described(vendor: str, rest: str) -> str | None:
    """Return the hosts of `(host=…,port=…)`, `address=(host=…)(port=…)` and lists of them."""
    end = max(rest.rfind(")"), rest.rfind("]")) + 1
    if end == 0 or end != _end_of_brackets(rest):
        return None  # a bracket of a password is none of the URL's
    described, rest = rest[:end], rest[end:]
    if rest[:1] not in ("", "/", "?") or {"[": "]"}.get(described[0], ")") != described[-1]:
        return None
    hosts = []
    if _NAMED_HOST.search(described):
        ports = [*_NAMED_PORT.finditer(described)]
        for host in _NAMED_HOST.finditer(described):
            following = _NAMED_HOST.search(described, host.end())
            last = following.start() if following else len(described)
            port = next((p[1] for p in ports if host.end() <= p.start() < last), None)
            hosts.append(f"{host[1]}:{port}" if port else host[1])
    elif described.startswith("["):
        hosts = [part.strip().rpartition("@")[2] for part in described[1:-1].split(",")]
    joined = ",".join(hosts)
    if not re.fullmatch(HOSTS, joined):
        return None
    return _behind(vendor, joined, rest)


def _end_of_brackets(text: str) -> int:
    """Return where the brackets that a text begins with, one behind the other, are closed."""
    depth, end = 0, 0
    for position, character in enumerate(text):
        if character in "([":
            depth += 1
        elif character in ")]":
            depth -= 1
            end = position + 1
        elif depth == 0 and character in "/?;":
            break
    return end if depth == 0 else 0


def _local(vendor: str, start: str, body: str) -> str | None:
    """Return a database by its name or its file."""
    name, *parameters = re.split(r"[?;&#]", body, maxsplit=1)
    if vendor in _OF_FILES and "@" not in name and "=" not in name:
        shown = name if name == ":memory:" else shown_path(name)
    elif _NAME.fullmatch(name):
        shown = name
    else:
        return None
    places = _places(vendor, "".join(parameters), ";?&#")
    return _with(f"{start}:{shown}" if shown or places else start, places)


def _places(vendor: str, text: str, separators: str) -> list[str]:
    allowed: Iterable[str] = ("schema",) if vendor in _DATABASE_IN_PATH else PLACES
    return shown_places(pairs_of(text, separators), allowed)


def _with(place: str, places: list[str]) -> str:
    separator = ";" if place and places else ""
    return f"{place}{separator}{';'.join(places)}"
