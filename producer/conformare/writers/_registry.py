"""From a configuration to its writer: the one place that knows every writer by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from conformare._errors import StoreConfigurationError
from conformare._options import WriterOptions, given_writer, made_options, warn_of_secrets
from conformare._quoted import quoted
from conformare._run_writer import RunWriter
from conformare.emission import KafkaOptions, kafka_writer
from conformare.writers._files import JsonOptions, JsonWriter, ParquetOptions, ParquetWriter
from conformare.writers._simple import CallableOptions, CallableWriter, NoneOptions, NoneWriter
from conformare.writers._spark_table import SparkTableOptions, SparkTableWriter

DEFAULT_WRITER = "spark_table"


class _Kind(NamedTuple):
    options: type[WriterOptions]
    writer: Callable[[Any], RunWriter]


_KINDS: dict[str, _Kind] = {
    "kafka": _Kind(KafkaOptions, kafka_writer),
    "spark_table": _Kind(SparkTableOptions, SparkTableWriter),
    "json": _Kind(JsonOptions, JsonWriter),
    "parquet": _Kind(ParquetOptions, ParquetWriter),
    "callable": _Kind(CallableOptions, CallableWriter),
    "none": _Kind(NoneOptions, NoneWriter),
}


SETTINGS = (WriterOptions, *(kind.options for kind in _KINDS.values()))
"""The options of every writer."""

_made: WeakKeyDictionary[object, WriterOptions] = WeakKeyDictionary()


def make_writer(config: Mapping[str, Any]) -> RunWriter:
    """Make the writer that a configuration describes.

    Args:
        config: Keywords of `configure_store`. What is not given is taken from the environment,
            `CONFORMARE_<NAME>`, a structured value as JSON, else from the configuration file.

    Raises:
        StoreConfigurationError: The writer is unknown, or an option of it is unknown, missing or
            does not fit.
    """
    options = writer_options(config)
    warn_of_secrets()
    writer = _KINDS[options.writer].writer(options)
    _made[writer] = options
    return writer


def options_of(writer: object) -> WriterOptions | None:
    """Return the options that a writer was made of; None for one that was not made here."""
    try:
        return _made.get(writer)
    except TypeError:  # of a kind that nobody can keep in mind
        return None


def writer_options(config: Mapping[str, Any]) -> WriterOptions:
    """Return the options of the writer that a configuration describes; no writer is made.

    Args:
        config: As `make_writer` takes it.

    Raises:
        StoreConfigurationError: As `make_writer` raises it.
    """
    name = config.get("writer") or given_writer() or DEFAULT_WRITER
    if callable(name):
        config = {**config, "writer": "callable", "function": name}
        name = "callable"
    kind = _KINDS.get(name) if isinstance(name, str) else None
    if kind is None:
        raise StoreConfigurationError(
            f"unknown writer {quoted(name)}; the writers are {', '.join(sorted(_KINDS))}, "
            "or any function that takes the record"
        )
    return made_options(kind.options, name, config)
