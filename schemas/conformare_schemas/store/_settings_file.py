"""Files of settings: lines `name=value`, in which those that begin with `#` are comments."""

from __future__ import annotations

from pathlib import Path

from conformare_schemas.store._errors import StoreError


def read_settings(file: Path) -> dict[str, str]:
    """Return the settings of a file by their names.

    What is wrong is told without any value: each may be a secret.

    Raises:
        StoreError: The file cannot be read, or a line is not of the form `name=value`.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) else "it is not a text"
        raise StoreError(f"{file} cannot be read: {reason}") from exc
    settings: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, equals, value = (part.strip() for part in line.partition("="))
        if not equals or not name:
            raise StoreError(f"{file}, line {number}: it is not of the form name=value")
        settings[name] = value
    return settings
