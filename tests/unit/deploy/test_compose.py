"""docker-compose.yml: valid, open to this machine alone, and built from files that are there."""

from __future__ import annotations

import shutil
import subprocess
from typing import Any

import pytest
from support.servers.manifests import ROOT, compose_services


@pytest.fixture
def services() -> dict[str, Any]:
    """The services of the file, by name."""
    return compose_services()


@pytest.mark.skipif(
    shutil.which("docker-compose") is None,
    reason="docker-compose, which validates the file without a Docker engine, is not installed",
)
def test_the_file_is_valid() -> None:
    """By the rules of Compose itself."""
    done = subprocess.run(
        ["docker-compose", "--file", str(ROOT / "docker-compose.yml"), "config", "--quiet"],  # noqa: S607 - the system's
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_only_loopback_reaches_a_published_port(services: dict[str, Any]) -> None:
    """There is no password."""
    ports = [port for service in services.values() for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_the_image_is_built_from_files_that_reach_it(services: dict[str, Any]) -> None:
    """Every COPY of the Dockerfile is let through by .dockerignore."""
    build = services["sink"]["build"]
    dockerfile = (ROOT / build["context"] / build["dockerfile"]).read_text(encoding="utf-8")
    copied = {
        source
        for line in dockerfile.splitlines()
        if line.startswith("COPY ")
        for source in line.split()[1:-1]
    }
    ignore = (ROOT / build["context"] / ".dockerignore").read_text(encoding="utf-8").split()
    assert copied == {line.removeprefix("!") for line in ignore if line.startswith("!")}
    assert all((ROOT / source).exists() for source in copied)
