"""Events of runs: what stands in them, and that others can read them."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from support.openlineage.classes import require_known
from support.openlineage.exported import events_of, full_emission, whole_emissions
from support.openlineage.specification import (
    BASE,
    OURS,
    STAND_IN,
    Schemas,
    our_schemas,
)

from conformare.openlineage import Naming, openlineage_run_id, schema_url

BELOW = "_producer", "_schemaURL"


def bare(value: Any) -> Any:
    """A value without what every facet has."""
    if isinstance(value, dict):
        return {name: bare(one) for name, one in value.items() if name not in BELOW}
    return [bare(one) for one in value] if isinstance(value, list) else value


def ended(**run: Any) -> dict[str, Any]:
    """The last event of a run that has everything."""
    event: dict[str, Any] = events_of(full_emission(**run))[-1]
    return event


def test_a_run_begins_and_ends() -> None:
    """With one identity, at its one time."""
    began, finished = events_of(full_emission(status="healthy"))
    assert (began["eventType"], finished["eventType"]) == ("START", "COMPLETE")
    assert began["eventTime"] == finished["eventTime"] == "2026-01-02T03:04:05Z"
    assert began["run"]["runId"] == finished["run"]["runId"]
    assert began["job"] == finished["job"]
    assert (began["inputs"], began["outputs"]) == ([], [])


def test_a_failed_run_fails_and_says_why() -> None:
    """A degraded one has completed."""
    assert ended()["eventType"] == "FAIL"
    assert bare(ended()["run"]["facets"]["errorMessage"]) == {
        "message": "1 hard expectation did not hold",
        "programmingLanguage": "PYTHON",
    }
    degraded = ended(status="degraded")
    assert degraded["eventType"] == "COMPLETE"
    assert degraded["run"]["facets"]["conformare_record"]["status"] == "degraded"


def test_the_uuid_of_a_run_never_changes() -> None:
    """It is known to the tools that were sent it; a run_id alone is not one run."""
    assert openlineage_run_id("orders", "nightly-1") == uuid.UUID(
        "36d04dc5-0b2c-5707-a8a4-ecd29e1b0f0e"
    )
    assert openlineage_run_id("orders", "1") != openlineage_run_id("returns", "1")
    assert openlineage_run_id("a", "b\0c") != openlineage_run_id("a\0b", "c")


def test_environments_are_jobs_of_their_own() -> None:
    """As they are for the fleet."""
    assert ended()["job"]["namespace"] == "conformare.prod"
    assert ended(env=None)["job"]["namespace"] == "conformare"
    named = events_of(full_emission(), Naming(namespace="shop", tables="catalog"))[0]["job"]
    assert (named["namespace"], named["name"]) == ("shop.prod", "orders")


def test_owners_are_those_of_the_job() -> None:
    """Each once in each role."""
    assert bare(ended()["job"]["facets"]["ownership"])["owners"] == [
        {"name": "ana", "type": "risk_mitigation"},
        {"name": "bo", "type": "context_owner"},
    ]


def test_a_source_has_its_columns_and_what_was_expected_of_it() -> None:
    """One that could not be evaluated is neither: it is a test that was skipped."""
    (source,) = bare(ended()["inputs"])
    assert (source["namespace"], source["name"]) == ("s3://shop", "raw/orders")
    assert source["facets"]["schema"]["fields"] == [
        {"name": "id", "type": "unknown"},
        {"name": "email", "type": "unknown"},
    ]
    assert source["facets"]["storage"] == {"storageLayer": "delta"}
    assert source["inputFacets"]["dataQualityAssertions"]["assertions"] == [
        {
            "assertion": "not_null",
            "column": "id",
            "success": False,
            "severity": "error",
            "actual": "3",
        }
    ]
    tests = bare(ended()["run"]["facets"]["test"]["tests"])
    assert [(one["name"], one["status"], one["severity"]) for one in tests] == [
        ("not_null", "fail", "error"),
        ("unique", "skip", "warn"),
        ("row_count", "pass", "warn"),
    ]


def test_a_sink_has_the_risks_that_reach_it() -> None:
    """And how many of its columns are sensitive."""
    (sink,) = bare(ended()["outputs"])
    assert (sink["namespace"], sink["name"]) == ("catalog", "sales.daily")
    assert sink["facets"]["conformare_risks"] == {
        "sensitiveColumns": 1,
        "risks": [
            {
                "riskId": "quality.duplicates",
                "label": "Rows occur more than once",
                "severity": "high",
                "owners": ["ana"],
                "mitigated": True,
                "kind": "indirect",
                "distance": 2,
                "context": "clean",
            }
        ],
    }


def test_the_run_has_its_record_risks_contexts_and_tags() -> None:
    """What OpenLineage has no word for stands in facets of ours."""
    found = bare(ended()["run"]["facets"])
    assert found["conformare_record"] == {
        "runId": "nightly-1",
        "status": "failed",
        "title": "Nightly",
        "counts": {"risksTotal": 1, "geEvaluated": 3, "geFailed": 1, "geFailedHard": 1},
        "conformareVersion": "0.1.0",
        "env": "prod",
        "gitSha": "0a1b2c",
        "reportUri": "https://host/report",
    }
    assert [one["riskId"] for one in found["conformare_risks"]["risks"]] == ["quality.duplicates"]
    assert found["conformare_contexts"]["contexts"][0]["implHash"] == "i1"
    assert [(one["key"], one["value"]) for one in found["tags"]["tags"]] == [
        ("dag_id", "nightly"),
        ("team", "shop"),
    ]
    assert found["processing_engine"]["name"] == "spark"


def test_a_stream_is_told_by_its_reader() -> None:
    """Everything else is a batch."""
    emission = full_emission()
    assert events_of(emission)[0]["job"]["facets"]["jobType"]["processingType"] == "BATCH"
    emission.tables["sources"][0]["reader"] = "spark.readStream"
    job = events_of(emission)[0]["job"]
    assert job["facets"]["jobType"]["processingType"] == "STREAMING"


def test_a_job_has_all_that_marquez_asks_for() -> None:
    """It refuses an event whose job has a type in part."""
    for event in events_of(full_emission()):
        assert bare(event["job"]["facets"]["jobType"]) == {
            "processingType": "BATCH",
            "integration": "CONFORMARE",
            "jobType": "JOB",
        }


def test_what_a_receiver_cannot_hold_is_left_out() -> None:
    """A column without a name, an address that is none, an endless namespace, and the sign NUL."""
    emission = full_emission(env="e" * 2_000)
    for rows in emission.tables.values():
        for one in rows:
            one["run_id"] = "nightly\0"
    (source,) = emission.tables["sources"]
    source.update(location="s3://my bucket/raw", columns=["", " ", "id"])
    (sink,) = emission.tables["sinks"]
    sink["location"] = f"s3://{'b' * 2_000}/x"
    emission.tables["runs"][0]["tags"] = {"a\0": "b\0"}
    event = events_of(emission)[-1]
    (read,), (written,) = event["inputs"], event["outputs"]
    assert [one["name"] for one in read["facets"]["schema"]["fields"]] == ["id"]
    assert "dataSource" not in read["facets"]
    assert len(event["job"]["namespace"]) == len(written["namespace"]) == 1_024
    assert bare(event["run"]["facets"]["tags"]["tags"]) == [
        {
            "key": "a\N{REPLACEMENT CHARACTER}",
            "value": "b\N{REPLACEMENT CHARACTER}",
            "source": "CONFORMARE",
        }
    ]
    run = emission.tables["runs"][0]
    assert event["run"]["runId"] == str(openlineage_run_id(run["pipeline"], run["run_id"]))


def test_the_events_are_the_same_each_time() -> None:
    """A run that is sent twice is one run."""
    first, second = (events_of(full_emission()) for _ in range(2))
    assert json.dumps(first) == json.dumps(second)


@pytest.mark.parametrize("seed", range(3))
def test_their_classes_know_every_field(seed: int) -> None:
    """Of runs of any kind: what they make of an event is the event."""
    for emission in [full_emission(), *whole_emissions(seed, 60)]:
        for event in events_of(emission):
            require_known(event)


def test_our_facets_are_as_their_schemas_say() -> None:
    """And a facet that lacks something is not."""
    schemas = Schemas([STAND_IN, *our_schemas()])
    seen = 0
    for emission in [full_emission(), *whole_emissions(7, 60)]:
        for event in events_of(emission):
            seen += schemas.require_facets(event, known=[schema_url("")[: -len(".json#/$defs/")]])
    assert seen > 100
    facet = ended()["run"]["facets"]["conformare_record"]
    with pytest.raises(Exception, match="'status' is a required property"):
        schemas.require(
            {name: one for name, one in facet.items() if name != "status"}, facet["_schemaURL"]
        )


@pytest.mark.parametrize("name", OURS)
def test_a_schema_is_published_at_its_own_address(name: str) -> None:
    """It is in the repository, below a version that never changes."""
    (schema,) = (one for one in our_schemas() if name in one["$defs"])
    assert schema_url(name) == f"{schema['$id']}#/$defs/{name}"
    assert "/1-0-0/" in schema["$id"]
    ((key, held),) = schema["properties"].items()
    assert held == {"$ref": f"#/$defs/{name}"}
    assert key.startswith("conformare_")
    assert schema["$defs"][name]["allOf"][0]["$ref"].startswith(f"{BASE}#/$defs/")


def test_null_is_as_good_as_empty() -> None:
    """In tables of other writers, lists may be null."""
    emission = full_emission(tags=None, backends=None)
    for grain in ("risks", "sources", "sinks", "contexts", "sink_risks"):
        for one in emission.tables[grain]:
            one.update({name: None for name, value in one.items() if isinstance(value, list)})
    for event in events_of(emission):
        require_known(event)
