"""A real Schema Registry, and what may stand in front of one: a door that asks, a line that is slow."""

from __future__ import annotations

import fcntl
import http.client
import json
import shutil
import signal
import socket
import ssl
import subprocess
import tarfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote, urlsplit

import pyspark

from conformare_schemas.registry import RegistryAccess, RegistryClient
from conformare_sink.broker.ports import free_port
from conformare_sink.spark.jars import cache_directory
from conformare_sink.spark.java import find_java
from support.servers.certificates import Authority

VERSION = "3.0.9"
SHA256 = "2b28181501a20cbf6efcd77f9b7153908fc01f3d3a7c32024c0bd9e1b04c8a43"
API = "/apis/ccompat/v7"
START_SECONDS = 120
_FETCH_SECONDS = 600
_LOOK_SECONDS = 0.1

# Without its .pom: that names parents which Maven Central has, and that say nothing of use here.
_SETTINGS = """\
<ivysettings>
  <settings defaultResolver="central"/>
  <resolvers><ibiblio name="central" m2compatible="true" usepoms="false"/></resolvers>
</ivysettings>
"""
_MODULE = f"""\
<ivy-module version="2.0" xmlns:m="http://ant.apache.org/ivy/maven">
  <info organisation="conformare" module="registry"/>
  <configurations><conf name="default"/></configurations>
  <dependencies>
    <dependency org="io.apicurio" name="apicurio-registry-app" rev="{VERSION}"
                conf="default->default" transitive="false">
      <artifact name="apicurio-registry-app" type="tar.gz" ext="tar.gz" m:classifier="all"/>
    </dependency>
  </dependencies>
</ivy-module>
"""


def registry_program() -> Path:
    """Return the jar of the registry; fetch it where this machine does not have it."""
    folder = cache_directory() / "registry" / VERSION
    program = folder / f"apicurio-registry-app-{VERSION}-runner.jar"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not program.exists():
            _fetch(folder, program.name)
    return program


def _fetch(folder: Path, program: str) -> None:
    work = folder / "ivy"
    work.mkdir(exist_ok=True)
    (work / "settings.xml").write_text(_SETTINGS, encoding="utf-8")
    (work / "ivy.xml").write_text(_MODULE, encoding="utf-8")
    (ivy_jar,) = Path(pyspark.__file__).parent.glob("jars/ivy-*.jar")
    command = [
        *(str(find_java()), "-Xmx256m", f"-Duser.home={work}"),
        *("-cp", str(ivy_jar), "org.apache.ivy.Main"),
        *("-settings", str(work / "settings.xml"), "-cache", str(work / "cache")),
        *("-ivy", str(work / "ivy.xml"), "-confs", "default", "-types", "tar.gz"),
        *("-retrieve", f"{work}/[artifact].[ext]"),
    ]
    subprocess.run(
        command, check=True, stdin=subprocess.DEVNULL, capture_output=True, timeout=_FETCH_SECONDS
    )
    archive = work / "apicurio-registry-app.tar.gz"
    assert sha256(archive.read_bytes()).hexdigest() == SHA256, f"{archive} is not as it was"
    with tarfile.open(archive) as opened:
        opened.extractall(work / "unpacked", filter="data")
    # The program comes last: where it is, all that it needs is.
    for part in sorted((work / "unpacked").iterdir(), key=lambda one: one.name == program):
        part.rename(folder / part.name)
    shutil.rmtree(work)


class Registry:
    """A registry in a process of its own, which keeps everything in memory.

    Args:
        folder: Takes its log.
    """

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}{API}"
        self._log = folder / "registry.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, empty, and wait until it answers."""
        options = {"host": "127.0.0.1", "port": self.port}
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *(str(find_java()), "-Xmx384m", "-XX:TieredStopAtLevel=1"),
                    *(f"-Dquarkus.http.{name}={value}" for name, value in options.items()),
                    *("-Dquarkus.management.enabled=false", "-jar", str(registry_program())),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        until = time.monotonic() + START_SECONDS
        while not self._answers():
            assert self._process.poll() is None, (
                f"the registry ended: {self._log.read_text()[-2000:]}"
            )
            assert time.monotonic() < until, "the registry does not answer"
            time.sleep(_LOOK_SECONDS)

    def kill(self) -> None:
        """Kill it, with all that it knew."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def hang(self) -> None:
        """Let it answer nothing any more; connections are still accepted."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Let it answer again."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def client(self) -> RegistryClient:
        """Return a client of ours."""
        return RegistryClient(RegistryAccess.of(self.url, {}))

    def fill(self, number: int) -> None:
        """Register so many schemas of others."""
        with closing(self.client()) as client:
            for n in range(number):
                fields = [{"name": f"field_{n}", "type": "string"}]
                schema = {"type": "record", "name": f"Other{n}", "fields": fields}
                client.register(f"other-{n}-value", json.dumps(schema))

    def require_compatibility(self, subject: str) -> None:
        """Let a subject take only what goes with all that it has."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        with closing(connection):
            body = '{"compatibility": "FULL_TRANSITIVE"}'
            headers = {"Content-Type": "application/json"}
            connection.request("PUT", f"{API}/config/{quote(subject)}", body, headers)
            assert connection.getresponse().status == http.client.OK

    def _answers(self) -> bool:
        with suppress(OSError, http.client.HTTPException):
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
            with closing(connection):
                connection.request("GET", f"{API}/subjects")
                return connection.getresponse().status == http.client.OK
        return False


@contextmanager
def running_registry(folder: Path) -> Iterator[Registry]:
    """A registry that is empty at first."""
    registry = Registry(folder)
    registry.start()
    try:
        yield registry
    finally:
        registry.kill()


class Door:
    """What stands in front of a registry, such as a proxy of its company; made by `door`.

    Attributes:
        url: Where clients go.
        wanted: The header Authorization that they need; None for none.
        seconds: How long each answer is held back.
        asked: The paths that were asked for.
    """

    def __init__(self, registry: Registry, server: ThreadingHTTPServer, scheme: str) -> None:
        self.registry = registry
        self.url = f"{scheme}://127.0.0.1:{server.server_port}{API}"
        self.wanted: str | None = None
        self.seconds = 0.0
        self.asked: list[str] = []


@contextmanager
def door(registry: Registry, tls: ssl.SSLContext | None = None) -> Iterator[Door]:
    """A server that passes on to a registry what it lets in."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            found.asked.append(self.path)
            time.sleep(found.seconds)
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if found.wanted is not None and self.headers.get("Authorization") != found.wanted:
                self._answer(401, b'{"error_code": 401, "message": "who are you?"}')
                return
            port = urlsplit(registry.url).port
            with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as upstream:
                headers = {"Content-Type": self.headers.get("Content-Type", "")}
                upstream.request(self.command, self.path, body, headers)
                answer = upstream.getresponse()
                self._answer(answer.status, answer.read())

        do_POST = do_GET  # noqa: N815 - as the standard library calls it

        def _answer(self, status: int, content: bytes) -> None:
            with suppress(OSError):  # who asked may be gone
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        block_on_close = False

        def handle_error(self, *_: object) -> None:
            """A client that TLS refuses is no fault."""

    server = Server(("127.0.0.1", 0), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    found = Door(registry, server, "http" if tls is None else "https")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()


def server_context(authority: Authority) -> ssl.SSLContext:
    """Return what a door needs that asks its clients for certificates of an authority."""
    certificate, key = authority.certify("registry")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    context.load_verify_locations(authority.file)
    context.verify_mode = ssl.CERT_REQUIRED
    return context


@contextmanager
def silent_server() -> Iterator[str]:
    """The URL of a server that accepts whoever comes and never says a word."""
    taken: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def accept() -> None:
            with suppress(OSError):
                while True:
                    taken.append(server.accept()[0])

        threading.Thread(target=accept, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)
    for one in taken:
        one.close()


def wait_for(condition: Callable[[], bool], seconds: float) -> None:
    """Wait until something is so that a registry's answer brings about.

    Raises:
        AssertionError: It is not so in time.
    """
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(_LOOK_SECONDS)
