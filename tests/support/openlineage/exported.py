"""Events of runs that are made up, and of one that has everything."""

from __future__ import annotations

from datetime import datetime, timezone
from random import Random
from typing import Any

from openlineage.client.serde import Serde

from conformare.fleet.stores import RunKey
from conformare.openlineage import Naming, run_events
from conformare_schemas import GRAINS, RUN_GRAINS
from support.fleet.history import row
from support.fleet.invented import Emission, Invention

NAMING = Naming(namespace="conformare", tables="catalog")
TS = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
KEY = {"run_id": "nightly-1", "pipeline": "orders", "ts": TS, "emission_id": "e1"}


def whole_emissions(seed: int, count: int) -> list[Emission]:
    """Return made-up runs that have landed whole, each once."""
    made = Invention(Random(seed), pipelines=12).emissions(count)  # noqa: S311 - no secrets
    for one in made:
        for risk in one.tables["risks"]:
            risk["governance"] = "high"
    landed = {RunKey(run["pipeline"], run["run_id"]): one for one in made if (run := one.run)}
    return list(landed.values())


def events_of(emission: Emission, naming: Naming = NAMING) -> list[Any]:
    """Return the events of a made-up run, as values that JSON knows."""
    of_run = emission.run
    assert of_run is not None
    rows = {
        grain: [
            one for one in emission.tables[grain] if one["emission_id"] == of_run["emission_id"]
        ]
        for grain in RUN_GRAINS
    }
    return [Serde.to_dict(event) for event in run_events(rows, naming).events]


def full_emission(**run: Any) -> Emission:
    """Return a run that has rows in every grain, and all fields of the run."""
    fields = {
        "schema_version": 2,
        "conformare_version": "0.1.0",
        "title": "Nightly",
        "status": "failed",
        "env": "prod",
        "git_sha": "0a1b2c",
        "tags": {"team": "shop", "dag_id": "nightly"},
        "report_uri": "https://host/report",
        "backends": ["declared", "spark"],
        "risks_total": 1,
        "ge_evaluated": 3,
        "ge_failed": 1,
        "ge_failed_hard": 1,
        **run,
    }
    tables: dict[str, list[dict[str, Any]]] = {grain: [] for grain in GRAINS}
    tables["runs"] = [row("runs", **KEY, **fields)]
    tables["contexts"] = [
        row(
            "contexts",
            **KEY,
            context_label="clean",
            purpose="to count once",
            definition_owner="bo",
            impl_hash="i1",
            risk_hash="r1",
            n_steps=3,
            risk_ids=["quality.duplicates"],
        )
    ]
    tables["risks"] = [
        row(
            "risks",
            **KEY,
            risk_id="quality.duplicates",
            label="Rows occur more than once",
            category="Data Quality",
            severity="high",
            governance="low",
            mitigated=True,
            owned=True,
            owners=["ana"],
            mitigations=["deduplicated"],
            nodes=["clean"],
            n_occurrences=2,
        )
    ]
    tables["sources"] = [
        row(
            "sources",
            **KEY,
            node="orders",
            location="s3://shop/raw/orders",
            format="delta",
            reader="spark.read",
            columns=["id", "email"],
        )
    ]
    tables["sinks"] = [
        row(
            "sinks",
            **KEY,
            node="daily",
            location="sales.daily",
            format="delta",
            writer="spark",
            columns=["day", "email"],
            n_sensitive=1,
        )
    ]
    tables["expectations"] = [
        row(
            "expectations",
            **KEY,
            node=node,
            expectation=expectation,
            column=column,
            success=success,
            hard=hard,
            severity="critical",
            observed=observed,
            error=error,
        )
        for node, expectation, column, success, hard, observed, error in (
            ("orders", "not_null", "id", False, True, "3", None),
            ("orders", "unique", "id", None, False, None, "no such column"),
            ("clean", "row_count", None, True, False, "10", None),
        )
    ]
    tables["owners"] = [
        row("owners", **KEY, owner="ana", scope="risk", ref="x", role="risk_mitigation"),
        row("owners", **KEY, owner="ana", scope="risk", ref="y", role="risk_mitigation"),
        row("owners", **KEY, owner="bo", scope="context", ref="clean", role="context_owner"),
    ]
    tables["sink_risks"] = [
        row(
            "sink_risks",
            **KEY,
            sink_node="daily",
            sink_location="sales.daily",
            risk_id="quality.duplicates",
            label="Rows occur more than once",
            severity="high",
            owners=["ana"],
            mitigated=True,
            kind="indirect",
            distance=2,
            context_label="clean",
        )
    ]
    return Emission(tables)
