"""What docker-compose.yml and the Deployment let the sink's container do, read from the files as they stand."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from support.servers.manifests import compose_services, resource

# What Docker and containerd leave to a container that nobody has taken them from.
_USUAL = tuple(
    f"CAP_{name}"
    for name in (
        *("AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD"),
        *("NET_BIND_SERVICE", "NET_RAW", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT"),
    )
)


@dataclass(frozen=True)
class Confinement:
    """What a container may do.

    Attributes:
        user: As a number, and its group's; None for the image's.
        capabilities: Those that it has.
        read_only: Whether its root cannot be written.
        gains_nothing: Whether it cannot gain rights by programs of other users.
        volumes: Folders that can be written.
        scratch: Folders in memory, or on the node's disk, that begin empty and that all may write to.
        settings: Folders of files that only its group reads.
    """

    user: str | None
    capabilities: Collection[str]
    read_only: bool
    gains_nothing: bool
    volumes: Collection[str] = ()
    scratch: Collection[str] = ()
    settings: Collection[str] = ()


def of_compose() -> Confinement:
    """What docker-compose.yml says of the sink."""
    sink = compose_services()["sink"]
    return Confinement(
        user=sink.get("user"),
        capabilities=() if sink.get("cap_drop") == ["ALL"] else _USUAL,
        read_only=sink.get("read_only", False),
        gains_nothing="no-new-privileges:true" in sink.get("security_opt", []),
        volumes=[volume.partition(":")[2] for volume in sink["volumes"]],
        scratch=[folder.partition(":")[0] for folder in sink["tmpfs"]],
    )


def of_kubernetes() -> Confinement:
    """What the Deployment says."""
    pod = resource("deployment.yaml")["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    mine, everybodys = container["securityContext"], pod["securityContext"]
    kinds = {volume["name"]: volume for volume in pod["volumes"]}

    def mounted(kind: str) -> list[str]:
        mounts: list[dict[str, Any]] = container["volumeMounts"]
        return [mount["mountPath"] for mount in mounts if kind in kinds[mount["name"]]]

    return Confinement(
        user=f"{everybodys['runAsUser']}:{everybodys['runAsGroup']}",
        capabilities=() if mine.get("capabilities") == {"drop": ["ALL"]} else _USUAL,
        read_only=mine.get("readOnlyRootFilesystem", False),
        gains_nothing=not mine.get("allowPrivilegeEscalation", True),
        scratch=mounted("emptyDir"),
        settings=mounted("secret"),
    )
