"""A configuration file: `name = value` in TOML, by the names that the settings have everywhere.

It is read only where `--config` or `CONFORMARE_CONFIG` names it: a file that happens to lie in the
working folder changes no job.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from conformare_schemas._naming import CONFIG_VARIABLE
from conformare_schemas.settings._definition import Definition, definitions
from conformare_schemas.settings._known import known_models, meant

_FOR_OTHERS = 0o077


class SettingsError(Exception):
    """A setting cannot be what it is said to be; the message never has its value."""

    exit_code = 2


@dataclass(frozen=True)
class ConfigFile:
    """What a configuration file says.

    Attributes:
        path: Where it is.
        values: What it says, by the settings' names.
    """

    path: Path
    values: Mapping[str, Any] = field(repr=False)

    def warning(self) -> str | None:
        """Return what to tell where the file has a secret that others on this machine can read."""
        secrets = sorted(
            {one.name for one in _known() if one.about.is_secret and one.name in self.values}
        )
        if not secrets or os.name != "posix" or not self.path.stat().st_mode & _FOR_OTHERS:
            return None
        return (
            f"{self.path} holds secrets ({', '.join(secrets)}) and others can read it: "
            f"chmod 600 {self.path}"
        )


_used: list[ConfigFile] = []


@contextmanager
def use_config_file(file: ConfigFile) -> Iterator[None]:
    """Use a configuration file in this process while the block runs, as `--config` does."""
    _used.append(file)
    try:
        yield
    finally:
        _used.remove(file)


def config_file() -> ConfigFile | None:
    """Return the configuration file that is in use; None where none is named.

    Raises:
        SettingsError: It cannot be used.
    """
    if _used:
        return _used[-1]
    named = os.environ.get(CONFIG_VARIABLE, "").strip()
    if not named:
        return None
    path = Path(named)
    try:
        state = path.stat()
    except OSError as exc:
        raise SettingsError(f"{path} cannot be read: {exc.strerror}") from exc
    return _read_once(path, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=1)
def _read_once(path: Path, _changed_at: int, _size: int) -> ConfigFile:
    """Read a file anew only where it has changed: a job asks at each of its reads."""
    return read_config_file(path)


def read_config_file(path: Path) -> ConfigFile:
    """Read a configuration file, whose keys must all be known.

    Args:
        path: The file.

    Raises:
        SettingsError: It cannot be read, is no TOML, or has a key that is no setting or that only a
            command line can give.
    """
    file = ConfigFile(path, _parsed(path))
    known = {one.name: one for one in _known()}
    for name in file.values:
        if name not in known:
            raise SettingsError(f"{path}: {name} is no setting{_hint(name, file.values[name])}")
        if known[name].about.of_job_only:
            raise SettingsError(f"{path}: {name} can only be given in Python: remove it")
        if not any(one.is_of_file for one in _known() if one.name == name):
            raise SettingsError(
                f"{path}: {name} is about one call: give it as {known[name].option} of the command"
            )
    return file


def _known() -> Iterator[Definition]:
    for model in known_models():
        yield from definitions(model)


def _hint(name: str, value: Any) -> str:
    if isinstance(value, Mapping):
        return f": write its settings without [{name}], for all commands share their names"
    return meant(name.lower().replace("-", "_"), {one.name for one in _known() if one.is_of_file})


def _parsed(path: Path) -> dict[str, Any]:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        try:
            import tomli as tomllib
        except ModuleNotFoundError as exc:
            raise SettingsError(
                f"{path} cannot be read by Python 3.10 alone: pip install tomli"
            ) from exc
    try:
        parsed: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as exc:
        raise SettingsError(f"{path} cannot be read: {exc.strerror}") from exc
    except UnicodeDecodeError as exc:
        raise SettingsError(f"{path} cannot be read: it is not UTF-8") from exc
    except tomllib.TOMLDecodeError as exc:
        # Not the chain: it has the whole text, and secrets may be in it.
        raise SettingsError(f"{path} is no TOML: {exc}") from None
    return parsed
