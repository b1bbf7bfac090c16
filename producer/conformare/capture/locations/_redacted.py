"""A location or a text of any form, with all hidden that identifies or lets in."""

from __future__ import annotations

import re

from conformare.capture.locations._addresses import without_addresses
from conformare.capture.locations._jdbc import is_jdbc, redacted_jdbc
from conformare.capture.locations._url import has_scheme, redacted_url

_URL_IN_TEXT = re.compile(r"(?:jdbc:|[A-Za-z][A-Za-z0-9+.-]*://)\S+")


def redacted(location: str) -> str:
    """Return a location without user names, passwords, keys, tokens, signatures and addresses.

    Args:
        location: A path, a URL, a JDBC URL or the name of a table.

    Returns:
        The same text where it holds nothing of the kind. What cannot be told apart from a
        credential is hidden too.
    """
    if is_jdbc(location):
        location = redacted_jdbc(location)
    elif has_scheme(location):
        location = redacted_url(location)
    return without_addresses(location)


def without_credentials(text: str) -> str:
    """Return a text with the credentials of every URL in it hidden.

    Args:
        text: Anything, the author's own words too.
    """
    return _URL_IN_TEXT.sub(lambda url: redacted(url[0]), text) if ":" in text else text
