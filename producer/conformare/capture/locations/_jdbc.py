"""JDBC URLs: vendor, hosts, ports and database.

Vendors write them in many ways. What follows none of these is a digest.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote_plus

from conformare.capture.locations._hosts import HOSTS, one_form
from conformare.capture.locations._oracle import shown_descriptor
from conformare.capture.locations._pairs import pairs_of, shown_places
from conformare.capture.locations._paths import shown_path
from conformare.capture.locations._places import PLACES, place_named
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
        *("trino", "presto", "vertica", "derby", "sybase", "informix-sqli", "oracle"),
        *("cockroach", "yugabytedb", "aws-wrapper", "pgsql", "netezza", "monetdb"),
    }
)
# Parameters that say which database it is for all that.
_ALSO = {
    **dict.fromkeys(("postgresql", "pgsql"), ("cloudSqlInstance", "service")),
    **dict.fromkeys(("mysql", "mariadb"), ("cloudSqlInstance",)),
    "sybase": ("service",),
    "as400": ("database", "libraries"),
    "informix-sqli": ("instance",),
    "hive2": ("namespace",),
}
_SEARCH_PATH = re.compile(r"-c\s*search_path=([\w$,]+)")
_WITH_COMMAS = "teradata"
# Of this, an instance is named behind its host.
_WITH_INSTANCES = "sqlserver"
_OF_FILES = frozenset({"sqlite", "duckdb", "h2", "derby", "hsqldb", "ucanaccess"})
_INNER_SCHEME = re.compile(r"(?:https?|tcps?)://", re.IGNORECASE)
_PAIR = re.compile(r"/?\s*\w[\w .-]*=")
_DATABASE = re.compile(r"(?:/[\w.$~%+-]*)*")
# A name, or a host that a port tells from a user.
_NAME = re.compile(rf"[\w.$-]*|(?=[^/]*:\d){HOSTS}(?::?/[\w./-]*)?")
_LOCAL_HOST = re.compile(r"[\w.-]+:\d+(?=/|$)")
# An address of IPv6 is in brackets as well.
_DESCRIBED = re.compile(r"\(|address=|\[(?![0-9a-f:.]+(?:%\w+)?\])", re.IGNORECASE)
_NAMED_HOST = re.compile(r"(?<![^(,\[])\s*host\s*=\s*([\w.-]+|\[[0-9A-Fa-f:.]+\])", re.IGNORECASE)
_NAMED_PORT = re.compile(r"(?<![^(,\[])\s*port\s*=\s*(\d+)", re.IGNORECASE)


def is_jdbc(text: str) -> bool:
    """Whether a text is a JDBC URL."""
    return text[:5].lower() == "jdbc:"


def shown_jdbc(text: str, properties: Mapping[str, str] | None = None) -> str:
    """Return of a JDBC URL what says where a database is.

    Args:
        text: The URL.
        properties: What the driver is told beside it.
    """
    found = _URL.fullmatch(text)
    if found is None:
        return unreadable("jdbc", text)
    vendor, *kinds = found["vendor"].lower().split(":")
    place = _Database(vendor, kinds, properties or {}).place(found["body"] or "")
    return unreadable(f"jdbc:{vendor}", text) if place is None else f"jdbc:{place}"


@dataclass(frozen=True)
class _Database:
    """A database, and how its vendor writes where it is.

    Attributes:
        vendor: The vendor.
        kinds: What follows the vendor, such as `thin`.
        properties: What the driver is told beside the URL.
    """

    vendor: str
    kinds: list[str]
    properties: Mapping[str, str]

    def place(self, body: str) -> str | None:
        """Return a URL without `jdbc:`, None if it is of no known form.

        Args:
            body: What follows vendor and kinds.
        """
        start = ":".join((self.vendor, *self.kinds))
        if self.vendor in _WITH_DESCRIPTORS:
            descriptor = _descriptor(self.vendor, body)
            return None if descriptor is None else f"{start}{descriptor}"
        if body.startswith("//"):
            network = self._network(body[2:])
            return None if network is None else f"{start}://{network}"
        if _PAIR.match(body):
            places = ";".join(self._places(body, ";"))
            return f"{start}:{places}" if places else start
        return self._local(start, body)

    def _network(self, rest: str) -> str | None:
        """Return the hosts, the path and the places of what follows the two slashes."""
        inner = _INNER_SCHEME.match(rest)
        scheme = inner[0].lower() if inner else ""
        rest = rest[len(scheme) :]
        if _DESCRIBED.match(rest):
            return self._described(rest)
        if _PAIR.match(rest):
            return ";".join(self._places(rest.lstrip("/"), ";?&"))
        parts = authority_and_rest("jdbc", rest)
        return None if parts is None else self._behind(scheme, *parts)

    def _behind(self, scheme: str, hosts: str, rest: str) -> str | None:
        found = _DATABASE.match(rest)
        path = "" if found is None else found[0]
        parameters = rest[len(path) :]
        if parameters.startswith("="):  # the path is a pair itself
            path, _, name = path.rpartition("/")
            parameters = f",{name}{parameters}"
        if parameters[:1] not in ("", "?", ";", "&", "#", ":", ","):
            return None
        separators = ";?&#," if self.vendor == _WITH_COMMAS else ";?&#"
        places = dict(place.split("=", 1) for place in self._places(parameters[1:], separators))
        hosts = self._hosts(hosts or places.pop("server", ""), places)
        hosts = one_form(hosts, scheme.partition(":")[0], self.vendor, *self.kinds)
        shown = [f"{name}={value}" for name, value in places.items()]
        return _with(f"{scheme}{hosts}{path.rstrip('/')}", shown)

    def _hosts(self, hosts: str, places: dict[str, str]) -> str:
        """Return hosts with what parameters say of them, which is taken from these."""
        if not hosts or "," in hosts:
            return hosts
        if self.vendor == _WITH_INSTANCES and "\\" not in hosts and "instance" in places:
            host, colon, port = hosts.partition(":")
            hosts = f"{host}\\{places.pop('instance')}{colon}{port}"
        return hosts if ":" in hosts or "port" not in places else f"{hosts}:{places.pop('port')}"

    def _described(self, rest: str) -> str | None:
        """Return the hosts of `(host=…,port=…)`, `address=(host=…)(port=…)` and lists of them."""
        end = max(rest.rfind(")"), rest.rfind("]")) + 1
        if end == 0 or end != _end_of_brackets(rest):
            return None  # a bracket of a password is none of the URL's
        described, rest = rest[:end], rest[end:]
        if rest[:1] not in ("", "/", "?") or {"[": "]"}.get(described[0], ")") != described[-1]:
            return None
        hosts = ",".join(_hosts_in(described))
        return self._behind("", hosts, rest) if re.fullmatch(HOSTS, hosts) else None

    def _local(self, start: str, body: str) -> str | None:
        """Return a database by its name or its file."""
        name, *parameters = re.split(r"[?;&#]", body, maxsplit=1)
        if self.vendor in _OF_FILES and "@" not in name and "=" not in name:
            shown = name if name == ":memory:" else shown_path(name)
        elif _NAME.fullmatch(name):
            host = _LOCAL_HOST.match(name)
            shown = name if host is None else f"{one_form(host[0])}{name[host.end() :]}"
        else:
            return None
        places = self._places("".join(parameters), ";?&#")
        return _with(f"{start}:{shown}" if shown or places else start, places)

    def _places(self, text: str, separators: str) -> list[str]:
        by_path = ("schema", *_ALSO.get(self.vendor, ()))
        allowed = by_path if self.vendor in _DATABASE_IN_PATH else tuple(PLACES)
        said = [_schema_in_options(*pair) for pair in pairs_of(text, separators)]
        named = {place_named(name) for name, _ in said}
        beside = [pair for pair in self.properties.items() if place_named(pair[0]) not in named]
        return shown_places([*said, *beside], allowed)


def _schema_in_options(name: str, value: str) -> tuple[str, str]:
    """Return a parameter; one that sets PostgreSQL's search path by an option does so by itself."""
    found = _SEARCH_PATH.search(unquote_plus(value)) if name.lower() == "options" else None
    return (name, value) if found is None else ("schema", found[1])


def _descriptor(vendor: str, body: str) -> str | None:
    before, sign, descriptor = body.rpartition("@")
    if not sign:
        # Without an "@" there is a user at most, and the place is the machine's own database.
        shown = shown_descriptor(body, vendor) if body.startswith("//") else None
        return f":@{shown}" if shown else ""
    ends = before.split("@")[1:] if "?" in before else ()
    if any(shown_descriptor(end.partition("?")[0]) for end in ends):
        return None  # one of them is in a parameter
    shown = shown_descriptor(descriptor, vendor)
    # An alias behind several "@" may be the end of a password.
    is_certain = shown is not None and ("@" not in before or re.search(r"[:/]", shown))
    return f":@{shown}" if is_certain else None


def _hosts_in(described: str) -> list[str]:
    """Return the hosts that are described, each with its port."""
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
    return hosts


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


def _with(place: str, places: list[str]) -> str:
    separator = ";" if place and places else ""
    return f"{place}{separator}{';'.join(places)}"
