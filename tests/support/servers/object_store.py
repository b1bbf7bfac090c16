"""Real object stores on loopback that keep conditional PUTs; for tests, faults and the bench.

`s3proxy` needs nothing but Java. It creates an object once, whatever races for it, but it only looks
at `If-Match` before it writes: of two that replace one object within a millisecond, both may win.
`minio` keeps both, and is built with Go where this machine does not have it yet.
"""

from __future__ import annotations

import subprocess
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import obstore
from obstore.store import S3Store

from conformare_sink.broker.ports import free_port
from conformare_sink.spark.jars import JarSet, resolve_jars
from conformare_sink.spark.java import find_java
from support.servers.minio import minio_program

BUCKET = "lakes"
USER, PASSWORD = "conformare", "a-password-of-tests"

S3PROXY_JARS = JarSet(
    name="s3proxy",
    # What its store in memory uses. All that it depends on would be the clients of every cloud.
    coordinates=(
        "org.gaul:s3proxy:4.1.0",
        "args4j:args4j:2.37",
        "ch.qos.logback:logback-classic:1.6.3",
        "ch.qos.logback:logback-core:1.6.3",
        "com.fasterxml.jackson.core:jackson-annotations:2.22",
        "com.fasterxml.woodstox:woodstox-core:7.2.1",
        "com.google.guava:failureaccess:1.0.3",
        "com.google.guava:guava:33.7.1-jre",
        "com.google.jimfs:jimfs:1.3.2",
        "jakarta.servlet:jakarta.servlet-api:6.0.0",
        "org.codehaus.woodstox:stax2-api:4.3.0",
        "org.slf4j:slf4j-api:2.0.18",
        "software.amazon.awssdk:aws-core:2.54.2",
        "software.amazon.awssdk:checksums:2.54.2",
        "software.amazon.awssdk:checksums-spi:2.54.2",
        "software.amazon.awssdk:http-client-spi:2.54.2",
        "software.amazon.awssdk:s3:2.54.2",
        "software.amazon.awssdk:sdk-core:2.54.2",
        "software.amazon.awssdk:utils:2.54.2",
        "tools.jackson.core:jackson-core:3.2.2",
        "tools.jackson.core:jackson-databind:3.2.2",
        "tools.jackson.dataformat:jackson-dataformat-xml:3.2.2",
    ),
    beside_spark=False,
    transitive=False,
)

_S3PROXY_SETTINGS = f"""\
s3proxy.endpoint=http://127.0.0.1:{{port}}
s3proxy.authorization=aws-v2-or-v4
s3proxy.identity={USER}
s3proxy.credential={PASSWORD}
jclouds.provider=transient-nio2
jclouds.identity=nobody
jclouds.credential=nothing
"""
# Without it, a line for every header of every request.
_LOGBACK = """\
<configuration>
  <appender name="log" class="ch.qos.logback.core.ConsoleAppender">
    <encoder><pattern>%d %level %logger %message%n</pattern></encoder>
  </appender>
  <root level="WARN"><appender-ref ref="log"/></root>
</configuration>
"""

_START_SECONDS = 60.0
_END_SECONDS = 10.0
_POLL_SECONDS = 0.05


@dataclass(frozen=True)
class ObjectStore:
    """A running object store with a bucket.

    Attributes:
        endpoint: Its address.
        bucket: The bucket, which is there.
    """

    endpoint: str
    bucket: str = BUCKET

    @property
    def storage_options(self) -> dict[str, str]:
        """What a client must know, by the names of the environment's variables."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": USER,
            "AWS_SECRET_ACCESS_KEY": PASSWORD,
            "AWS_REGION": "us-east-1",
            "AWS_ALLOW_HTTP": "true",
        }

    def url(self, path: str) -> str:
        """Return the address of a path inside the bucket, such as that of a lake."""
        return f"s3://{self.bucket}/{path}"

    def client(self) -> S3Store:
        """Return a client of the bucket for `obstore`, to look at its objects."""
        # Its types know the names in lower case only.
        return S3Store(self.bucket, config=self.storage_options)  # type: ignore[arg-type]

    def behind(self, endpoint: str) -> ObjectStore:
        """Return the same store as it is reached by another address: a proxy's."""
        return replace(self, endpoint=endpoint)

    def make_bucket(self) -> None:
        """Make the bucket."""
        address = obstore.sign(self.client(), "PUT", "", timedelta(minutes=1))
        with urllib.request.urlopen(urllib.request.Request(address, method="PUT")):  # noqa: S310 - ours
            pass


@contextmanager
def s3proxy(folder: Path, *more_settings: str) -> Iterator[ObjectStore]:
    """Run S3Proxy, which keeps all in its memory, for the time of a block.

    Args:
        folder: An empty folder for its settings and its log.
        more_settings: More lines of its settings.
    """
    port = free_port()
    settings, logback = folder / "s3proxy.properties", folder / "logback.xml"
    lines = [_S3PROXY_SETTINGS.format(port=port), *more_settings]
    settings.write_text("\n".join(lines), encoding="utf-8")
    logback.write_text(_LOGBACK, encoding="utf-8")
    jars = resolve_jars(S3PROXY_JARS)
    command = [
        *(str(find_java()), "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"),
        *(f"-Dlogback.configurationFile={logback}", "-cp", f"{jars[0].parent}/*"),
        *("org.gaul.s3proxy.Main", "--properties", str(settings)),
    ]
    with _running(command, folder, port) as store:
        yield store


@contextmanager
def minio(folder: Path) -> Iterator[ObjectStore]:
    """Run MinIO for the time of a block.

    Args:
        folder: An empty folder for its data and its log.
    """
    port = free_port()
    data = folder / "data"
    data.mkdir()
    command = [str(minio_program()), "server", "--address", f"127.0.0.1:{port}", str(data)]
    environment = {
        "HOME": str(folder),
        "MINIO_ROOT_USER": USER,
        "MINIO_ROOT_PASSWORD": PASSWORD,
        "MINIO_BROWSER": "off",
        "MINIO_UPDATE": "off",
    }
    with _running(command, folder, port, environment) as store:
        yield store


@contextmanager
def _running(
    command: Sequence[str], folder: Path, port: int, environment: Mapping[str, str] | None = None
) -> Iterator[ObjectStore]:
    """Run a server until the block is left, with its bucket.

    Raises:
        RuntimeError: It did not start.
    """
    log = folder / "server.log"
    store = ObjectStore(f"http://127.0.0.1:{port}")
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        _await_bucket(store, process, log)
        yield store
    finally:
        process.terminate()
        try:
            process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _await_bucket(store: ObjectStore, process: subprocess.Popen[bytes], log: Path) -> None:
    """Make the bucket as soon as the server answers."""
    deadline = time.monotonic() + _START_SECONDS
    while (fault := _refusal(store)) is not None:
        if process.poll() is not None or time.monotonic() > deadline:
            said = log.read_text(encoding="utf-8", errors="replace")[-1000:]
            raise RuntimeError(f"the object store did not start: {fault}: {said}")
        time.sleep(_POLL_SECONDS)


def _refusal(store: ObjectStore) -> OSError | None:
    try:
        store.make_bucket()
    except OSError as exc:
        return exc
    return None
