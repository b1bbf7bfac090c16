"""Builds docker/Dockerfile as it stands, without a Docker engine and without a registry of images.

buildah runs its steps, each in the file system that will be the image's. In place of the base, which
only a registry has, stands one of Debian's packages: the release that the base is made of, and its Python.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from conformare_sink.spark.jars import cache_directory

ROOT = Path(__file__).parents[3]
DOCKERFILE = ROOT / "docker" / "Dockerfile"

_IMAGE = "localhost/conformare-sink"
_PACKAGES = ("python3", "python3-pip", "python3-venv", "ca-certificates")
# Where a network has authorities of its own, this machine knows them, and the image must, too.
_AUTHORITIES = Path("/usr/local/share/ca-certificates")
# The base calls its Python `python`, and lets pip install into it.
_AS_THE_BASE = """\
FROM scratch
ADD debian.tar /
COPY authorities /usr/local/share/ca-certificates
RUN ln -s python3 /usr/bin/python \\
 && rm -f /usr/lib/python3*/EXTERNALLY-MANAGED \\
 && update-ca-certificates
"""


@dataclass(frozen=True)
class Image:
    """An image that was built.

    Attributes:
        root: Its file system. Who writes to it changes it for all that run it later.
        command: What it runs if it is told nothing else.
        environment: Its variables.
        user: Whose rights it has, as the Dockerfile says it.
        folder: Where its command starts.
    """

    root: Path
    command: Sequence[str]
    environment: Mapping[str, str]
    user: str
    folder: str


@contextmanager
def built(work: Path) -> Iterator[Image]:
    """Build the image, and have its file system there for the time of a block.

    Layers are kept in this machine's cache, so that only what has changed is built anew.

    Args:
        work: An empty folder.
    """
    store = _Store(cache_directory() / "test-image", work / "run")
    release, python = _base()
    stand_in = f"localhost/{release}-python"
    if not store.has(stand_in):
        _make_stand_in(store, stand_in, release, work / "stand-in")
    store.build("--from", stand_in, "--tag", _IMAGE, "--file", str(DOCKERFILE), str(ROOT))
    store.run("rmi", "--prune")  # layers of what was changed since: a gigabyte each time
    container = store.run("from", "--pull-never", _IMAGE)
    try:
        root = Path(store.run("mount", container))
        found = Path(root, "usr/bin/python3").resolve().name
        assert found == f"python{python}", f"Debian's {release} has {found}, and the base {python}"
        settings = json.loads(store.run("inspect", container))["OCIv1"]["config"]
        yield Image(
            root=root,
            command=settings["Cmd"],
            environment=dict(one.split("=", 1) for one in settings["Env"]),
            user=settings["User"],
            folder=settings["WorkingDir"],
        )
    finally:
        store.run("rm", container)


def _base() -> tuple[str, str]:
    """Which release of Debian, and of Python, the Dockerfile begins with."""
    found = re.search(
        r"^FROM python:([\d.]+)-slim-(\w+)@sha256:[0-9a-f]{64}$",
        DOCKERFILE.read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    assert found is not None
    return found[2], found[1]


def _make_stand_in(store: _Store, name: str, release: str, context: Path) -> None:
    authorities = context / "authorities"
    authorities.mkdir(parents=True)
    for certificate in _AUTHORITIES.glob("*.crt"):
        shutil.copy(certificate, authorities)
    include = f"--include={','.join(_PACKAGES)}"
    _told("mmdebstrap", "--variant=minbase", include, release, str(context / "debian.tar"))
    (context / "Containerfile").write_text(_AS_THE_BASE, encoding="utf-8")
    store.build("--tag", name, str(context))
    (context / "debian.tar").unlink()


class _Store:
    """Where buildah keeps images, apart from all that this machine has."""

    def __init__(self, folder: Path, state: Path) -> None:
        self._options = ["--root", str(folder), "--runroot", str(state)]

    def has(self, name: str) -> bool:
        return name in self.run("images", "--format", "{{.Name}}").splitlines()

    def build(self, *options: str) -> None:
        # chroot: the other ways need rights that a machine in a container does not have.
        self.run("build", "--isolation", "chroot", "--layers", "--pull-never", *options)

    def run(self, command: str, *options: str) -> str:
        return _told("buildah", *self._options, command, *options).strip()


def _told(*command: str) -> str:
    """Run a program and return what it printed; it must end with 0."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}:\n{done.stdout[-4000:]}\n{done.stderr}"
    return done.stdout
