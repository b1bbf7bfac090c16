"""What the checks of a release share: its distributions, and environments that hold nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from collections.abc import Callable
from pathlib import Path

import pytest
from release.environments import LONG, ROOT, Distributions, Environment


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of a user who has never had any of this: no cache, no jars, no settings."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="session")
def distributions(tmp_path_factory: pytest.TempPathFactory, home: Path) -> Distributions:
    """Built from this checkout: each wheel from its sdist."""
    folder = tmp_path_factory.mktemp("dist")
    for project in (ROOT, ROOT / "examples"):
        subprocess.run(
            [sys.executable, "-m", "build", "--outdir", str(folder), str(project)],
            check=True,
            capture_output=True,
            env={**os.environ, "HOME": str(home)},
            timeout=LONG,
        )
    (wheel,) = folder.glob("conformare_stream-*.whl")
    (sdist,) = folder.glob("conformare_stream-*.tar.gz")
    (demo,) = folder.glob("conformare_stream_demo-*.whl")
    return Distributions(wheel, sdist, demo)


@pytest.fixture(scope="session")
def environment(
    tmp_path_factory: pytest.TempPathFactory, home: Path, distributions: Distributions
) -> Callable[..., Environment]:
    """Makes an environment with what is named, and nothing else."""

    def made(*wanted: str) -> Environment:
        folder = tmp_path_factory.mktemp("environment")
        venv.create(folder, with_pip=True, symlinks=True)
        found = Environment(folder, home)
        links = str(distributions.wheel.parent)
        # The wheel of this checkout, whatever an index has under its name.
        found.run("python", "-m", "pip", "install", "--quiet", "--find-links", links, *wanted)
        return found

    return made
