"""The image of docker/Dockerfile, confined as docker-compose.yml and the Deployment say it.

Nothing is replaced but addresses and the port: paths, user, rights and commands are the files' own.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from pathlib import Path

import pytest
from support.image.build import Image
from support.image.confinement import Confinement, of_compose, of_kubernetes
from support.image.container import Container
from support.servers.landed import ask, emit_run, has_landed, wait_until
from support.servers.manifests import Manifest, compose, kubernetes
from support.servers.object_store import ObjectStore, s3proxy

from conformare_sink.broker.broker import EmbeddedBroker
from conformare_sink.broker.ports import free_port as a_free_port

USER = 10001
IN_SPARK = """
from conformare_sink.spark.session import build_session
spark = build_session("test", short_lived=True)
with open(f"/proc/{spark.sparkContext._gateway.proc.pid}/maps") as maps:
    print("archive:", ".jsa" in maps.read(), "rows:", spark.range(3).count())
"""


@pytest.fixture(scope="session")
def object_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectStore]:
    """An object store with a bucket."""
    with s3proxy(tmp_path_factory.mktemp("object-store")) as running:
        yield running


def land(
    container: Container,
    manifest: Manifest,
    replaced: Mapping[str, str],
    lake: tuple[str, Mapping[str, str]],
) -> str:
    """Land a run, let doctor look, ask the probes, end the sink; return what it has said."""
    port = a_free_port()
    here = {"CONFORMARE_METRICS_PORT": str(port), **replaced}
    log = container.folder / "log"
    with container.started(manifest.command, {**manifest.environment, **here}, log) as running:
        wait_until(lambda: ask(port, "/health") == HTTPStatus.OK, running.process, log)
        servers, prefix = here["CONFORMARE_BOOTSTRAP_SERVERS"], here["CONFORMARE_TOPIC_PREFIX"]
        emit_run(servers, prefix, container.folder / "spool")
        wait_until(lambda: has_landed(*lake), running.process, log)
        for page in manifest.probes.values():
            assert ask(port, page) == HTTPStatus.OK
        for check in manifest.checks:
            done = running.inside(*(word.replace(manifest.port, str(port)) for word in check))
            assert done.returncode == 0, done.stderr
        assert to_mend(running.inside("conformare", "doctor", "--json").stdout) == []
        shown = running.inside("sh", "-c", "cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ").stdout
        assert "CONFORMARE_LAKE" in shown
        assert lake[1].get("AWS_SECRET_ACCESS_KEY", "of no store") not in shown
        running.process.terminate()
        code = running.process.wait(manifest.stop_seconds)
    said = log.read_text(encoding="utf-8")
    assert code == 0, said
    assert "Traceback" not in said
    return said


def to_mend(shown: str) -> Sequence[str]:
    """What doctor wants mended."""
    return [one["line"] for one in json.loads(shown)["findings"] if one["state"] == "mend"]


def test_it_runs_as_compose_has_it(
    image: Image, broker: EmbeddedBroker, topic_prefix: str, tmp_path: Path
) -> None:
    """With tables and checkpoint in a new volume."""
    container = Container(image, of_compose(), tmp_path, {})
    replaced = {
        "CONFORMARE_BOOTSTRAP_SERVERS": broker.bootstrap_servers,
        "CONFORMARE_TOPIC_PREFIX": topic_prefix,
    }
    land(container, compose(), replaced, (f"{container.volume('/lake')}/tables/runs", {}))


def test_it_runs_as_the_deployment_has_it(
    image: Image,
    broker: EmbeddedBroker,
    object_store: ObjectStore,
    topic_prefix: str,
    tmp_path: Path,
) -> None:
    """With its secret's files, and a lake in an object store."""
    manifest, options = kubernetes(), object_store.storage_options
    files = {
        manifest.environment["CONFORMARE_KAFKA_SETTINGS"]: "security.protocol=PLAINTEXT\n",
        manifest.environment["CONFORMARE_STORAGE_OPTIONS"]: "".join(
            f"{name}={value}\n" for name, value in options.items()
        ),
    }
    lake = object_store.url(topic_prefix)
    replaced = {
        "CONFORMARE_BOOTSTRAP_SERVERS": broker.bootstrap_servers,
        "CONFORMARE_LAKE": lake,
        "CONFORMARE_METRICS_HOST": "127.0.0.1",
        "CONFORMARE_TOPIC_PREFIX": topic_prefix,
    }
    container = Container(image, of_kubernetes(), tmp_path, files)
    said = land(container, manifest, replaced, (f"{lake}/runs", options))
    assert '"landed": 1' in said


@pytest.mark.parametrize("confinement", [of_compose(), of_kubernetes()], ids=["compose", "pod"])
def test_it_can_do_no_more_than_it_needs(
    image: Image, confinement: Confinement, tmp_path: Path
) -> None:
    """Whatever runs in it: an own user, no right at all, and a root that cannot be written."""
    tried = (
        "id; touch /etc/in /usr/in /opt/conformare/in ~/in; touch /tmp/in && cat /proc/self/status"
    )
    log = tmp_path / "log"
    with Container(image, confinement, tmp_path, {}).started(
        ["sh", "-c", tried], {}, log
    ) as running:
        assert running.process.wait() == 0, log.read_text(encoding="utf-8")
    said = log.read_text(encoding="utf-8")
    assert f"uid={USER}(conformare) gid={USER}(conformare)" in said
    assert said.count("Read-only file system") == 4
    status = dict(line.split(":\t", 1) for line in said.splitlines() if ":\t" in line)
    assert {status[name] for name in ("CapEff", "CapPrm", "CapBnd")} == {"0" * 16}
    assert status["NoNewPrivs"] == "1"


def test_it_starts_without_a_network(image: Image, tmp_path: Path) -> None:
    """Spark, Java, jars and the archive of classes are inside, and no name is looked up."""
    container = Container(image, of_kubernetes(), tmp_path, {}, network=False)
    log = tmp_path / "log"
    with container.started(["python", "-c", IN_SPARK], {}, log) as running:
        assert running.process.wait() == 0, log.read_text(encoding="utf-8")
    said = log.read_text(encoding="utf-8")
    assert said.endswith("archive: True rows: 3\n")
    assert "Exception" not in said


def test_it_says_what_it_can_do_if_it_is_told_nothing(image: Image, tmp_path: Path) -> None:
    """As `docker run` of the image alone."""
    log = tmp_path / "log"
    with Container(image, of_compose(), tmp_path, {}).started(image.command, {}, log) as running:
        assert running.process.wait() == 0
    assert "--bootstrap-servers" in log.read_text(encoding="utf-8")
    assert image.user == f"{USER}:{USER}"


def test_its_user_owns_nothing_that_it_runs(image: Image) -> None:
    """Only its home and the lake, also where somebody leaves out `read_only`."""
    owned, open_to_all = set(), set()
    for folder, names, files in os.walk(image.root):
        if Path(folder) == image.root:
            names.remove("dev")  # a container gets one of its own
        for path in (Path(folder, name) for name in (*names, *files)):
            there = path.lstat()
            if there.st_uid == USER:
                owned.add(str(path.relative_to(image.root)))
            if there.st_mode & stat.S_IWOTH and not stat.S_ISLNK(there.st_mode):
                open_to_all.add(str(path.relative_to(image.root)))
    assert {path for path in owned if not path.startswith("home/conformare")} == {"lake"}
    assert open_to_all <= {"tmp", "var/tmp", "run/lock"}


def test_it_holds_no_broker_and_nothing_that_was_left_by_its_making(image: Image) -> None:
    """Each would be code that nothing needs, or bytes that nobody reads."""
    cache = image.root / image.environment["CONFORMARE_CACHE_DIR"].strip("/")
    assert [path.name.partition("-")[0] for path in (cache / "jars").iterdir()] == ["sink"]
    assert not [path for path in (image.root / "tmp").rglob("*") if path.is_file()]
    assert not list((image.root / "root").glob(".cache/*"))
