"""What a newcomer does: the demo and the quick start, from the wheels, outside of the checkout."""

from __future__ import annotations

import re
import socket
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from release.environments import LONG, ROOT, Distributions, Environment

QUICK_START = ROOT / "docs" / "quickstart.md"


@pytest.fixture(scope="module")
def installed(environment: Callable[..., Environment], distributions: Distributions) -> Environment:
    """The demo's wheel and what it needs."""
    return environment(str(distributions.demo))


def test_the_demo_runs_and_its_last_lines_can_be_pasted(installed: Environment) -> None:
    """It fetches its jars, for nothing was there before."""
    shown = installed.run("conformare", "demo").stdout
    assert "The replay changed nothing: 0 runs landed, 3 known already" in shown
    *_, address, _, command = (line.strip() for line in shown.rstrip().splitlines())
    report = Path(address.removeprefix("file://"))
    assert "flight_delays" in report.read_text(encoding="utf-8")
    assert command.startswith("conformare fleet serve --lake ")
    done = subprocess.run(
        ["bash", "-c", command.replace(" serve ", " status ")],  # noqa: S607 - the user's shell
        capture_output=True,
        text=True,
        check=False,
        env=installed.variables({}),
    )
    assert (done.returncode, "flight_delays" in done.stdout) == (0, True)


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port: int = taken.getsockname()[1]
        return port


def test_the_quick_start_does_what_it_says(installed: Environment, tmp_path: Path) -> None:
    """Every command as it stands on the page, but for making the environment and the port."""
    page = QUICK_START.read_text(encoding="utf-8").replace(":9092", f":{(port := free_port())}")
    (program,) = re.findall(r"^```python\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    (name,) = re.findall(r"Save this as `(.*?)`", page)
    (tmp_path / name).write_text(program, encoding="utf-8")
    blocks = re.findall(r"^```bash\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    assert "pip install" in blocks[0]
    done = subprocess.run(
        ["bash", "-e", "-c", "\n".join(blocks[1:])],  # noqa: S607 - the user's shell
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env=installed.variables({"CONFORMARE_BROKER_PORT": str(port)}),
        timeout=LONG,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert "2 run(s) landed" in done.stdout
    assert "unknown" in done.stdout
    assert "contact_email" in done.stdout
    assert "flight_delays" in (tmp_path / "fleet.html").read_text(encoding="utf-8")
