"""Recording a run, or the risks of a source: build the record, hand it to a store."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from conformare._quoted import quoted
from conformare._run_writer import RunRecord, RunWriter
from conformare._stores import Destination, record_into, writer_for
from conformare.capture import Risk, Store, risk
from conformare.capture import store as process_store
from conformare.record import (
    source_risk_record,
    to_run_record,
    validated_pipeline,
    validated_run_id,
)

IF_RUN_EXISTS = ("append", "skip")


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
        record_into(writer, record)
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
    record_into(writer_for(dest), record)
    return record


def _has_run(writer: RunWriter, pipeline: str, run_id: str) -> bool:
    # Writers of the user's own need not know what they hold: such a run is recorded.
    look_up = getattr(writer, "has_run", None)
    return bool(look_up(pipeline, run_id)) if look_up else False
