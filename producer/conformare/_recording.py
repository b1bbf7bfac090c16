"""Recording a run: build the record, hand it to the store's writer."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from conformare import _fork_guard as fork_guard
from conformare._errors import StoreConfigurationError, StoreNotConfiguredError
from conformare._process_lock import ProcessLock
from conformare._quoted import quoted
from conformare._run_writer import RunRecord, RunWriter
from conformare.capture import Risk, Store, risk
from conformare.capture import store as process_store
from conformare.record import (
    source_risk_record,
    to_run_record,
    validated_pipeline,
    validated_run_id,
)
from conformare_schemas import CONFIG_VARIABLE, environment_variable

Destination = Mapping[str, Any] | RunWriter | Callable[[RunRecord], object]

IF_RUN_EXISTS = ("append", "skip")


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
    if environment_variable(option) in os.environ or CONFIG_VARIABLE not in os.environ:
        return environment_variable(option) in os.environ
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


def record_run(
    pipeline: str,
    *,
    store: Store | None = None,
    dest: Destination | None = None,
    env: str | None = None,
    git_sha: str | None = None,
    tags: Mapping[str, Any] | None = None,
    report_uri: str | None = None,
    run_id: str | None = None,
    ts: datetime | str | None = None,
    title: str = "conformare run",
    if_run_exists: str = "append",
) -> str:
    """Record what this process captured as one run of a pipeline.

    With the Kafka writer, this neither waits for the broker nor raises because of it. The other
    writers are synchronous, and their errors reach the caller.

        cf.record_run("flight_delays", env="prod", git_sha="abc123", tags={"team": "ops"})

    Args:
        pipeline: Identity of the pipeline across its runs.
        store: What was captured; this process's own when not given.
        dest: Where to record, in place of the configured store: a configuration, an object with
            `write`, or a function that takes the record.
        env: Environment, such as "prod".
        git_sha: Commit of the pipeline's code.
        tags: Free attributes, for filtering.
        report_uri: Where the report of this run can be read.
        run_id: Identity of the run within its pipeline; a new UUIDv7 when not given.
        ts: When the run took place; now when not given.
        title: Title of the run.
        if_run_exists: "append", or "skip" to record nothing if the store already has the run.
            Either way, a run never changes: its first record wins.

    Returns:
        The run_id, also when nothing was recorded.

    Raises:
        ValueError: The pipeline is blank, or an argument does not fit.
        StoreNotConfiguredError: There is neither `dest` nor a configured store.
        StoreConfigurationError: `dest` is a configuration that does not fit.
        TypeError: `dest` is of another kind.
    """
    pipeline = validated_pipeline(pipeline)
    if if_run_exists not in IF_RUN_EXISTS:
        raise ValueError(
            f"if_run_exists must be one of {IF_RUN_EXISTS}, not {quoted(if_run_exists)}"
        )
    writer = writer_for(dest)
    may_skip = bool(run_id) and if_run_exists == "skip"
    run_id = validated_run_id(run_id)
    record = to_run_record(
        process_store if store is None else store,
        pipeline,
        env=env,
        git_sha=git_sha,
        tags=tags,
        report_uri=report_uri,
        run_id=run_id,
        ts=ts,
        title=title,
    )
    if not (may_skip and _has_run(writer, pipeline, run_id)):
        writer.write(record)
        _stores.records += 1
    return run_id


def record_source_risk(
    location: str | os.PathLike[str],
    *risks: str | Risk | risk | Iterable[str | Risk | risk],
    column: str | None = None,
    owner: str | None = None,
    mitigation: str | None = None,
    severity: str | None = None,
    note: str | None = None,
    context: str | None = None,
    author: str | None = None,
    ts: datetime | str | None = None,
    dest: Destination | None = None,
) -> RunRecord:
    """Declare risks that a location carries, whichever pipeline reads it.

        cf.record_source_risk("s3://lake/customers", "privacy.pii_exposure", column="email")

    A declaration belongs to no run, and each call adds to the store. With the Kafka writer, this
    neither waits for the broker nor raises because of it.

    Args:
        location: A path, a URL or the name of a table; it is recorded as captured reads and writes
            name it, without credentials.
        risks: Ids of the catalog or of your own, entries of the catalog, or `risk(...)`, which keeps
            what it says itself.
        column: Column that they are about; None for all of the location.
        owner: Who answers for them.
        mitigation: What is done about them.
        severity: low, medium, high or critical; the catalog's when not said.
        note: What else there is to say.
        context: Where or for what they matter, in your words.
        author: Who declares them.
        ts: When they are declared; now when not given.
        dest: Where to record, in place of the configured store, as for `record_run`.

    Returns:
        What was recorded: the grain `source_risks` → a row for each risk.

    Raises:
        ValueError: There is no location or no risk, or an argument does not fit.
        StoreNotConfiguredError: There is neither `dest` nor a configured store.
        StoreConfigurationError: `dest` is a configuration that does not fit.
        TypeError: `dest` is of another kind.
    """
    record = source_risk_record(
        location,
        risks,
        column=column,
        owner=owner,
        mitigation=mitigation,
        severity=severity,
        note=note,
        context=context,
        author=author,
        ts=ts,
    )
    writer_for(dest).write(record)
    _stores.records += 1
    return record


def writer_for(dest: Destination | None) -> RunWriter:
    """Return the writer of a destination, or of the configured store where there is none.

    Raises:
        StoreNotConfiguredError: There is neither.
        StoreConfigurationError: `dest` is a configuration that does not fit.
        TypeError: `dest` is of another kind.
    """
    return _stores.configured() if dest is None else _writer_of(dest)


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


def _has_run(writer: RunWriter, pipeline: str, run_id: str) -> bool:
    # Writers of the user's own need not know what they hold: such a run is recorded.
    look_up = getattr(writer, "has_run", None)
    return bool(look_up(pipeline, run_id)) if look_up else False
