"""What the files of deploy/ and docker-compose.yml start, as processes that are confined as there.

The very commands, arguments, variables, files and probes: only addresses, and paths that this machine
does not have, are replaced.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path

import pytest
from support.servers.confined import confined, is_read_only
from support.servers.landed import ask, emit_run, has_landed, wait_until
from support.servers.manifests import Manifest, compose, installed, kubernetes, systemd
from support.servers.object_store import ObjectStore

from conformare_sink.broker.broker import EmbeddedBroker
from conformare_sink.broker.ports import free_port as a_free_port
from conformare_sink.spark.jars import SINK_JARS, cache_directory, resolve_jars

NOBODY = "127.0.0.1:1"
KEPT = ("PATH", "PYTHONPATH", "JAVA_HOME", "SPARK_SUBMIT_OPTS")


class Deployment:
    """A manifest made to run on this machine.

    Args:
        manifest: What the file says.
        folder: The volumes of the sink.
        replaced: Values of variables instead of those of the file, which must have them.
        files: Content of each file that the manifest mounts, by the variable that names it.
    """

    def __init__(
        self,
        manifest: Manifest,
        folder: Path,
        replaced: Mapping[str, str],
        files: Mapping[str, str] | None = None,
    ) -> None:
        self.port = a_free_port()
        self.manifest = manifest
        self._folder = folder
        self.log = folder / "log"
        mounted: dict[str, str] = {}
        for variable, content in (files or {}).items():
            file = folder / Path(manifest.environment[variable]).name
            file.write_text(content, encoding="utf-8")
            file.chmod(0o440)
            mounted[variable] = str(file)
        here = {"CONFORMARE_METRICS_PORT": str(self.port), **replaced, **mounted}
        if "CONFORMARE_METRICS_HOST" in manifest.environment:
            here["CONFORMARE_METRICS_HOST"] = "127.0.0.1"
        assert here.keys() <= manifest.environment.keys()
        self.settings = {**manifest.environment, **here}
        resolve_jars(SINK_JARS)  # an image, and whoever installs a unit, has them
        self.settings["CONFORMARE_CACHE_DIR"] = str(cache_directory())

    @contextmanager
    def started(self, **more: str) -> Iterator[subprocess.Popen[bytes]]:
        """The sink, which is there when the block begins, and then not."""
        program, *arguments = self.manifest.command
        command = confined([installed(program), *arguments], self._folder)
        # Nothing of the shell's that a supervisor would not hand on.
        kept = {name: os.environ[name] for name in KEPT if name in os.environ}
        environment = {**kept, "HOME": "/nonexistent", **self.settings, **more}
        with self.log.open("wb") as log:
            process = subprocess.Popen(
                command, env=environment, stdout=log, stderr=subprocess.STDOUT
            )
        try:
            yield process
        finally:
            process.kill()
            process.wait()

    def ask(self, path: str) -> int:
        """Return how the sink answers; 0 where it does not."""
        return ask(self.port, path)

    def lives(self) -> bool:
        """Whether everything that may have the sink restarted is content with it."""
        probes = self.manifest.probes
        pages = [probes[name] for name in ("startup", "liveness") if name in probes]
        answers = [self.ask(page) == HTTPStatus.OK for page in pages]
        for program, *words in self.manifest.checks:
            here = [word.replace(self.manifest.port, str(self.port)) for word in words]
            done = subprocess.run([installed(program), *here], capture_output=True, check=False)
            answers.append(done.returncode == 0)
        return all(answers)

    def is_ready(self) -> bool:
        """Whether it is to be shown as well; what has no probe is looked at by an operator."""
        return self.ask(self.manifest.probes.get("readiness", "/health")) == HTTPStatus.OK

    def ended(self, process: subprocess.Popen[bytes]) -> str:
        """Ask the sink to end, which it does in time and in order; return what it has said."""
        process.terminate()
        code = process.wait(self.manifest.stop_seconds)
        said = self.log.read_text(encoding="utf-8")
        assert code == 0, said
        assert "Traceback" not in said
        return said


def land(
    deployment: Deployment,
    topic_prefix: str,
    table: str,
    options: Mapping[str, str] | None = None,
) -> str:
    """Land a run by a deployment, look at its probes, end it; return what it has said."""
    prefix = {"CONFORMARE_TOPIC_PREFIX": topic_prefix}
    with deployment.started(**prefix) as process:
        servers = deployment.settings["CONFORMARE_BOOTSTRAP_SERVERS"]
        wait_until(deployment.is_ready, process, deployment.log)
        emit_run(servers, topic_prefix, deployment.log.with_name("spool"))
        wait_until(lambda: has_landed(table, options or {}), process, deployment.log)
        assert (deployment.is_ready(), deployment.lives()) == (True, True)
        return deployment.ended(process)


def test_the_service_of_compose_lands_a_run_and_stops_in_order(
    broker: EmbeddedBroker, topic_prefix: str, tmp_path: Path
) -> None:
    """Its lake and its checkpoint are in the one volume."""
    replaced = {
        "CONFORMARE_BOOTSTRAP_SERVERS": broker.bootstrap_servers,
        "CONFORMARE_LAKE": str(tmp_path / "tables"),
        "CONFORMARE_CHECKPOINT": str(tmp_path / "checkpoint"),
    }
    land(Deployment(compose(), tmp_path, replaced), topic_prefix, f"{tmp_path}/tables/runs")


def test_the_unit_lands_a_run_and_stops_in_order(
    broker: EmbeddedBroker, topic_prefix: str, tmp_path: Path
) -> None:
    """With the credentials of its drop-in, and a lake in its state."""
    replaced = {
        "CONFORMARE_BOOTSTRAP_SERVERS": broker.bootstrap_servers,
        "CONFORMARE_LAKE": str(tmp_path / "lake"),
        "CONFORMARE_CHECKPOINT": str(tmp_path / "checkpoint"),
        "CONFORMARE_CACHE_DIR": str(cache_directory()),
    }
    files = {
        "CONFORMARE_KAFKA_SETTINGS": "security.protocol=PLAINTEXT\n",
        "CONFORMARE_STORAGE_OPTIONS": "# none: the lake is on a disk\n",
    }
    deployment = Deployment(systemd(), tmp_path, replaced, files)
    land(deployment, topic_prefix, f"{tmp_path}/lake/runs")


# The service of compose and the unit land runs in `make test`, and lakes in a store are tested there.
@pytest.mark.long
def test_the_deployment_lands_a_run_in_an_object_store_and_stops_in_order(
    broker: EmbeddedBroker, object_store: ObjectStore, topic_prefix: str, tmp_path: Path
) -> None:
    """The store's credentials are in the mounted file alone."""
    lake = object_store.url(topic_prefix)
    replaced = {"CONFORMARE_BOOTSTRAP_SERVERS": broker.bootstrap_servers, "CONFORMARE_LAKE": lake}
    options = object_store.storage_options
    files = {
        "CONFORMARE_KAFKA_SETTINGS": "security.protocol=PLAINTEXT\n",
        "CONFORMARE_STORAGE_OPTIONS": "".join(f"{k}={v}\n" for k, v in options.items()),
    }
    deployment = Deployment(kubernetes(), tmp_path, replaced, files)
    said = land(deployment, topic_prefix, f"{lake}/runs", options)
    assert '"landed": 1' in said  # one JSON line for the batch, as its arguments say
    assert options["AWS_SECRET_ACCESS_KEY"] not in said


def test_a_sink_that_waits_for_its_broker_is_alive_and_not_ready(tmp_path: Path) -> None:
    """The kubelet leaves it alone, and whoever rolls it out sees that it is not there yet."""
    replaced = {
        "CONFORMARE_BOOTSTRAP_SERVERS": NOBODY,
        "CONFORMARE_LAKE": str(tmp_path / "lake"),
    }
    files = {
        "CONFORMARE_KAFKA_SETTINGS": "security.protocol=PLAINTEXT\n",
        "CONFORMARE_STORAGE_OPTIONS": "",
    }
    deployment = Deployment(kubernetes(), tmp_path, replaced, files)
    with deployment.started() as process:
        wait_until(lambda: deployment.ask("/live") != 0, process, deployment.log)
        assert (deployment.lives(), deployment.is_ready()) == (True, False)
        deployment.ended(process)


def test_nothing_but_its_volumes_can_be_written(tmp_path: Path) -> None:
    """What the tests above are confined by; a machine that does not let us cannot show it."""
    if not is_read_only():
        pytest.skip("this machine lets nobody mount")
    tried = "touch /usr/x /etc/x; touch /tmp/in; grep -E 'CapEff|NoNewPrivs' /proc/self/status"
    command = confined(["sh", "-c", tried], tmp_path)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stderr.count("Read-only file system") == 2
    assert done.stdout.split() == ["CapEff:", "0" * 16, "NoNewPrivs:", "1"]
    assert (tmp_path / "tmp" / "in").exists()
