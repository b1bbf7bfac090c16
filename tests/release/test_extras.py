"""Each extra, alone in an environment, from the wheel."""

from __future__ import annotations

import re
from collections.abc import Callable
from email.parser import Parser
from zipfile import ZipFile

import pytest
from release.environments import Distributions, Environment

# What each brings: a module to import, or a command to call. `bench` and `dev` are for a checkout.
BRINGS = {
    "": "import conformare, conformare_schemas",
    "spark": "import pyspark, delta, conformare",
    "cli": "from conformare.cli import main; main(['spool', '--help'])",
    "sink": "from conformare.cli import main; main(['sink', '--help']); import conformare_sink.stream.stream",
    "parquet": "import pyarrow, conformare.writers",
    "fleet": "from conformare.cli import main; main(['fleet', '--help']); import conformare.fleet.page",
    "connect": "import sqlglot, conformare",
    "metrics": "import conformare.metrics; conformare.metrics.register()",
    "expectations": "import great_expectations, conformare",
    "registry": "import urllib3; from conformare.cli import main; main(['schemas', '--help'])",
    "openlineage": "from conformare.cli import main; main(['export', 'openlineage', '--help'])",
}
FOR_A_CHECKOUT = {"bench", "dev"}


def test_every_extra_is_tried(distributions: Distributions) -> None:
    """A new one needs a line above."""
    with ZipFile(distributions.wheel) as opened:
        (name,) = (one for one in opened.namelist() if one.endswith(".dist-info/METADATA"))
        extras = Parser().parsestr(opened.read(name).decode()).get_all("Provides-Extra", [])
    assert {*extras} - FOR_A_CHECKOUT == set(BRINGS) - {""}


@pytest.mark.parametrize("extra", BRINGS)
def test_an_extra_brings_all_that_it_needs(
    environment: Callable[..., Environment], distributions: Distributions, extra: str
) -> None:
    """And a job brings no Spark."""
    wheel = str(distributions.wheel)
    found = environment(f"{wheel}[{extra}]" if extra else wheel)
    found.run("python", "-m", "pip", "check")
    found.run("python", "-c", BRINGS[extra])
    if not extra:
        shown = found.run("python", "-m", "pip", "list", "--format", "freeze").stdout
        installed = set(re.findall(r"^([\w-]+)==", shown, re.MULTILINE))
        assert {"confluent-kafka", "fastavro", "pydantic"} <= installed
        assert not installed & {"pyspark", "pandas", "typer", "deltalake"}
