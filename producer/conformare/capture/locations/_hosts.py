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


def are_hosts(text: str) -> bool:
    """Whether a text is one host or several, and nothing else."""
    return _HOSTS.fullmatch(text) is not None
