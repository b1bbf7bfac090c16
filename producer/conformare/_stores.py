"""The stores of this process: which one runs are recorded into, and its writer."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from conformare import _fork_guard as fork_guard
from conformare._errors import StoreConfigurationError, StoreNotConfiguredError
from conformare._process_lock import ProcessLock
from conformare._run_writer import RunRecord, RunWriter
from conformare_schemas import CONFIG_VARIABLE, environment_variable

Destination = Mapping[str, Any] | RunWriter | Callable[[RunRecord], object]


def _make_writer(config: Mapping[str, Any]) -> RunWriter:
    # The writers take a third of a second to import: not before one is wanted.
    with fork_guard.whole:
        from conformare.writers import make_writer

    return make_writer(config)


def _is_set(option: str) -> bool:
    """Whether the environment or the configuration file has an option.

    Raises:
        StoreConfigurationError: The file cannot be used.
    """
    is_of_environment = bool(os.environ.get(environment_variable(option), "").strip())
    if is_of_environment or CONFIG_VARIABLE not in os.environ:
        return is_of_environment
    with fork_guard.whole:
        from conformare_schemas.settings import SettingsError, config_file
    try:
        file = config_file()
    except SettingsError as exc:
        raise StoreConfigurationError(str(exc)) from exc
    return file is not None and option in file.values


class _Stores:
    """The stores of this process: what `configure_store` named last, and every other `dest`."""

    def __init__(self) -> None:
        self._lock = ProcessLock()
        self._writer: RunWriter | None = None
        self.config: Mapping[str, Any] | None = None
        """What `configure_store` was given."""
        self.configurations = 0
        """How often the store was replaced."""
        self.records = 0
        """How often something was recorded."""
        self._destinations: list[tuple[Mapping[str, Any], RunWriter]] = []

    def configured(self) -> RunWriter:
        with self._lock:
            if self._writer is None:
                if not _is_set("writer"):
                    raise StoreNotConfiguredError(
                        "no store is configured: call conformare.configure_store(writer=...) "
                        f"first, pass dest=..., or set {environment_variable('writer')}"
                    )
                self._writer = _make_writer({})
            return self._writer

    @property
    def may_warn(self) -> bool:
        """Whether a store was named, here or, with `warn_on_source`, outside."""
        if self._writer is not None:
            return True
        try:
            return _is_set("writer") and _is_set("warn_on_source")
        except StoreConfigurationError:
            return False  # a read is none of its business: the next record tells of it

    def replace(
        self, writer: RunWriter | None, config: Mapping[str, Any] | None = None
    ) -> tuple[RunWriter | None, Mapping[str, Any] | None]:
        """Replace the writer, and return the one that was there, with its configuration."""
        with self._lock:
            before = self._writer, self.config
            self._writer, self.config = writer, config
            self.configurations += 1
            return before

    def for_destination(self, config: Mapping[str, Any]) -> RunWriter:
        """The writer of a `dest`; the same for the same one, for a Kafka client is to be kept."""
        with self._lock:
            for known, writer in self._destinations:
                if known == config:
                    return writer
            writer = _make_writer(config)
            self._destinations.append((dict(config), writer))
            return writer


_stores = _Stores()


class _Shown(dict[str, Any]):
    """A configuration of which only the names are shown: its values may be secret."""

    def __repr__(self) -> str:
        return f"{{{', '.join(f'{name!r}: …' for name in self)}}}"


def get_store_config() -> dict[str, Any] | None:
    """Return a copy of the last arguments of `configure_store`, or None if it was not called.

    When printed, it shows only names, because values may be secret. The values are all there.
    """
    config = _stores.config
    if config is None:
        return None
    return _Shown(
        {name: _Shown(one) if isinstance(one, dict) else one for name, one in config.items()}
    )


def reset_store_config() -> None:
    """Forget the last `configure_store`, so that the environment decides again."""
    _stores.replace(None)


def configure_store(**config: Any) -> None:
    """Configure where this process records its runs. A later call replaces the whole configuration.

    Args:
        **config: `writer` ("kafka", "spark_table", "json", "parquet", "none" or a function) and the
            options of that writer. With `warn_on_source=True`, each captured read of a location
            that carries recorded risks warns, once. Missing options come from
            `CONFORMARE_<NAME>`, or from the file that `CONFORMARE_CONFIG` names.

    Raises:
        StoreConfigurationError: The writer or an option is unknown or does not fit.
    """
    _stores.replace(_make_writer(config), dict(config))


@contextmanager
def recording_into(writer: RunWriter) -> Iterator[None]:
    """Record the runs of a block into a writer, in place of the configured store.

    Args:
        writer: An object with `write(record)`.
    """
    before = _stores.replace(writer)
    try:
        yield
    finally:
        _stores.replace(*before)


def writer_for(dest: Destination | None) -> RunWriter:
    """Return the writer of a destination, or of the configured store where there is none.

    Raises:
        StoreNotConfiguredError: There is neither.
        StoreConfigurationError: `dest` is a configuration that does not fit.
        TypeError: `dest` is of another kind.
    """
    return _stores.configured() if dest is None else _writer_of(dest)


def record_into(writer: RunWriter, record: RunRecord) -> None:
    """Hand a record to a writer, and count it."""
    writer.write(record)
    _stores.records += 1


def state_of_stores() -> tuple[int, int] | None:
    """Return how often the store was replaced and something recorded; None where none may warn."""
    return (_stores.configurations, _stores.records) if _stores.may_warn else None


def _writer_of(dest: Destination) -> RunWriter:
    if isinstance(dest, Mapping):
        return _stores.for_destination(dest)
    if hasattr(dest, "write"):
        return dest
    if callable(dest):
        return _make_writer({"writer": dest})
    raise TypeError(
        "dest must be a configuration, an object with write(record), or a function, "
        f"not {type(dest).__name__}"
    )
