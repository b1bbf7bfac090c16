"""What is shown of librdkafka's options: their names, and of the values nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Secret, SecretStr


def hidden(options: Any) -> Any:
    """Return options such that nothing shows their values: which are secret is not ours to know.

    Whether something is on stays readable. An error is one of them all, for it would quote a name.

    Args:
        options: Name → text, bytes of text, a number or an object.

    Raises:
        ValueError: A name or a value is no text that librdkafka can be given, or a name is
            something else.
    """
    if not isinstance(options, Mapping):
        return options
    return {_name(name): _hidden(value) for name, value in options.items()}


def _name(name: Any) -> str:
    name = _text(name) if isinstance(name, bytes | bytearray) else name
    if not isinstance(name, str):
        raise ValueError("the name of an option must be text")  # noqa: TRY004 - pydantic's kind
    return name


def _hidden(value: Any) -> Any:
    if isinstance(value, bool | Secret | SecretStr):
        return value
    if isinstance(value, bytes | bytearray):
        return SecretStr(_whole(_text(value)))
    return SecretStr(_whole(str(value))) if isinstance(value, str | int | float) else Secret(value)


def _whole(text: str) -> str:
    """Return a text that librdkafka gets as it is: it ends one at a NUL."""
    if "\0" in text or text != text.encode("utf-8", "replace").decode():
        raise ValueError("a value must be text that UTF-8 can carry, without NUL")
    return text


def _text(value: bytes | bytearray) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise ValueError("bytes must be text in UTF-8") from None


def revealed(value: Any) -> Any:
    """Return a value in clear."""
    return value.get_secret_value() if isinstance(value, Secret | SecretStr) else value
