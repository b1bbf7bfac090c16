"""What the files of deploy/ and docker-compose.yml start: command, environment, files, probes.

Read from the files as they stand, for tests that run it.
"""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[3]
DEPLOY = ROOT / "deploy"
KUBERNETES = DEPLOY / "kubernetes"
SYSTEMD = DEPLOY / "systemd"

Probes = Mapping[str, str]
"""Path of the page that each probe asks for."""


@dataclass(frozen=True)
class Manifest:
    """What a file starts.

    Attributes:
        command: The program and its arguments.
        environment: What it is told by variables.
        stop_seconds: How long it has after SIGTERM.
        probes: Which page is asked for what.
        port: Where the pages are, as the file says it.
        checks: Commands that look whether the sink lives.
    """

    command: Sequence[str]
    environment: Mapping[str, str]
    stop_seconds: float
    port: str = "9464"
    probes: Probes = field(default_factory=dict)
    checks: Sequence[Sequence[str]] = ()


def compose_services() -> dict[str, Any]:
    """The services of docker-compose.yml, by name."""
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    found: dict[str, Any] = yaml.safe_load(text)["services"]
    return found


def compose() -> Manifest:
    """The sink of docker-compose.yml."""
    sink = compose_services()["sink"]
    minutes = re.fullmatch(r"(\d+)m", sink["stop_grace_period"])
    assert minutes is not None
    kind, *test = sink["healthcheck"]["test"]
    assert kind == "CMD"
    return Manifest(
        command=sink["command"],
        environment=sink["environment"],
        stop_seconds=60.0 * int(minutes[1]),
        checks=[test],
    )


def resource(file: str) -> Any:
    """A resource of Kubernetes."""
    return yaml.safe_load((KUBERNETES / file).read_text(encoding="utf-8"))


def kubernetes() -> Manifest:
    """The Deployment."""
    pod = resource("deployment.yaml")["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    (port,) = container["ports"]
    probes = {name: container[f"{name}Probe"] for name in ("startup", "liveness", "readiness")}
    assert {probe["httpGet"]["port"] for probe in probes.values()} == {port["name"]}
    return Manifest(
        command=[*container["command"], *container["args"]],
        environment={one["name"]: one["value"] for one in container["env"]},
        stop_seconds=pod["terminationGracePeriodSeconds"],
        port=str(port["containerPort"]),
        probes={name: probe["httpGet"]["path"] for name, probe in probes.items()},
    )


def unit(*files: str) -> dict[str, list[str]]:
    """The settings of a unit and its drop-ins, each with its values in their order."""
    found: dict[str, list[str]] = {}
    for file in files:
        for line in (SYSTEMD / file).read_text(encoding="utf-8").splitlines():
            name, is_setting, value = line.partition("=")
            if is_setting and not line.startswith(("#", "[")):
                found.setdefault(name, []).append(value)
    return found


def systemd() -> Manifest:
    """The unit with its environment file and the drop-in of credentials."""
    settings = unit("conformare-sink.service", "credentials.conf")
    (file,) = settings["EnvironmentFile"]
    lines = (SYSTEMD / Path(file).name).read_text(encoding="utf-8").splitlines()
    stated = [line for line in lines if line and not line.startswith("#")]
    (start,) = settings["ExecStart"]
    (stop,) = settings["TimeoutStopSec"]
    return Manifest(
        command=shlex.split(start),
        # What the file says goes before what the unit says.
        environment=dict(one.split("=", 1) for one in (*settings["Environment"], *stated)),
        stop_seconds=float(stop),
    )


def installed(program: str) -> str:
    """Return this environment's program in place of one that an image or a unit has."""
    name = Path(program).name
    return sys.executable if name == "python" else str(Path(sys.executable).with_name(name))
