"""Runs an image confined, by crun: one of the programs that Docker and Kubernetes have do the same."""

from __future__ import annotations

import json
import os
import subprocess
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.image.build import Image
from support.image.confinement import Confinement

# Where a machine has two generations of control groups, crun gives up: it is shown one of them.
# Limits of memory and of processes take rights over those groups, and are not tried.
_CRUN = """\
if [ -d /sys/fs/cgroup/unified ]; then umount /sys/fs/cgroup/unified; fi
exec crun --cgroup-manager disabled --root "$0" "$@"
"""
# Docker and Kubernetes write this file, with the name of the container beside where it has a network.
_HOSTS = "127.0.0.1 localhost\n::1 localhost\n"
_MOUNTS: list[dict[str, Any]] = [
    {"destination": "/proc", "type": "proc", "source": "proc"},
    {
        "destination": "/dev",
        "type": "tmpfs",
        "source": "tmpfs",
        "options": ["nosuid", "strictatime", "mode=755", "size=65536k"],
    },
    {
        "destination": "/dev/shm",  # noqa: S108 - the container's
        "type": "tmpfs",
        "source": "shm",
        "options": ["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"],
    },
]


@dataclass(frozen=True)
class Container:
    """The image as a file has it confined.

    Attributes:
        image: What is run.
        confinement: What it may do.
        folder: An empty folder of this machine for its bundle and its volumes.
        files: Content of each file of its settings, by its path in the container.
        network: Whether it has this machine's network; otherwise it has none but a loopback of its own.
    """

    image: Image
    confinement: Confinement
    folder: Path
    files: Mapping[str, str]
    network: bool = True

    def volume(self, path: str) -> Path:
        """Return where this machine has a folder of the container's."""
        return self.folder / "volumes" / path.strip("/").replace("/", "-")

    @contextmanager
    def started(
        self, command: Sequence[str], environment: Mapping[str, str], log: Path
    ) -> Iterator[Running]:
        """Start a command as the first process of the container; it is not there any more, then."""
        bundle = self.folder / "bundle"
        bundle.mkdir(parents=True)
        (bundle / "hosts").write_text(_HOSTS, encoding="utf-8")
        config = self._config(command, environment)
        (bundle / "config.json").write_text(json.dumps(config), encoding="utf-8")
        name = f"conformare-{uuid.uuid4().hex[:12]}"
        state = str(self.folder / "state")
        run = _crun(state, "run", "--bundle", str(bundle), name)
        with log.open("wb") as output:
            process = subprocess.Popen(run, stdout=output, stderr=subprocess.STDOUT)
        try:
            yield Running(process, name, state)
        finally:
            if process.poll() is None:
                subprocess.run(_crun(state, "kill", name, "KILL"), check=False)
            process.wait()

    def _config(self, command: Sequence[str], environment: Mapping[str, str]) -> dict[str, Any]:
        uid, gid = map(int, (self.confinement.user or self.image.user).split(":"))
        rights = list(self.confinement.capabilities)
        namespaces = ["pid", "ipc", "uts", "mount", *([] if self.network else ["network"])]
        return {
            "ociVersion": "1.0.0",
            "process": {
                "user": {"uid": uid, "gid": gid},
                "args": list(command),
                "env": [f"{k}={v}" for k, v in {**self.image.environment, **environment}.items()],
                "cwd": self.image.folder,
                # A user that is not root has none in force, whatever it is left.
                "capabilities": {"bounding": rights, "permitted": [], "effective": []},
                "noNewPrivileges": self.confinement.gains_nothing,
            },
            "root": {"path": str(self.image.root), "readonly": self.confinement.read_only},
            "hostname": "sink",
            "mounts": [*_MOUNTS, *self._mounts(gid)],
            "linux": {
                "namespaces": [{"type": kind} for kind in namespaces],
                "maskedPaths": ["/proc/kcore", "/proc/keys", "/sys/firmware"],
                "readonlyPaths": ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys"],
            },
        }

    def _mounts(self, gid: int) -> Iterator[dict[str, Any]]:
        confinement = self.confinement
        yield _bound(self.folder / "bundle" / "hosts", "/etc/hosts", "ro")
        for path in (*confinement.volumes, *confinement.scratch, *confinement.settings):
            folder = self.volume(path)
            folder.mkdir(parents=True)
            access = "ro" if path in confinement.settings else "rw"
            if path in confinement.volumes:
                # Docker gives a new volume to whom the image gives the folder.
                there = Path(f"{self.image.root}{path}").stat()
                os.chown(folder, there.st_uid, there.st_gid)
                folder.chmod(there.st_mode & 0o7777)
            elif path in confinement.scratch:
                folder.chmod(0o1777)
            else:
                self._write_settings(path, folder, gid)
            yield _bound(folder, path, access)

    def _write_settings(self, path: str, folder: Path, gid: int) -> None:
        for name, content in self.files.items():
            assert Path(name).parent == Path(path)
            file = folder / Path(name).name
            file.write_text(content, encoding="utf-8")
            os.chown(file, 0, gid)
            file.chmod(0o440)


@dataclass(frozen=True)
class Running:
    """A container whose first process was started.

    Attributes:
        process: crun, which passes signals on and ends as that process does.
    """

    process: subprocess.Popen[bytes]
    _name: str
    _state: str

    def inside(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run another command in it, as `docker exec` does."""
        return subprocess.run(
            _crun(self._state, "exec", self._name, *command),
            capture_output=True,
            text=True,
            check=False,
        )


def _bound(source: Path, path: str, access: str) -> dict[str, Any]:
    options = ["bind", access, "nosuid", "nodev"]
    return {"destination": path, "type": "bind", "source": str(source), "options": options}


def _crun(state: str, *arguments: str) -> list[str]:
    return ["unshare", "--mount", "sh", "-e", "-c", _CRUN, state, *arguments]
