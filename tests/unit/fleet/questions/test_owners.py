"""Owners and open risks, with the answer beside each small fleet."""

from __future__ import annotations

from datetime import datetime, timezone

from support.fleet.small import fleet_of, owner, recorded, risk

from conformare.fleet import Filters, Fleet, merge_records, owner_pipelines
from conformare.fleet.questions import Owned, Owner, open_risks, owners

DAY = "2026-02-0{}"


def day(number: int) -> datetime:
    """Midnight of a day in February."""
    return datetime(2026, 2, number, tzinfo=timezone.utc)


def a_fleet() -> Fleet:
    """`orders` passed from ana to bob, in `prod` alone; `bills` is ana's still."""
    prod, dev = {"env": "prod"}, {"env": "dev"}
    ana, bob = owner("ana", "clean"), owner("bob", "clean")
    return fleet_of(
        recorded(
            "orders", "o-3", DAY.format(3), run=prod, owners=[bob, owner("bob", "pii", "risk")]
        ),
        # A late one is old all the same.
        recorded("orders", "o-1", DAY.format(1), run=prod, owners=[ana, owner("cid", "clean")]),
        recorded("orders", "o-2", DAY.format(2), run=dev, owners=[bob]),
        recorded("bills", "b-1", DAY.format(1), run=prod, owners=[ana]),
    )


CLEAN = ("context", "clean", "context_owner")


def test_owners_are_those_of_the_newest_runs_and_former_ones_stand_apart() -> None:
    """Former: of pipelines whose newest runs do not name them, in no environment."""
    assert owners(a_fleet()) == [
        Owner("ana", (Owned("bills", "prod", *CLEAN),), ("orders",), day(1)),
        Owner(
            "bob",
            (
                Owned("orders", "dev", *CLEAN),
                Owned("orders", "prod", *CLEAN),
                Owned("orders", "prod", "risk", "pii", "risk_mitigation"),
            ),
            (),
            day(3),
        ),
        Owner("cid", (), ("orders",), day(1)),
    ]


def test_an_owner_of_one_environment_is_not_a_former_one_of_another() -> None:
    """They own something of the pipeline still."""
    fleet = fleet_of(
        *(
            recorded("orders", f"o-{n}", DAY.format(n), run={"env": env}, owners=[owner(name, "x")])
            for n, env, name in ((1, "prod", "ana"), (2, "dev", "ana"), (3, "prod", "bob"))
        )
    )
    assert [(one.owner, one.pipelines, one.former_pipelines) for one in owners(fleet)] == [
        ("ana", ("orders",), ()),
        ("bob", ("orders",), ()),
    ]


def test_owners_can_be_asked_for_one_pipeline_or_one_person() -> None:
    """Who left is told as well."""
    fleet = a_fleet()
    assert [
        (one.owner, one.pipelines, one.former_pipelines)
        for one in owners(fleet, Filters(pipeline="bills"))
    ] == [("ana", ("bills",), ())]
    assert [
        (one.owner, one.pipelines, one.former_pipelines)
        for one in owners(fleet, Filters(owner="cid"))
    ] == [("cid", (), ("orders",))]
    assert owners(fleet, Filters(owner="dan")) == []


def test_the_call_tells_the_newest_runs_alone() -> None:
    """Owners long gone are not in it."""
    ana, bob = [owner("ana", "clean")], [owner("bob", "clean"), owner("bob", "pii", "risk")]
    tables = merge_records(
        [
            recorded("orders", "o-1", DAY.format(1), owners=ana),
            recorded("orders", "o-2", DAY.format(2), owners=bob),
            recorded("bills", "b-1", DAY.format(1), owners=bob),
        ]
    )
    assert owner_pipelines(tables) == [
        {"owner": "bob", "pipelines": ["bills", "orders"], "refs": ["context:clean", "risk:pii"]}
    ]


def test_risks_that_nobody_mitigates_or_owns_come_by_severity() -> None:
    """Of the newest runs; what is both mitigated and owned is settled."""
    settled = {"mitigated": True, "owned": True, "owners": ["ana"]}
    fleet = fleet_of(
        recorded("orders", "o-1", DAY.format(1), risks=[risk("gone", "critical")]),
        recorded(
            "orders",
            "o-2",
            DAY.format(2),
            risks=[
                risk("a.low", "low"),
                risk("b.odd", "unheard of"),
                risk("c.high", "high", mitigated=True),
                risk("d.high", "high", owned=True, owners=["ana", "bob"]),
                risk("e.settled", "critical", **settled),
            ],
        ),
        recorded(
            "bills", "b-1", DAY.format(1), risks=[risk("z.critical"), risk("m.medium", "medium")]
        ),
    )
    assert [
        (one.severity, one.risk_id, one.pipeline, one.mitigated, one.owners)
        for one in open_risks(fleet)
    ] == [
        ("critical", "z.critical", "bills", False, ()),
        ("high", "c.high", "orders", True, ()),
        ("high", "d.high", "orders", False, ("ana", "bob")),
        ("medium", "m.medium", "bills", False, ()),
        ("low", "a.low", "orders", False, ()),
        ("unheard of", "b.odd", "orders", False, ()),
    ]
