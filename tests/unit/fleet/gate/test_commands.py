"""The commands that ask: what they print for people and for programs."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from support.fleet.small import check, context, owner, put_run, risk
from support.jobs.spool_command import Answer, Run

from conformare.cli.fleet.overview import LEGEND


def cells(answer: Answer) -> list[list[str]]:
    """Return the cells of tables that are not empty, line by line."""
    assert (answer.code, answer.err) == (0, "")
    lines = [line.strip() for line in answer.out.splitlines() if line.strip(" ─")]
    return [re.split(" {2,}", line) for line in lines]


def found(run: Run, *arguments: str) -> Any:
    """Return what a command answers to a program."""
    answer = run(*arguments, "--json")
    assert (answer.code, answer.err) == (0, "")
    return json.loads(answer.out)


@pytest.mark.usefixtures("lake")
def test_status_for_a_person(run: Run) -> None:
    """What needs somebody comes first; the strip is readable without colours."""
    assert run("status", "--max-age", "26h").out == (
        "Pipelines\n"
        "\n"
        " health    pipeline   env    newest run   age    due after   streak   last runs   "
        "last healthy          runs   owners\n"
        " ─────────────────────────────────────────────────────────────────────────────────"
        "─────────────────────────────────────\n"
        " failed    orders     prod   o-2          6 h    26 h        1        +F          "
        "2026-11-27 06:00:00   2      amy, bob\n"
        " stale     old               x-1          27 d   26 h        1        +           "
        "2026-11-01 00:00:00   1\n"
        " healthy   bills      prod   b-1          5 h    26 h        1        +           "
        "2026-11-28 07:00:00   1      cid\n"
        "\n"
        f"{LEGEND}\n"
    )


@pytest.mark.usefixtures("lake")
def test_status_for_a_program(run: Run) -> None:
    """Times are in ISO 8601 with Z, spans in seconds."""
    (bills,) = found(run, "status", "--pipeline", "bills", "--max-age", "26h")
    assert bills == {
        "pipeline": "bills",
        "env": "prod",
        "health": "healthy",
        "is_stale": False,
        "run_id": "b-1",
        "ts": "2026-11-28T07:00:00.000000Z",
        "age_seconds": 18000.0,
        "due_after_seconds": 93600.0,
        "streak": 1,
        "is_flapping": False,
        "last_healthy_run": "b-1",
        "last_healthy_ts": "2026-11-28T07:00:00.000000Z",
        "runs": 1,
        "owners": ["cid"],
        "tags": {},
        "strip": [{"run_id": "b-1", "ts": "2026-11-28T07:00:00.000000Z", "health": "healthy"}],
    }


@pytest.mark.usefixtures("lake")
@pytest.mark.parametrize(
    ("filters", "pipelines"),
    [
        (["--env", "prod"], ["orders", "bills"]),
        (["--owner", "bob"], ["orders"]),
        (["--tag", "team=shop"], ["orders"]),
        (["--tag", "team=shop", "--tag", "tier=1"], []),
        (["--tag", "team=shop", "--env", "dev"], []),
        (["--since", "2026-11-28T06:30:00+00:00"], ["bills"]),
        (["--since", "2026-11-28T06:00Z"], ["orders", "bills"]),
        (["--since", "2000w"], ["orders", "bills", "old"]),
    ],
)
def test_filters_choose_pipelines_by_their_newest_run(
    run: Run, filters: list[str], pipelines: list[str]
) -> None:
    """Where several are given, all must hold."""
    assert [one["pipeline"] for one in found(run, "status", *filters)] == pipelines


@pytest.mark.usefixtures("lake")
def test_a_person_is_told_where_no_pipeline_fits(run: Run, lake: Path) -> None:
    """It is no table without rows."""
    assert run("status", "--owner", "zoe") == Answer(0, f"no pipeline of {lake} fits\n", "")


@pytest.mark.usefixtures("lake")
def test_drift_until_it_is_acknowledged(run: Run) -> None:
    """From which run to which, the commit, and whom to ask."""
    row = ["orders", "prod", "clean", "o-1", "o-2", "abc123", "amy, bob"]
    told = cells(run("drift"))
    assert told[0] == ["Drift"]
    assert told[2] == ["2026-11-28 06:00:00", *row, "open"]
    assert run("acknowledge", "o-2", "clean", "--by", "amy", "--note", "a new filter") == Answer(
        0, "acknowledged: clean in run o-2 of orders\n", ""
    )
    assert run("drift").out == "no open drift\n"
    assert found(run, "drift") == []
    assert cells(run("drift", "--all"))[2] == ["2026-11-28 06:00:00", *row, "settled"]
    assert run("acknowledge", "o-2", "clean", "--by", "bob", "--note", "me too") == Answer(
        0, "it was acknowledged already: clean in run o-2 of orders\n", ""
    )


@pytest.mark.usefixtures("lake")
@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["o-9", "clean"], "has no run 'o-9'"),
        (["o-2", "other"], "has no drift in the context 'other'"),
        (["o-1", "clean"], "has no drift in the context 'clean'"),
    ],
)
def test_only_a_drift_can_be_acknowledged(run: Run, arguments: list[str], told: str) -> None:
    """A misspelt label must not look like a review."""
    answer = run("acknowledge", *arguments, "--by", "amy", "--note", "fine")
    assert (answer.code, answer.out) == (2, "")
    assert told in answer.err


@pytest.mark.usefixtures("lake")
def test_a_review_has_somebody_who_made_it(run: Run) -> None:
    """Blanks are no name."""
    answer = run("acknowledge", "o-2", "clean", "--by", "  ", "--note", "fine")
    assert (answer.code, answer.out) == (2, "")
    assert "--by is empty" in answer.err


def test_owners_of_now_and_of_older_runs(run: Run, lake: Path) -> None:
    """And the risks that nobody mitigates or owns, by severity."""
    put_run(
        lake,
        "bills",
        "b-0",
        "2026-11-20T00:00:00.000000Z",
        run={"env": "prod"},
        owners=[owner("dan", "sums")],
    )
    told = cells(run("owners"))
    assert [line[0] for line in told] == [
        "Owners",
        "owner",
        "amy",
        "bob",
        "cid",
        "Named in older runs only",
        "owner",
        "dan",
        "Risks that nobody mitigates or nobody owns",
        "severity",
        "critical",
    ]
    assert told[7] == ["dan", "bills", "2026-11-20 00:00:00"]
    answer = found(run, "owners")
    assert [one["owner"] for one in answer["owners"]] == ["amy", "bob", "cid", "dan"]
    assert answer["owners"][3]["owned"] == []
    assert answer["open_risks"] == [
        {
            "pipeline": "orders",
            "env": "prod",
            "run_id": "o-2",
            "risk_id": "privacy.pii_exposure",
            "label": "privacy.pii_exposure",
            "severity": "critical",
            "mitigated": False,
            "owners": [],
        }
    ]


@pytest.mark.usefixtures("lake")
@pytest.mark.parametrize(
    ("start", "reached"),
    [
        (["--pipeline", "orders"], ["orders", "bills"]),
        (["--run", "o-2"], ["bills"]),
        (["--run", "o-2", "--pipeline", "orders"], ["bills"]),
        (["--location", "s3n://lake/orders"], ["bills"]),
        (["--location", "s3://lake/orders/", "--upstream"], ["orders"]),
        (["--pipeline", "bills", "--upstream"], ["bills", "orders"]),
    ],
)
def test_impact_of_a_run_a_pipeline_or_a_location(
    run: Run, start: list[str], reached: list[str]
) -> None:
    """In any spelling of the place."""
    assert [one["pipeline"] for one in found(run, "impact", *start)] == reached
    assert len(cells(run("impact", *start))) == 2 + len(reached)


def test_one_read_of_several_tables_is_a_read_of_each(run: Run, lake: Path) -> None:
    """As a query that joins two is recorded."""
    put_run(
        lake,
        "joined",
        "j-1",
        "2026-11-28T08:00:00.000000Z",
        sources=[{"node": "q", "location": "s3://lake/raw, s3a://lake/orders/", "format": "sql"}],
    )
    assert [one["pipeline"] for one in found(run, "impact", "--location", "s3://lake/raw")] == [
        "joined"
    ]
    downstream = found(run, "impact", "--run", "o-2")
    assert [one["pipeline"] for one in downstream] == ["bills", "joined"]
    upstream = found(run, "impact", "--run", "j-1", "--upstream")
    assert [one["pipeline"] for one in upstream] == ["orders"]
    (sink,) = found(run, "sensitive")
    assert [reader["pipeline"] for reader in sink["readers"]] == ["bills", "joined"]


@pytest.mark.usefixtures("lake")
def test_impact_of_what_nobody_reads_is_one_line(run: Run) -> None:
    """And of what is not there, an error."""
    assert run("impact", "--pipeline", "bills").out == "nothing is downstream of bills\n"
    for start in (["--run", "nope"], ["--location", "s3://nope"], ["--pipeline", "nope"]):
        answer = run("impact", *start)
        assert (answer.code, answer.out, answer.err.count("\n")) == (2, "", 1)
    for start in ([], ["--run", "o-2", "--location", "s3://lake/orders"]):
        answer = run("impact", *start)
        assert (answer.code, answer.out) == (2, "")
        assert "give one of --run, --pipeline and --location" in answer.err


@pytest.mark.usefixtures("lake")
def test_sensitive_columns_as_of_a_date(run: Run) -> None:
    """Written where, read by whom."""
    assert cells(run("sensitive"))[2] == [
        "s3://lake/orders",
        "orders",
        "prod",
        "2026-11-28 06:00:00",
        "1",
        "email",
        "bills (prod)",
    ]
    assert run("sensitive", "--as-of", "2026-11-27T07:00Z").out == (
        "no run writes a sensitive column\n"
    )
    (sink,) = found(run, "sensitive", "--as-of", "2026-11-28T06:00:00Z")
    assert sink["readers"] == []
    # A date alone is the end of its day.
    (sink,) = found(run, "sensitive", "--as-of", "2026-11-28")
    assert sink["readers"] == [{"pipeline": "bills", "env": "prod"}]
    assert found(run, "sensitive", "--as-of", "2026-11-27") == []


@pytest.mark.usefixtures("lake")
def test_expectations_that_fail_come_first(run: Run) -> None:
    """With what was observed, and how often it failed."""
    assert cells(run("expectations"))[2:] == [
        [
            *("newly failing", "orders", "prod", "orders", "not_null", "id", "yes", "critical"),
            *("7", "100%", "1", "0", "amy, bob"),
        ],
        [
            *("holding", "bills", "prod", "orders", "unique", "id", "no", "critical"),
            *("0%", "1", "0", "cid"),
        ],
    ]
    assert [one["state"] for one in found(run, "expectations")] == ["newly failing", "holding"]
    assert run("expectations", "--pipeline", "old").out == "no newest run has an expectation\n"


@pytest.mark.usefixtures("lake")
def test_a_run_as_a_whole(run: Run) -> None:
    """Every grain that has rows, and what changed since the run before."""
    told = cells(run("show", "o-2"))
    titles = [line[0] for line in told if len(line) == 1]
    assert titles[0] == "Run o-2 of orders"
    assert [name for name in titles if name in ("contexts", "risks", "sinks", "owners")] == [
        "contexts",
        "risks",
        "sinks",
        "owners",
    ]
    assert ["code of context", "clean", "code-1", "code-2"] in told
    answer = found(run, "show", "o-2")
    assert answer["run"]["ts"] == "2026-11-28T06:00:00.000000Z"
    assert answer["previous"]["run_id"] == "o-1"
    assert {"what": "owner", "name": "bob", "before": None, "after": "clean"} in answer["changes"]


def test_a_run_id_that_two_pipelines_have_wants_one_of_them(run: Run, lake: Path) -> None:
    """A job may record several pipelines under its own id."""
    put_run(lake, "bills", "o-2", "2026-11-28T08:00:00.000000Z", run={"env": "prod"})
    answer = run("show", "o-2")
    assert (answer.code, answer.out) == (2, "")
    assert "bills, orders" in answer.err
    assert run("show", "o-2", "--pipeline", "bills").code == 0
    assert run("show", "o-2", "--pipeline", "old").code == 2


HOSTILE = "\x1b[2J\x9b\u202e\n[bold]x[/bold] :smile: <b>|`"


def test_hostile_names_are_shown_and_do_nothing(run: Run, lake: Path) -> None:
    """In no table, line or error."""
    for run_id, ts, code in (("h-1", "27", "a"), ("h-2", "28", "b")):
        put_run(
            lake,
            HOSTILE,
            run_id,
            f"2026-11-{ts}T00:00:00.000000Z",
            run={"env": HOSTILE, "tags": {HOSTILE: HOSTILE}, "status": "failed", "title": HOSTILE},
            contexts=[context(HOSTILE, code)],
            owners=[owner(HOSTILE, HOSTILE)],
            risks=[risk(HOSTILE, HOSTILE)],
            expectations=[check(HOSTILE, HOSTILE, success=None, error=HOSTILE)],
            sources=[{"node": HOSTILE, "location": HOSTILE, "format": HOSTILE}],
            sinks=[{"node": HOSTILE, "location": HOSTILE, "columns": ["email"], "n_sensitive": 1}],
        )
    for arguments in (
        ["status"],
        ["drift"],
        ["owners"],
        ["impact", "--pipeline", HOSTILE],
        ["impact", "--location", f"{HOSTILE}nope"],
        ["sensitive"],
        ["expectations"],
        ["show", "h-2"],
        ["show", HOSTILE],
        ["check"],
        ["check", "--pipeline", f"{HOSTILE}nope"],
        ["status", "--since", HOSTILE],
        ["status", "--tag", HOSTILE],
        ["acknowledge", "h-2", HOSTILE, "--by", HOSTILE, "--note", HOSTILE],
    ):
        answer = run(*arguments)
        assert "[bold]x[/bold] :smile:" in answer.out + answer.err
        assert all(sign.isprintable() or sign == "\n" for sign in f"{answer.out}{answer.err}"), (
            arguments
        )
    (one,) = found(run, "status", "--pipeline", HOSTILE)
    assert one["env"] == HOSTILE
