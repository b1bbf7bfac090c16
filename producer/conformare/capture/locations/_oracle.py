"""What stands behind the "@" of Oracle's URLs: a host and a service, a descriptor, an alias."""

from __future__ import annotations

import re

from conformare.capture.locations._hosts import HOSTS, one_form

_CONNECT = re.compile(
    rf"(?P<scheme>//|tcps?://|ldaps?://)?(?P<hosts>{HOSTS})"
    r"(?:/(?P<service>[\w.$,=-]*)(?::\w+)?(?:/\w+)?|:(?P<sid>[\w.$]+))?",
    re.IGNORECASE,
)
_PARAMETERS = re.compile(r"\?\s*[\w.]+\s*=.*", re.DOTALL)
_ADDRESS = re.compile(r"\(\s*address\s*=", re.IGNORECASE)
_PART = re.compile(r"\(\s*(host|port|service_name|sid)\s*=\s*([\w.$-]+)\s*\)", re.IGNORECASE)


def shown_descriptor(text: str, vendor: str = "") -> str | None:
    """Return host, port and service of what Oracle connects to, None if that is something else.

    Args:
        text: `//host:port/service`, `host:port:sid`, `(DESCRIPTION=…)` or an alias.
        vendor: Whose usual port need not be named.
    """
    if text.lstrip().startswith("("):
        return _described(text, vendor)
    found = _CONNECT.fullmatch(_PARAMETERS.sub("", text))
    if found is None:
        return None
    scheme = (found["scheme"] or "").lower()
    if found["sid"]:  # it would be taken for the port, if that were left out
        return f"{scheme}{found['hosts'].lower()}:{found['sid']}"
    hosts = one_form(found["hosts"], vendor)
    if found["service"]:
        scheme = scheme if scheme.startswith("ldap") else "//"
        return f"{scheme}{hosts}/{found['service']}"
    return f"{scheme}{hosts}"


def _described(text: str, vendor: str) -> str | None:
    hosts: list[str] = []
    service = ""
    for address in _ADDRESS.split(text):
        said = {name.lower(): value for name, value in _PART.findall(address)}
        if "host" in said:
            hosts.append(":".join(said[name] for name in ("host", "port") if name in said))
        for name in ("sid", "service_name"):
            service = f"/{said[name]}" if name in said else service
    return f"//{one_form(','.join(hosts), vendor)}{service}" if hosts else None
