"""The demo's tables: what they say, and that a name in them is only a name."""

from __future__ import annotations

import pytest

from conformare_demo.findings import DriftFinding, Findings, RunFinding, SensitiveFinding
from conformare_demo.report import report_tables
from conformare_schemas import RUN_GRAINS
from conformare_sink.cli._console import show_table

NAME = "[/] a:bug:b \x1b[2J"
SHOWN = r"[/] a:bug:b \x1b[2J"
FOUND = Findings(
    runs=(
        RunFinding(
            run_id="r",
            git_sha="abc1234",
            status="failed",
            risks=3,
            risks_open=1,
            checks=5,
            checks_failed=2,
            reasons=(NAME, "second"),
            rows=dict.fromkeys(RUN_GRAINS, 1_000),
        ),
    ),
    drifts=(
        DriftFinding(
            context=NAME,
            git_sha="abc1234",
            impl_hashes=("a" * 64, "b" * 64),
            risk_hashes=("c", "c"),
        ),
    ),
    sensitive=(SensitiveFinding(sink=NAME, format="delta", columns=(NAME,), risks=(NAME, "x")),),
)


def test_a_name_in_a_table_is_only_a_name(capsys: pytest.CaptureFixture[str]) -> None:
    """Each on a line of its own where there are several."""
    for table in report_tables(FOUND):
        show_table(*table)
    printed = capsys.readouterr().out
    assert "\x1b" not in printed
    cells = [[cell.strip() for cell in line.split("│")[1:-1]] for line in printed.splitlines()]
    assert ["1", "abc1234", "failed", "1 of 3", "2 of 5", SHOWN] in cells
    assert ["", "", "", "", "", "second"] in cells
    assert ["runs", "1,000", "1,000"] in cells
    drift = [SHOWN, "abc1234", "aaaaaaaa -> bbbbbbbb", "same", "code changed, risks not reviewed"]
    assert drift in cells
    assert [SHOWN, f"{SHOWN} (delta)", SHOWN] in cells
