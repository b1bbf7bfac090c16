"""The gate: what it finds, how it tells it, and that it never passes by mistake."""

from __future__ import annotations

import json
import re
from html import unescape
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.fleet.small import context, put_run, risk
from support.jobs.spool_command import Answer, Run

from conformare.cli.fleet.formats import _github as github
from conformare.cli.fleet.formats._github import plain

LINES = {
    "failed": "failed: orders (prod): its newest run failed: not_null(id) does not hold; "
    "privacy.pii_exposure is not mitigated [owner: amy, bob; run o-2]\n",
    "drift": "drift: orders (prod): the code of clean changed, its risks did not: review them, or "
    "acknowledge it [owner: amy, bob; run o-2]\n",
    "stale": "stale: old: its newest run is 27 d old, more than 26 h [owner: nobody; run x-1]\n",
    "unowned-critical": "unowned-critical: orders (prod): nobody owns the critical risk "
    "privacy.pii_exposure [owner: nobody; run o-2]\n",
}


@pytest.mark.usefixtures("lake")
def test_each_finding_is_one_line_with_its_owner(run: Run) -> None:
    """The most urgent comes first; how many there are is told beside them."""
    answer = run("check", "--max-age", "26h")
    assert answer == Answer(1, "".join(LINES.values()), "4 findings in 3 pipelines\n")


@pytest.mark.usefixtures("lake")
@pytest.mark.parametrize("kind", LINES)
def test_only_the_kinds_that_were_asked_for_count(run: Run, kind: str) -> None:
    """Of which a script may name one, or several with blanks between them."""
    assert run("check", "--max-age", "26h", "--fail-on", kind).out == LINES[kind]
    both = run("check", "--max-age", "26h", "--fail-on", f" stale , {kind}")
    assert both.out == "".join(
        dict.fromkeys(LINES[name] for name in LINES if name in (kind, "stale"))
    )


@pytest.mark.usefixtures("lake")
def test_nothing_found_is_exit_code_0(run: Run) -> None:
    """And no line on standard output."""
    assert run("check", "--pipeline", "bills") == Answer(0, "", "no findings in 1 pipeline\n")
    assert run("check", "--fail-on", "degraded").code == 0


def test_a_pipeline_in_two_environments_is_one_pipeline(run: Run, lake: Path) -> None:
    """It is looked at in both."""
    put_run(lake, "bills", "b-9", "2026-11-28T00:00:00.000000Z", run={"env": "staging"})
    assert run("check", "--pipeline", "bills") == Answer(0, "", "no findings in 1 pipeline\n")


def test_degraded_counts_by_default_and_unknown_where_it_is_asked_for(run: Run, lake: Path) -> None:
    """A pipeline without any check is no failure of today."""
    put_run(lake, "bare", "n-1", "2026-11-28T00:00:00.000000Z", run={"ge_evaluated": 0})
    put_run(lake, "worn", "d-1", "2026-11-28T00:00:00.000000Z", run={"status": "degraded"})
    assert run("check", "--pipeline", "bare").code == 0
    assert run("check", "--pipeline", "bare", "--fail-on", "unknown").out == (
        "unknown: bare: nothing in its newest run was evaluated [owner: nobody; run n-1]\n"
    )
    assert run("check", "--pipeline", "worn").out == (
        "degraded: worn: its newest run is degraded [owner: nobody; run d-1]\n"
    )


@pytest.mark.parametrize(
    "filters",
    [
        ["--pipeline", "bill"],
        ["--pipeline", "Bills"],
        ["--pipeline", "bills", "--env", "dev"],
        ["--env", "production"],
        ["--owner", "zoe"],
        ["--tag", "team=shops"],
    ],
)
def test_a_gate_never_passes_because_of_a_misspelt_name(
    run: Run, lake: Path, filters: list[str]
) -> None:
    """In no format."""
    for form in ("text", "json", "junit", "github"):
        answer = run("check", *filters, "--format", form)
        assert (answer.code, answer.out) == (2, "")
        assert str(lake) in answer.err


@pytest.mark.usefixtures("lake")
def test_a_program_is_told_what_was_looked_at(run: Run, lake: Path) -> None:
    """Beside what was found."""
    answer = run("check", "--format", "json", "--env", "prod", "--fail-on", "drift")
    assert (answer.code, json.loads(answer.out)) == (
        1,
        {
            "place": str(lake),
            "at": "2026-11-28T12:00:00.000000Z",
            "fail_on": ["drift"],
            "pipelines": [
                {"pipeline": "bills", "env": "prod"},
                {"pipeline": "orders", "env": "prod"},
            ],
            "findings": [
                {
                    "kind": "drift",
                    "pipeline": "orders",
                    "env": "prod",
                    "run_id": "o-2",
                    "subject": "clean",
                    "text": "the code of clean changed, its risks did not: review them, or "
                    "acknowledge it",
                    "owners": ["amy", "bob"],
                    "since": "2026-11-28T06:00:00.000000Z",
                }
            ],
        },
    )


@pytest.mark.usefixtures("lake")
def test_junit_has_a_test_for_each_pipeline_and_kind(run: Run) -> None:
    """So a CI server knows which passed before; its counts are right."""
    answer = run("check", "--format", "junit", "--fail-on", "failed,drift")
    assert answer.code == 1
    suites = ET.fromstring(answer.out)  # noqa: S314 - ours
    (suite,) = suites
    for element in (suites, suite):
        counts = [element.get(name) for name in ("tests", "failures", "errors")]
        assert counts == ["6", "2", "0"]
    tests = {(t.get("classname"), t.get("name")): t.find("failure") for t in suite}
    assert {
        key: None if failure is None else failure.get("type") for key, failure in tests.items()
    } == {
        ("bills (prod)", "failed"): None,
        ("bills (prod)", "drift"): None,
        ("old", "failed"): None,
        ("old", "drift"): None,
        ("orders (prod)", "failed"): "failed",
        ("orders (prod)", "drift: clean"): "drift",
    }
    failure = tests["orders (prod)", "drift: clean"]
    assert failure is not None
    assert str(failure.text).endswith("acknowledge it; owner: amy, bob; run o-2")


HOSTILE = "\x00\x0b\ufffe\ud800\x1b]]>&<b a='\"'>|`@x` é\u202e\n"


def test_hostile_names_break_no_format(run: Run, lake: Path) -> None:
    """XML forbids some of these characters, and Markdown gives others a meaning."""
    name = HOSTILE.replace("\ud800", "")
    for run_id, day, code in (("h-1", 27, "a"), ("h-2", 28, "b")):
        put_run(
            lake,
            name,
            run_id,
            f"2026-11-{day}T00:00:00.000000Z",
            run={"env": name},
            contexts=[context(name, code)],
            risks=[risk(name)],
        )
    junit = run("check", "--pipeline", name, "--format", "junit")
    assert junit.code == 1
    assert junit.out.isascii()
    tests = list(ET.fromstring(junit.out).iter("testcase"))  # noqa: S314 - ours
    assert any("<b a='\"'>|`@x` é" in str(test.get("name")) for test in tests)
    summary = run("check", "--pipeline", name, "--format", "github").out
    rows = [line for line in summary.splitlines() if line.startswith("| ")][2:]
    assert len(rows) == 2
    for row in rows:
        assert row.count("|") == 6
        assert re.fullmatch(r"[A-Za-z0-9 ,|&#;-]+", row)
        assert "<b a='\"'>|`@x` é" in unescape(row)


@given(st.text())
def test_no_text_is_markup_for_markdown(text: str) -> None:
    """A character that is written as its number is one for the reader alone."""
    written = plain(text)
    assert re.fullmatch(r"(?:[A-Za-z0-9 ,-]|&#[0-9]+;)*", written)
    if text.isprintable():
        assert unescape(written) == text


@pytest.mark.usefixtures("lake")
def test_a_summary_fits_what_github_takes(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says how many findings are left out."""
    monkeypatch.setattr(github, "MOST_BYTES", 400)
    told = run("check", "--format", "github").out
    assert len(told) < 500
    assert told.startswith("## &#10060; Fleet: 3 findings in 3 pipelines\n")
    assert told.endswith("\n2 more: `conformare fleet check` tells all\n")
    assert run("check", "--format", "github", "--pipeline", "bills").out == (
        "## &#9989; Fleet: no findings in 1 pipeline\n"
    )
