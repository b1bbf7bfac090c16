"""Runs that a Schema Registry's ids frame land, whoever wrote them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from pyspark.sql import SparkSession
from support.jobs.processes import Job
from support.lakes.checker import read_table
from support.lakes.store import Store
from support.messages.produce import Topic
from support.messages.topics import first_bytes
from support.servers.registry import Registry

from conformare.cli import main
from conformare_schemas import GRAINS
from conformare_sink.broker.broker import EmbeddedBroker
from conformare_sink.kafka.topics import Topics
from conformare_sink.options import SinkOptions

KNOWN_BY_ID = """
import time
from pathlib import Path
record('at-once')
spool = Path(os.environ['CONFORMARE_SPOOL_DIR'])
while not [*spool.rglob('schema-ids-*.json')]:
    time.sleep(0.01)
record('of-the-job')
cf.flush(30)
"""
"""The registry has answered when the second run is recorded, however long it takes to the first."""
OF_THE_JOB, OF_CONFLUENT = 8, 3
"""Messages of one run."""
PAGE = Path(__file__).parents[3] / "docs/reference/contract.md"


pytestmark = pytest.mark.long


@pytest.fixture
def store(
    broker: EmbeddedBroker, spark: SparkSession, registry: Registry, lake: str, topic_prefix: str
) -> Store:
    """Topics, a lake, and a sink that is given the registry."""
    options = SinkOptions(
        bootstrap_servers=broker.bootstrap_servers,
        lake=lake,
        topic_prefix=topic_prefix,
        schema_registry_url=registry.url,
    )
    Topics(broker.bootstrap_servers, topic_prefix).create()
    return Store(spark, options, Topic(broker.bootstrap_servers, topic_prefix))


def test_a_job_and_a_producer_of_confluents_alone_land_by_ids(
    store: Store, registry: Registry, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The schemas are registered by the command; the producer is the program of docs/reference/contract.md."""
    prefix = store.options.topic_prefix
    command = ["--schema-registry-url", registry.url, "--topic-prefix", prefix]
    assert main(["schemas", "check", *command]) == 1
    assert main(["schemas", "register", *command]) == 0
    assert main(["schemas", "check", *command]) == 0
    told = capsys.readouterr().out
    assert told.count("missing: `conformare schemas register` adds it") == len(GRAINS)

    job = Job(
        "job",
        KNOWN_BY_ID,
        bootstrap_servers=store.options.bootstrap_servers,
        topic_prefix=prefix,
        spool_dir=str(tmp_path / "spool"),
        schema_registry_url=registry.url,
    )
    job.end()
    (program,) = re.findall(
        r"^```python\n(import os\n.*?)^```", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    environment = {
        "BOOTSTRAP_SERVERS": store.options.bootstrap_servers,
        "TOPIC_PREFIX": prefix,
        "REGISTRY_URL": registry.url,
        "RUN_ID": "of-confluent",
    }
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr

    framings = Counter(first_bytes(store.options.bootstrap_servers, prefix))
    assert framings[b"\0"] == OF_CONFLUENT + OF_THE_JOB or set(framings) == {b"\0"}
    store.catch_up()
    runs = {row["run_id"] for row in read_table(store.lake, "runs")}
    assert runs == {"at-once", "of-the-job", "of-confluent"}
    assert Counter(row["run_id"] for row in read_table(store.lake, "risks"))["of-confluent"] == 1
    assert read_table(store.lake, "quarantine") == []


def test_doctor_tells_which_schemas_a_registry_lacks(
    registry: Registry, topic_prefix: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the command that registers them; it registers none itself."""
    at = ["--schema-registry-url", registry.url, "--topic-prefix", topic_prefix]

    def found() -> tuple[str, str]:
        main(["doctor", "--json", "--role", "job", *at])
        (one,) = [
            one
            for one in json.loads(capsys.readouterr().out)["findings"]
            if one["part"] == "registry"
        ]
        return one["state"], one["line"]

    state, line = found()
    assert state == "mend"
    assert line.startswith(f"{registry.url} lacks schemas of {topic_prefix}contexts-value, ")
    assert f"`conformare schemas register --schema-registry-url {registry.url}" in line
    assert found()[0] == "mend"
    assert main(["schemas", "register", *at]) == 0
    capsys.readouterr()
    state, line = found()
    assert state == "good"
    assert line == f"{registry.url} answers, and has all schemas of the messages"
