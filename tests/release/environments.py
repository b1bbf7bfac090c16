"""The distributions of a release, and environments to install them into."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
LONG = 1800


@dataclass(frozen=True)
class Distributions:
    """What would be uploaded.

    Attributes:
        wheel: Of the library.
        sdist: Of the library.
        demo: The wheel of the demo.
    """

    wheel: Path
    sdist: Path
    demo: Path


@dataclass(frozen=True)
class Environment:
    """A virtual environment, and a folder as HOME in which nothing was before.

    Attributes:
        folder: The environment's.
        home: The user's.
    """

    folder: Path
    home: Path

    def run(
        self, *command: str, cwd: Path | None = None, settings: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a program of the environment and return what it printed; it must end with 0.

        Args:
            command: Its name and its arguments.
            cwd: Where; None for the user's home.
            settings: Variables beside those that a shell has.
        """
        done = subprocess.run(
            [str(self.folder / "bin" / command[0]), *command[1:]],
            capture_output=True,
            text=True,
            check=False,
            cwd=cwd or self.home,
            env=self.variables(settings or {}),
            timeout=LONG,
        )
        assert done.returncode == 0, f"{' '.join(command)}:\n{done.stdout}\n{done.stderr}"
        return done

    def variables(self, settings: Mapping[str, str]) -> dict[str, str]:
        """Return the variables of a shell in which the environment is active."""
        kept = {name: os.environ[name] for name in os.environ if name.startswith(("PIP_", "JAVA_"))}
        path = f"{self.folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
        return {**kept, "HOME": str(self.home), "PATH": path, "LANG": "C.UTF-8", **settings}
