"""The list of what a release brings to a machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from release.environments import ROOT
from release.sbom import DIGESTS, EXTRAS
from release.test_extras import BRINGS

Component = Mapping[str, Any]


@pytest.fixture(scope="module")
def listed(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What `make sbom` writes."""
    file = tmp_path_factory.mktemp("sbom") / "sbom.json"
    constraint = str(ROOT / "constraints.txt")
    subprocess.run(
        [
            *(sys.executable, "-m", "release.sbom"),
            *("--constraint", constraint, "--output", str(file)),
        ],
        check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT / "tests")},
    )
    return file.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def components(listed: str) -> dict[str, Component]:
    """Its components by their packages' addresses."""
    found: list[Component] = json.loads(listed)["components"]
    return {one["purl"]: one for one in found}


def test_it_is_what_the_format_asks_for(listed: str) -> None:
    """Scanners read it."""
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(listed) is None


def test_it_knows_every_extra() -> None:
    """A new one brings new libraries."""
    assert set(EXTRAS) == set(BRINGS) - {""}


def test_every_library_is_there_with_the_digest_of_what_was_fetched(
    components: dict[str, Component],
) -> None:
    """Of a library of each extra, and of all that they need."""
    wanted = {
        *("confluent-kafka", "fastavro", "pydantic", "pyspark", "typer", "deltalake", "pyarrow"),
        *("starlette", "openlineage-python", "sqlglot", "prometheus-client", "urllib3"),
        *("great-expectations", "py4j"),
    }
    assert {f"pkg:pypi/{name}" for name in wanted} <= {
        name.partition("@")[0] for name in components
    }
    without = {name for name, one in components.items() if "pypi" in name and not one.get("hashes")}
    assert without == set()


def test_every_jar_and_script_is_there_with_its_digest(components: dict[str, Component]) -> None:
    """The jars that are checked after download, and what others wrote on pages."""
    jars = [one for name, one in components.items() if name.startswith("pkg:maven/")]
    checked = {line.split("  ")[0] for line in DIGESTS.read_text(encoding="ascii").splitlines()}
    assert {one["hashes"][0]["content"] for one in jars} == checked
    scripts = {name for name in components if name.startswith("pkg:npm/")}
    assert {components[name]["name"] for name in scripts} >= {
        "cytoscape",
        "htmx.org",
        "iframe-worker",
    }
    files = [file for name in scripts for file in components[name].get("components", [])]
    assert {Path(file["name"]).suffix for file in files} == {".js", ".css"}
    assert all(file["hashes"] for file in files)
