"""The files of deploy/ and docker-compose.yml: valid where they are read, and no wider than they must be."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from support.servers.manifests import (
    KUBERNETES,
    ROOT,
    SYSTEMD,
    compose,
    compose_services,
    installed,
    kubernetes,
    resource,
    systemd,
    unit,
)

from conformare_sink.cli.sink import STOP_SECONDS
from conformare_sink.spark.jars import KAFKA_VERSION
from conformare_sink.spark.java import SUPPORTED_JAVA

OLDEST_KUBERNETES, NEWEST_KUBERNETES = "1.29.0", "1.37.0"
RESOURCES = ("deployment.yaml", "service.yaml", "networkpolicy.yaml")
IMAGE = re.compile(r"[a-z0-9./-]+:[\w.-]+@sha256:[0-9a-f]{64}")
JAVA_END_SECONDS = 10.0
"""What comes after the sink's own limit."""


def pod() -> Any:
    """The pod of the Deployment."""
    return resource("deployment.yaml")["spec"]["template"]["spec"]


@pytest.mark.parametrize("version", [OLDEST_KUBERNETES, NEWEST_KUBERNETES])
@pytest.mark.parametrize("file", RESOURCES)
def test_kubernetes_takes_a_resource(file: str, version: str) -> None:
    """By the schemas of its API, where an unknown field is an error."""
    kubernetes_validate.validate(resource(file), version, strict=True)


def test_what_kubernetes_does_not_know_is_found() -> None:
    """So that the test above means something."""
    wrong = resource("deployment.yaml")
    wrong["spec"]["template"]["spec"]["containers"][0]["readOnlyRootFilesystem"] = True
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, NEWEST_KUBERNETES, strict=True)


def test_every_resource_is_applied_but_the_operators() -> None:
    """Without the Prometheus operator, its resource would fail all the others."""
    listed = resource("kustomization.yaml")["resources"]
    files = {file.name for file in KUBERNETES.iterdir()}
    assert sorted(listed) == sorted(RESOURCES)
    assert files == {*RESOURCES, "kustomization.yaml", "podmonitor.yaml"}


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed")
def test_kustomize_puts_the_image_of_a_registry_into_the_deployment() -> None:
    """It is kubectl's own."""
    command = ["kubectl", "kustomize", str(KUBERNETES)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    made = {one["kind"]: one for one in yaml.safe_load_all(done.stdout)}
    (image,) = resource("kustomization.yaml")["images"]
    (container,) = made["Deployment"]["spec"]["template"]["spec"]["containers"]
    assert container["image"] == f"{image['newName']}:{image['newTag']}"
    assert made.keys() == {"Deployment", "Service", "NetworkPolicy"}


def test_whoever_selects_pods_selects_these() -> None:
    """By the same labels, and by the port's name."""
    template = resource("deployment.yaml")["spec"]["template"]
    labels = template["metadata"]["labels"]
    (container,) = template["spec"]["containers"]
    (port,) = container["ports"]
    service, policy, monitor = map(
        resource, ("service.yaml", "networkpolicy.yaml", "podmonitor.yaml")
    )
    assert resource("deployment.yaml")["spec"]["selector"]["matchLabels"] == labels
    assert service["spec"]["selector"] == labels
    assert policy["spec"]["podSelector"]["matchLabels"] == labels
    assert monitor["spec"]["selector"]["matchLabels"] == labels
    (served,) = service["spec"]["ports"]
    (scraped,) = monitor["spec"]["podMetricsEndpoints"]
    (let_in,) = policy["spec"]["ingress"][0]["ports"]
    assert served["targetPort"] == scraped["port"] == port["name"]
    assert served["port"] == let_in["port"] == port["containerPort"]
    annotations = template["metadata"]["annotations"]
    assert annotations["prometheus.io/port"] == kubernetes().port == str(port["containerPort"])
    assert annotations["prometheus.io/path"] == scraped["path"] == "/metrics"


def test_one_pod_ends_before_the_next_one_starts() -> None:
    """Two would fight for the lake, and one would lose."""
    spec = resource("deployment.yaml")["spec"]
    assert (spec["replicas"], spec["strategy"]["type"]) == (1, "Recreate")


def test_the_pod_is_nobody_and_may_do_nothing() -> None:
    """What the standard "restricted" of Kubernetes asks for, and more."""
    (container,) = pod()["containers"]
    whole, own = pod()["securityContext"], container["securityContext"]
    assert whole["runAsNonRoot"]
    assert whole["runAsUser"] == whole["runAsGroup"] == whole["fsGroup"] == image_user()
    assert whole["seccompProfile"]["type"] == "RuntimeDefault"
    assert pod()["automountServiceAccountToken"] is False
    assert own == {
        "readOnlyRootFilesystem": True,
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container["resources"]["limits"].keys() == {"memory", "ephemeral-storage"}
    assert container["resources"]["requests"].keys() == {"cpu", "memory", "ephemeral-storage"}


def image_user() -> int:
    """The user of our image."""
    dockerfile = (ROOT / "docker" / "Dockerfile").read_text(encoding="utf-8")
    found = re.search(r"^USER (\d+):(\d+)$", dockerfile, re.MULTILINE)
    assert found is not None
    assert found[1] == found[2]
    return int(found[1])


def test_no_password_is_in_a_variable_or_a_command() -> None:
    """Whoever may list processes or look at a pod would read it: they are in files."""
    for manifest in (compose(), kubernetes(), systemd()):
        words = " ".join([*manifest.command, *manifest.environment, *manifest.environment.values()])
        assert not re.search(r"password|secret|access_key|sasl", words, re.IGNORECASE)
    (mount,) = [one for one in pod()["containers"][0]["volumeMounts"] if one["name"] == "settings"]
    (volume,) = [one for one in pod()["volumes"] if one["name"] == "settings"]
    assert mount["readOnly"]
    assert volume["secret"]["defaultMode"] == 0o440
    files = {
        value.removeprefix(f"{mount['mountPath']}/")
        for value in kubernetes().environment.values()
        if value.startswith("/")
    }
    text = (KUBERNETES / "kustomization.yaml").read_text(encoding="utf-8")
    assert f"create secret generic {volume['secret']['secretName']}" in text
    assert set(re.findall(r"--from-file=(\S+)", text)) == files


@pytest.mark.parametrize("manifest", [compose, kubernetes, systemd])
def test_the_sink_has_the_time_that_it_takes_to_end(manifest: Any) -> None:
    """Whoever kills it earlier breaks a batch off."""
    assert manifest().stop_seconds >= STOP_SECONDS + JAVA_END_SECONDS


def test_only_the_page_for_it_can_have_the_pod_restarted() -> None:
    """A sink that waits for its broker is not ready, and well."""
    assert kubernetes().probes == {"startup": "/live", "liveness": "/live", "readiness": "/health"}


def test_the_containers_of_compose_may_do_nothing() -> None:
    """And run what was named: an image by its digest, or ours."""
    services = compose_services()
    for name, service in services.items():
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert {"mem_limit", "pids_limit", "healthcheck"} <= service.keys(), name
        assert not {"privileged", "cap_add", "pid", "network_mode", "devices"} & service.keys()
        assert "build" in service or IMAGE.fullmatch(service["image"]), name
    assert services["sink"]["user"] == f"{image_user()}:{image_user()}"
    assert services["kafka"]["image"].startswith(f"apache/kafka:{KAFKA_VERSION}@")


def test_the_image_has_the_java_that_spark_runs_on() -> None:
    """On an image named by its digest."""
    dockerfile = (ROOT / "docker" / "Dockerfile").read_text(encoding="utf-8")
    (base,) = re.findall(r"^FROM (\S+)$", dockerfile, re.MULTILINE)
    assert IMAGE.fullmatch(base)
    (java,) = re.findall(r"openjdk-(\d+)-jre-headless", dockerfile)
    assert int(java) in SUPPORTED_JAVA


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    """With its drop-in; a misspelt setting would be ignored without a word."""
    text = (SYSTEMD / "conformare-sink.service").read_text(encoding="utf-8")
    # It looks for the program, and for the user.
    program = systemd().command[0]
    text = text.replace(program, installed(program)).replace("User=conformare", "User=root")
    (tmp_path / "conformare-sink.service").write_text(text, encoding="utf-8")
    drop_in = tmp_path / "conformare-sink.service.d"
    drop_in.mkdir()
    shutil.copy(SYSTEMD / "credentials.conf", drop_in)
    command = ["systemd-analyze", "verify", str(tmp_path / "conformare-sink.service")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    ours = [line for line in done.stderr.splitlines() if "conformare" in line]
    assert (done.returncode, ours) == (0, [])


def test_systemd_signals_the_sink_alone_and_starts_it_again() -> None:
    """By default Java would be signalled as well, and the batch broken off."""
    settings = unit("conformare-sink.service")
    assert (settings["KillMode"], settings["Restart"]) == (["mixed"], ["always"])


def test_the_unit_may_write_to_its_state_alone() -> None:
    """Java compiles while it runs, so of all locks that one stays open."""
    settings = {name: values[-1] for name, values in unit("conformare-sink.service").items()}
    locked = (
        "NoNewPrivileges",
        "PrivateTmp",
        "PrivateDevices",
        "ProtectHome",
        "RestrictNamespaces",
    )
    assert {settings[name] for name in locked} == {"yes"}
    assert (settings["ProtectSystem"], settings["CapabilityBoundingSet"]) == ("strict", "")
    assert settings["User"] not in {"", "root"}
    state = f"/var/lib/{settings['StateDirectory']}/"
    environment = systemd().environment
    assert environment["CONFORMARE_LAKE"].startswith(state)
    assert environment["CONFORMARE_CHECKPOINT"].startswith(state)
    assert "MemoryDenyWriteExecute" not in settings
