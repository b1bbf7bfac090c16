"""What is shown of librdkafka's options: their names, and of the values nothing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic import Secret, SecretStr

_UNKNOWN = "No such configuration property"


def hidden(value: Any) -> Any:
    """Return a value of an option such that nothing shows it: which are secret is not ours to know.

    Args:
        value: Text, bytes of text, a number or an object; whether something is on stays readable.

    Raises:
        ValueError: It is bytes that are no text.
    """
    if isinstance(value, bool | Secret | SecretStr):
        return value
    if isinstance(value, bytes | bytearray):
        try:
            return SecretStr(value.decode())
        except UnicodeDecodeError:
            raise ValueError("bytes must be text in UTF-8") from None
    return SecretStr(str(value)) if isinstance(value, str | int | float) else Secret(value)


def revealed(value: Any) -> Any:
    """Return a value in clear."""
    return value.get_secret_value() if isinstance(value, Secret | SecretStr) else value


def without_unknown_names(cause: str, names: Iterable[str]) -> str:
    """Return what librdkafka says of its options without a name that it does not know.

    A secret may have slipped into the place of a name.

    Args:
        cause: What it says; names that it knows may be in it.
        names: The names that were given.
    """
    if not cause.startswith(_UNKNOWN):
        return cause
    places = [n for n, name in enumerate(names, start=1) if f'"{name}"' in cause]
    which = f"number {places[0]} of those given" if places else "one of those given"
    return f"it has none of the name that is {which}"
