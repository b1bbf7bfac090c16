"""What others wrote is as they released it, and says whose it is."""

from __future__ import annotations

import hashlib
import json
import re
from importlib.resources import files
from typing import Any

import pytest

from conformare.fleet.page._static import STATIC

FOLDER = files("conformare.fleet.page") / "static" / "vendored"
PACKAGES: list[dict[str, Any]] = json.loads((FOLDER / "vendored.json").read_text(encoding="utf-8"))
FILES = {name: digest for package in PACKAGES for name, digest in package["files"].items()}


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_as_it_was_released(name: str) -> None:
    """Its digest is the one that the list states."""
    assert hashlib.sha256((FOLDER / name).read_bytes()).hexdigest() == FILES[name]


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: str(package["name"]))
def test_a_package_says_its_version_and_has_its_licence_beside_it(package: dict[str, Any]) -> None:
    """The text of the licence is shipped too."""
    assert re.fullmatch(r"\d+\.\d+\.\d+", package["version"])
    licence = (FOLDER / package["licence_file"]).read_text(encoding="utf-8")
    assert {"MIT": "Permission is hereby granted", "0BSD": "Zero-Clause BSD"}[
        package["licence"]
    ] in licence


def test_nothing_else_is_in_the_folder() -> None:
    """Every file is in the list, or is the list, or a licence that it names."""
    licences = {package["licence_file"] for package in PACKAGES}
    assert {file.name for file in FOLDER.iterdir()} == {*FILES, *licences, "vendored.json"}


def test_all_of_it_is_served() -> None:
    """And nothing is served that is not there."""
    served = {name.removeprefix("vendored/") for name in STATIC if name.startswith("vendored/")}
    assert served == set(FILES)
