"""From a run's rows to the two events of OpenLineage: that it began, and how it ended."""

from __future__ import annotations

import json
import re
import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from openlineage.client.event_v2 import (
    InputDataset,
    Job,
    OutputDataset,
    Run,
    RunEvent,
    RunState,
    set_producer,
)
from openlineage.client.facet_v2 import (
    data_quality_assertions_dataset,
    datasource_dataset,
    error_message_run,
    job_type_job,
    ownership_job,
    processing_engine_run,
    schema_dataset,
    storage_dataset,
    tags_run,
    test_run,
)

from conformare.capture.declared._data import DECLARED
from conformare.openlineage import _facets as facets
from conformare.openlineage._names import NAMESPACE_LENGTH, DatasetName, dataset_names
from conformare.openlineage._published import producer
from conformare_schemas import RUN_GRAINS, table_columns

INTEGRATION = "CONFORMARE"
JOB_TYPE = "JOB"
"""Marquez refuses an event whose job has no such type."""
UNKNOWN = "unknown"
"""The version of an engine and the type of a column, which no record has.

A facet must have a version. Without types, Marquez adds a dataset's columns again with each run.
"""

_RUN_IDS = uuid.UUID("5b8f6a44-5f0e-5d0c-9a41-3f2d8c0b7e21")
"""The namespace of our runs' UUIDs. It never changes: what was sent is found again by it."""
_STORAGE_LAYERS = ("delta", "iceberg")
_URI = re.compile(r"[A-Za-z][\w+.-]*://[\w.@:,;=+/-]+", re.ASCII)
"""A namespace that is a URI; a bucket may have names that are none, and receivers refuse those."""

Row = dict[str, Any]


def openlineage_run_id(pipeline: str, run_id: str) -> uuid.UUID:
    """Return the UUID by which OpenLineage knows a run: version 5, of its pipeline and its run_id.

    It is the same whenever it is asked for, so a run that is sent twice is one run. One job may
    record several pipelines under one run_id: they are several runs.
    """
    return uuid.uuid5(_RUN_IDS, json.dumps([pipeline, run_id]))


@dataclass(frozen=True)
class Naming:
    """What OpenLineage calls things that a record does not name.

    Attributes:
        namespace: Of the jobs; the environment of a run follows behind a full stop.
        tables: Namespace of the tables of a catalog, such as `hive://metastore:9083`.
    """

    namespace: str
    tables: str


@dataclass(frozen=True)
class RunEvents:
    """The events of one run, in the order in which they are to be sent.

    Attributes:
        run: Its UUID.
        label: What to call it to a person.
        key: What keeps the events of one job in order: a key of messages.
        events: The events.
    """

    run: uuid.UUID
    label: str
    key: str
    events: tuple[RunEvent, ...]


def run_events(rows: Mapping[str, Sequence[Row]], naming: Naming) -> RunEvents:
    """Return the events of a run.

    Args:
        rows: Grain → the run's rows, one of them in `runs`.
        naming: What to call its job and the tables of catalogs.
    """
    set_producer(producer())
    (recorded,) = rows["runs"]
    identity = openlineage_run_id(recorded["pipeline"], recorded["run_id"])
    rows = {grain: [_filled(grain, row) for row in rows[grain]] for grain in RUN_GRAINS}
    (run,) = rows["runs"]
    at = _moment(run["ts"])
    namespace = f"{naming.namespace}.{run['env']}" if run["env"] else naming.namespace
    namespace = namespace[:NAMESPACE_LENGTH]
    job = Job(namespace, run["pipeline"], facets=_job_facets(rows))
    began = RunEvent(
        eventTime=at,
        eventType=RunState.START,
        run=Run(str(identity), facets=_engine(run)),
        job=job,
    )
    ended = RunEvent(
        eventTime=at,
        eventType=RunState.FAIL if run["status"] == "failed" else RunState.COMPLETE,
        run=Run(str(identity), facets=_run_facets(rows)),
        job=job,
        inputs=_inputs(rows, naming.tables),
        outputs=_outputs(rows, naming.tables),
    )
    return RunEvents(
        run=identity,
        label=f"{run['pipeline']} {run['run_id']}",
        key=f"run:{namespace}/{run['pipeline']}",
        events=(began, ended),
    )


def _filled(grain: str, row: Row) -> Row:
    """Return a row with empty lists and maps where a table has null, and as receivers can hold it."""
    empty: dict[str, Any] = {
        column.name: {} if column.sql_type.startswith("MAP") else []
        for column in table_columns(grain)
        if column.sql_type.startswith(("ARRAY", "MAP")) and row[column.name] is None
    }
    return {name: _storable(value) for name, value in {**row, **empty}.items()}


def _storable(value: Any) -> Any:
    """Return a value without the sign NUL, which Postgres, and so Marquez, cannot hold."""
    if isinstance(value, str):
        return value.replace("\0", "\N{REPLACEMENT CHARACTER}")
    if isinstance(value, list):
        return [_storable(one) for one in value]
    if isinstance(value, dict):
        return {_storable(name): _storable(one) for name, one in value.items()}
    return value


def _moment(ts: datetime) -> str:
    return f"{ts.astimezone(timezone.utc).replace(tzinfo=None).isoformat()}Z"


def _job_facets(rows: Mapping[str, Sequence[Row]]) -> dict[str, Any]:
    is_stream = any(source["reader"].endswith("readStream") for source in rows["sources"])
    found: dict[str, Any] = {
        "jobType": job_type_job.JobTypeJobFacet(
            processingType="STREAMING" if is_stream else "BATCH",
            integration=INTEGRATION,
            jobType=JOB_TYPE,
        )
    }
    owners = dict.fromkeys((row["owner"], row["role"]) for row in rows["owners"])
    if owners:
        found["ownership"] = ownership_job.OwnershipJobFacet(
            owners=[ownership_job.Owner(name=name, type=role) for name, role in owners]
        )
    return found


def _engine(run: Row) -> dict[str, Any]:
    engines = [name for name in run["backends"] if name != DECLARED]
    return {
        "processing_engine": processing_engine_run.ProcessingEngineRunFacet(
            version=UNKNOWN,
            name=engines[0] if engines else "python",
            openlineageAdapterVersion=run["conformare_version"],
        )
    }


def _run_facets(rows: Mapping[str, Sequence[Row]]) -> dict[str, Any]:
    (run,) = rows["runs"]
    found = {**_engine(run), facets.RECORD: facets.record_facet(run)}
    if run["tags"]:
        found["tags"] = tags_run.TagsRunFacet(
            tags=[
                tags_run.TagsRunFacetFields(key=name, value=value, source=INTEGRATION)
                for name, value in sorted(run["tags"].items())
            ]
        )
    if rows["risks"]:
        found[facets.RISKS] = facets.risks_facet([*rows["risks"]])
    if rows["contexts"]:
        found[facets.CONTEXTS] = facets.contexts_facet([*rows["contexts"]])
    if rows["expectations"]:
        found["test"] = test_run.TestRunFacet(tests=[_test(row) for row in rows["expectations"]])
    if run["status"] == "failed":
        failed = run["ge_failed_hard"]
        noun = "expectation" if failed == 1 else "expectations"
        found["errorMessage"] = error_message_run.ErrorMessageRunFacet(
            message=f"{failed} hard {noun} did not hold", programmingLanguage="PYTHON"
        )
    return found


def _severity(expectation: Row) -> str:
    """Return what a failure does: an expectation that is hard fails the run."""
    return "error" if expectation["hard"] else "warn"


def _test(row: Row) -> test_run.TestExecution:
    status = {True: "pass", False: "fail", None: "skip"}[row["success"]]
    return test_run.TestExecution(
        name=row["expectation"],
        status=status,
        severity=_severity(row),
        type=row["expectation"],
        description=row["error"],
        actual=row["observed"],
        params={name: row[name] for name in ("node", "column") if row[name]},
    )


def _inputs(rows: Mapping[str, Sequence[Row]], tables: str) -> list[InputDataset]:
    checks = defaultdict(list)
    for row in rows["expectations"]:
        # One that could not be evaluated has neither held nor failed: it is among the run's tests.
        if row["success"] is not None:
            checks[row["node"]].append(row)
    found = []
    for name, sources in _by_dataset(rows["sources"], "location", tables).items():
        asserted = [row for source in sources for row in checks.get(source["node"], ())]
        of_input: dict[str, Any] = (
            {"dataQualityAssertions": _assertions(asserted)} if asserted else {}
        )
        found.append(
            InputDataset(*name, facets=_dataset_facets(name, sources), inputFacets=of_input)
        )
    return found


def _assertions(
    rows: Iterable[Row],
) -> data_quality_assertions_dataset.DataQualityAssertionsDatasetFacet:
    return data_quality_assertions_dataset.DataQualityAssertionsDatasetFacet(
        assertions=[
            data_quality_assertions_dataset.Assertion(
                assertion=row["expectation"],
                success=row["success"],
                column=row["column"],
                severity=_severity(row),
                actual=row["observed"],
                params=None,
            )
            for row in rows
        ]
    )


def _outputs(rows: Mapping[str, Sequence[Row]], tables: str) -> list[OutputDataset]:
    reaching = _by_dataset(rows["sink_risks"], "sink_location", tables)
    found = []
    for name, sinks in _by_dataset(rows["sinks"], "location", tables).items():
        n_sensitive = max(sink["n_sensitive"] for sink in sinks)
        of_output = _dataset_facets(name, sinks)
        if name in reaching or n_sensitive:
            of_output[facets.RISKS] = facets.reaching_risks_facet(
                reaching.get(name, []), n_sensitive
            )
        found.append(OutputDataset(*name, facets=of_output))
    return found


def _by_dataset(rows: Iterable[Row], location: str, tables: str) -> dict[DatasetName, list[Row]]:
    """Return rows by the datasets that they are about: a read of several paths is about several."""
    found: dict[DatasetName, list[Row]] = defaultdict(list)
    for row in rows:
        for name in dataset_names(row[location], tables):
            found[name].append(row)
    return found


def _dataset_facets(name: DatasetName, rows: Sequence[Row]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    named = dict.fromkeys(column for row in rows for column in row["columns"])
    columns = [column for column in named if column.strip()]  # a CSV file may leave names out
    if columns:
        found["schema"] = schema_dataset.SchemaDatasetFacet(
            fields=[
                schema_dataset.SchemaDatasetFacetFields(name=one, type=UNKNOWN, fields=None)
                for one in columns
            ]
        )
    if _URI.fullmatch(name.namespace):
        found["dataSource"] = datasource_dataset.DatasourceDatasetFacet(
            name=name.namespace, uri=name.namespace
        )
    layer = next((row["format"] for row in rows if row["format"] in _STORAGE_LAYERS), None)
    if layer is not None:
        found["storage"] = storage_dataset.StorageDatasetFacet(storageLayer=layer)
    return found
