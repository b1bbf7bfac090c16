"""Risks that a place carries, with the answer beside each small fleet."""

from __future__ import annotations

from typing import Any

import pytest
from support.fleet.small import declared, fleet_of, recorded

from conformare.fleet import Fleet, merge_records, upstream_risks
from conformare.fleet.questions import CarriedRisk, carried_risks

PLACE = "s3://lake/orders"


def brings(
    pipeline: str, *risks: dict[str, Any], day: int = 1, env: str | None = None
) -> dict[str, Any]:
    """A run whose sink has some risks."""
    return recorded(
        pipeline,
        f"{pipeline}-{day}",
        f"2026-02-0{day}",
        run={"env": env},
        sink_risks=[{"sink_node": "orders", "sink_location": PLACE, **one} for one in risks],
    )


def way(risk_id: str, kind: str, distance: int | None = None, **columns: Any) -> dict[str, Any]:
    """A way by which a risk comes to the sink."""
    told = {"risk_id": risk_id, "label": risk_id, "severity": "medium", "context_label": "clean"}
    return {**told, "kind": kind, "distance": distance, **columns}


def carried(fleet: Fleet, location: str = PLACE) -> list[tuple[str, str, int | None]]:
    """Risk, kind and distance of what a place carries."""
    return [(r.risk_id, r.kind, r.distance) for r in carried_risks(fleet, [location])[location]]


def test_every_kind_of_risk_is_told_most_severe_first() -> None:
    """Of one severity, the strongest kind comes first."""
    fleet = fleet_of(
        brings(
            "ingest",
            way("a.process", "process"),
            way("b.indirect", "indirect", 2),
            way("c.direct", "direct", 0),
            way("d.critical", "process", severity="critical"),
        ),
        declared(PLACE, "e.static", "2026-01-01"),
        declared("s3://lake/other", "f.elsewhere", "2026-01-01"),
    )
    assert carried(fleet) == [
        ("d.critical", "process", None),
        ("c.direct", "direct", 0),
        ("b.indirect", "indirect", 2),
        ("a.process", "process", None),
        ("e.static", "static", None),
    ]
    assert carried(fleet, "s3a://lake/orders/") == carried(fleet)
    assert carried(fleet, "s3://lake/nowhere") == []
    assert set(carried_risks(fleet)) == {PLACE, "s3://lake/other"}


def test_a_risk_of_several_ways_is_told_once_and_hides_none_of_them() -> None:
    """As its most direct way has it; as severe and as open as its worst."""
    fleet = fleet_of(
        brings(
            "ingest",
            way("pii", "direct", 0, severity="low", mitigated=True, owners=["ana"]),
            way("pii", "indirect", 1, severity="high", mitigated=True, owners=["ana"]),
        ),
        brings("merge", way("pii", "indirect", 3, severity="critical", owners=["bob"])),
        declared(PLACE, "pii", "2026-01-01", author="cid", column="email", note="by hand"),
    )
    assert carried_risks(fleet, [PLACE])[PLACE] == [
        CarriedRisk(
            location=PLACE,
            risk_id="pii",
            label="pii",
            severity="critical",
            kind="direct",
            distance=0,
            owners=("ana", "bob"),
            mitigated=False,
            seen_in=("cid", "ingest", "merge"),
            context="clean",
        )
    ]


def test_the_newest_runs_bring_risks_and_not_all_history() -> None:
    """Each environment's; a late run is an old one."""
    fleet = fleet_of(
        brings("ingest", way("new", "direct", 0), day=3),
        brings("ingest", way("old", "direct", 0), day=2),
        brings("ingest", way("dev", "direct", 0), day=1, env="dev"),
    )
    assert carried(fleet) == [("dev", "direct", 0), ("new", "direct", 0)]


def test_the_last_declaration_of_a_place_a_column_and_a_risk_holds() -> None:
    """Whichever came first, and in whichever spelling."""
    fleet = fleet_of(
        declared(PLACE, "pii", "2026-01-03", severity="low", mitigation="hashed", owner="ana"),
        declared("s3a://lake/orders/", "pii", "2026-01-02", severity="critical"),
    )
    (risk,) = carried_risks(fleet, [PLACE])[PLACE]
    assert (risk.severity, risk.mitigated, risk.owners) == ("low", True, ("ana",))
    assert (risk.kind, risk.seen_in) == ("static", ("static",))


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (["email"], "email"),
        (["phone", "email"], "email, phone"),
        (["email", None], None),
    ],
)
def test_a_risk_that_is_declared_for_several_columns_names_them(
    columns: list[str | None], expected: str | None
) -> None:
    """None where it holds for all."""
    fleet = fleet_of(*(declared(PLACE, "pii", "2026-01-01", column=one) for one in columns))
    (risk,) = carried_risks(fleet, [PLACE])[PLACE]
    assert risk.column == expected


def test_the_call_counts_them() -> None:
    """A row for each location that was asked about, as it was written."""
    tables = merge_records(
        [
            brings(
                "ingest", way("a", "direct", 0), way("b", "indirect", 2), way("c", "indirect", 2)
            ),
            declared(PLACE, "d", "2026-01-01"),
        ]
    )
    risky, clean = upstream_risks(tables, ["S3://LAKE/orders", "s3://lake/clean"])
    assert (risky.pop("location"), [one["risk_id"] for one in risky.pop("risks")]) == (
        "S3://LAKE/orders",
        ["a", "b", "c", "d"],
    )
    counts = {"n_risks": 4, "direct": 1, "indirect": 2, "process": 0, "static": 1}
    assert risky == {**counts, "distances": [0, 2]}
    assert (clean["n_risks"], clean["risks"]) == (0, [])
    assert upstream_risks(tables, PLACE)[0]["n_risks"] == 4
