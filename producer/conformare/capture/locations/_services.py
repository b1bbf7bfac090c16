"""Where something lies in a service that is named by its servers, and by names that it gives."""

from __future__ import annotations

import re
from collections.abc import Sequence

from conformare.capture.locations._hosts import are_hosts, one_form
from conformare.capture.locations._queries import shown_query
from conformare.capture.locations._unreadable import unreadable
from conformare.capture.locations._url import authority_and_rest

_URL = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<rest>.*)", re.DOTALL)
_BETWEEN_URLS = re.compile(r"\s*[,;]\s*(?=[A-Za-z][A-Za-z0-9+.-]*://)")
_BETWEEN_HOSTS = re.compile(r"\s*[,;\s]\s*")
_PORT = re.compile(r":\d+$")
# No blank and no quote, which a query has; a pattern has brackets.
_NAME = re.compile(r"[\w.*](?:[\w.$*:,+{}|\[\]()^/-]*[\w.$*+})\]-])?")
_QUOTED = re.compile(r"(?:\"[\w$. -]+\"|`[\w$. -]+`|\w+)(?:\.(?:\"[\w$. -]+\"|`[\w$. -]+`|\w+))*")
_END_OF_PATH = re.compile(r"[?;#]")


def shown_service(scheme: str, servers: str, names: Sequence[str], port: str = "") -> str:
    """Return where something lies in a service, as a URL.

    Args:
        scheme: What the service is called.
        servers: Its servers as they are written: hosts or URLs; "" where none is named.
        names: Names from the outermost to the innermost.
        port: That of servers which are written without one.
    """
    kept = [shown_name_in_service(name) for name in names if name]
    path = f"/{'.'.join(kept)}" if kept else ""
    authority = _authority(scheme, servers, port)
    return f"{scheme}://{authority}{path}" if authority else f"{scheme}:{path or '/'}"


def shown_name_in_service(name: str) -> str:
    """Return a name that a service gives; anything else is a query."""
    name = name.strip().lstrip(":")
    is_name = _NAME.fullmatch(name) or _QUOTED.fullmatch(name)
    return name if is_name and "//" not in name else shown_query(name)


def path_of_servers(servers: str) -> str:
    """Return the path of the URL that names servers, "" where there is none.

    Args:
        servers: Servers as they are written.
    """
    url = _URL.fullmatch(servers.strip())
    parts = None if url is None else authority_and_rest(url["scheme"].lower(), url["rest"])
    return "" if parts is None else _END_OF_PATH.split(parts[1], maxsplit=1)[0].strip("/")


def _authority(scheme: str, servers: str, port: str) -> str:
    hosts: list[str] = []
    for part in _BETWEEN_URLS.split(servers.strip()):
        url = _URL.fullmatch(part)
        if url is None:
            found = ",".join(filter(None, _BETWEEN_HOSTS.split(part)))
        else:
            parts = authority_and_rest(url["scheme"].lower(), url["rest"])
            found = "" if parts is None else parts[0]
        if not part:
            continue
        if not are_hosts(found):
            return unreadable(scheme, servers).rpartition(":")[2]
        hosts += found.split(",")
    if port.isdecimal():
        hosts = [host if _PORT.search(host) else f"{host}:{port}" for host in hosts]
    return one_form(",".join(hosts), scheme)
