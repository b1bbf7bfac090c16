"""The calls of `conformare.fleet` over rows by grain; each is a question put into plain rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from conformare._errors import FleetError
from conformare.fleet._config import ReadPlace, read_place
from conformare.fleet._fleet import Filters, Fleet, run_key
from conformare.fleet._tables import Tables, as_recorded, store_of, timed_row, with_texts_of_times
from conformare.fleet.questions import carried_risks, drift
from conformare.fleet.stores import Row, open_store, order_of
from conformare_schemas import GRAINS

_Tables = Mapping[str, list[Row]]


def read_store(
    config: str | Path | Mapping[str, Any], grains: Iterable[str] | None = None
) -> Tables:
    """Return the rows of a store by grain. Each grain is read when you first use it.

    Example:
        >>> tables = read_store("s3://bucket/lake")  # doctest: +SKIP
        >>> review_report(tables, "flight_delays")  # doctest: +SKIP

    Args:
        config: A lake, or a folder of the json or parquet writer; or the keywords of
            `configure_store` by which runs were recorded there.
        grains: Which grains; all when not given.

    Raises:
        FleetError: Nothing is there, or it cannot be read.
        StoreConfigurationError: The configuration does not fit.
        ValueError: A grain is unknown.
    """
    place = read_place(config) if isinstance(config, Mapping) else ReadPlace(str(config))
    chosen = GRAINS if grains is None else tuple(grains)
    if unknown := sorted(set(chosen) - set(GRAINS)):
        raise ValueError(f"unknown grain {unknown[0]!r}; the grains are {', '.join(GRAINS)}")
    return Tables(open_store(place.place, table_prefix=place.table_prefix), chosen)


def review_report(tables: _Tables, pipeline: str | None = None) -> list[Row]:
    """Return every drift: a context's code changed between two runs, but its risks did not.

    Contexts of the same label in one run are not compared with each other.

    Args:
        tables: From `read_store` or `merge_records`.
        pipeline: Of this pipeline alone.

    Returns:
        A row for each, newest first: `pipeline`, `env`, `context_label`, `from_run`, `to_run`,
        `from_ts`, `to_ts`, `from_impl_hash`, `to_impl_hash`, `risk_hash`, `has_risks`, `risk_ids`,
        `git_sha`, `owners`, and `is_open`, which is False where the risks have changed since or
        somebody has acknowledged it.
    """
    found = drift(Fleet(store_of(tables)), Filters(pipeline=pipeline), open_only=False)
    return [
        {
            **with_texts_of_times(asdict(one)),
            "risk_ids": list(one.risk_ids),
            "owners": list(one.owners),
        }
        for one in found
    ]


def last_healthy_run(tables: _Tables, pipeline: str | None = None) -> Row | None:
    """Return the newest run with status healthy, or None.

    The status is the run's own: a run without checks may be healthy too.

    Args:
        tables: From `read_store` or `merge_records`.
        pipeline: Of this pipeline alone.
    """
    store = store_of(tables)
    healthy = [
        run for run in store.last_healthy(evaluated=False) if pipeline in (None, run["pipeline"])
    ]
    if not healthy:
        return None
    newest = max(healthy, key=lambda run: (*order_of(run), run["pipeline"]))
    (run,) = store.rows_of("runs", [run_key(newest)])
    return as_recorded(run, "runs")


def owner_pipelines(tables: _Tables) -> list[Row]:
    """Return what each owner owns, by the newest runs.

    Args:
        tables: From `read_store` or `merge_records`.

    Returns:
        A row for each owner: `owner`, `pipelines` and `refs`, written `scope:ref`, both sorted.
    """
    pipelines: dict[str, set[str]] = defaultdict(set)
    refs: dict[str, set[str]] = defaultdict(set)
    for key, rows in Fleet(store_of(tables)).rows("owners").items():
        for row in rows:
            pipelines[row["owner"]].add(key.pipeline)
            refs[row["owner"]].add(f"{row['scope']}:{row['ref']}")
    return [
        {"owner": owner, "pipelines": sorted(pipelines[owner]), "refs": sorted(refs[owner])}
        for owner in sorted(pipelines)
    ]


def sinks_as_of(tables: _Tables, pipeline: str, ts: str | datetime) -> list[Row]:
    """Return the sinks of a pipeline's newest run at a time.

    Args:
        tables: From `read_store` or `merge_records`.
        pipeline: Whose.
        ts: The time, itself included: a datetime, or a text in ISO 8601.

    Returns:
        Rows of `sinks`; none where the pipeline had no run then.
    """
    store = store_of(tables)
    runs = store.history(pipeline, until=timed_row({"ts": ts})["ts"], limit=1)
    rows = store.rows_of("sinks", [run_key(run) for run in runs])
    return [as_recorded(row, "sinks") for row in rows]


def upstream_risks(tables: _Tables, locations: str | Iterable[str] | None) -> list[dict[str, Any]]:
    """Return the risks that some locations carry, as of the newest runs.

    Args:
        tables: From `read_store` or `merge_records`.
        locations: One, or several, in any spelling; None for every place that carries a risk.

    Returns:
        A row for each location: `location`, `n_risks`, how many are `direct`, `indirect`,
        `process` and `static`, their `distances`, and `risks`, most severe first.
    """
    asked = [locations] if isinstance(locations, str) else locations
    found = carried_risks(Fleet(store_of(tables)), asked)
    return [
        {
            "location": location,
            "n_risks": len(risks),
            **{
                kind: sum(risk.kind == kind for risk in risks)
                for kind in ("direct", "indirect", "process", "static")
            },
            "distances": sorted({r.distance for r in risks if r.distance is not None}),
            "risks": [
                {
                    **asdict(risk),
                    "owners": list(risk.owners),
                    "seen_in": list(risk.seen_in),
                    "static": risk.kind == "static",
                }
                for risk in risks
            ],
        }
        for location, risks in found.items()
    ]


def to_html(
    tables: _Tables,
    path: str | Path | None = None,
    *,
    title: str = "Fleet report",
    pipeline: str | None = None,
    upstream: Iterable[Mapping[str, Any]] | None = None,
) -> str:
    """Return a report of runs as one HTML file that needs no network and no other file.

    Example:
        >>> html = to_html(read_store("s3://bucket/lake"), "fleet.html")  # doctest: +SKIP

    Args:
        tables: From `read_store` or `merge_records`.
        path: Where to write it as well; None to write no file.
        title: Its heading.
        pipeline: Of this pipeline alone.
        upstream: From `upstream_risks`: the risks that are inherited from some locations.

    Raises:
        FleetError: The file cannot be written, there is no such pipeline, or a library is missing.
    """
    try:
        from conformare.fleet.page.report import report, write_file
    except ModuleNotFoundError as exc:
        raise FleetError(
            f'a report needs {exc.name}: pip install "conformare-stream[fleet]"'
        ) from exc
    html = report(
        Fleet(store_of(tables)),
        title=title,
        filters=Filters(pipeline=pipeline),
        upstream=None if upstream is None else list(upstream),
    )
    if path is not None:
        write_file(Path(path), html)
    return html
