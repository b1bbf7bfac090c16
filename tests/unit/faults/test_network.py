"""The network that goes wrong, between a client and a small server of the standard library."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet  # the builtin one from Python 3.11 on
from contextlib import closing
from http.client import HTTPConnection, HTTPException, HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from support.servers.network import Network, Request, commit_of, network

COMMIT = "/lakes/a%20lake/runs/_delta_log/00000000000000000007.json"
LONG = 20.0


class Store(ThreadingHTTPServer):
    """Keeps what is PUT to it."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.objects: dict[str, bytes] = {}
        self.hosts: set[str | None] = set()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Store

    def do_PUT(self) -> None:
        self.server.hosts.add(self.headers["Host"])
        body = self.rfile.read(int(self.headers["Content-Length"]))
        is_new = self.path not in self.server.objects
        if is_new:
            self.server.objects[self.path] = body
        self.send_response(200 if is_new else 412)
        self.send_header("ETag", "seven")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for part in (self.server.objects[self.path], b"!", b""):
            self.wfile.write(f"{len(part):x}\r\n".encode() + part + b"\r\n")

    def do_HEAD(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "1000000")
        self.end_headers()

    def do_DELETE(self) -> None:
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def store() -> Iterator[Store]:
    """A running store."""
    store = Store()
    thread = threading.Thread(target=store.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield store
    store.shutdown()
    store.server_close()
    thread.join()


@pytest.fixture
def net(store: Store) -> Iterator[Network]:
    """A network to it."""
    with network(f"http://127.0.0.1:{store.server_port}") as net:
        yield net


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    """Threads for clients that wait."""
    with ThreadPoolExecutor(4) as pool:
        yield pool


def connect(net: Network) -> closing[HTTPConnection]:
    """Return a connection to the store."""
    return closing(HTTPConnection("127.0.0.1", net.server_port, timeout=LONG))


def ask(
    client: HTTPConnection, method: str, path: str, body: bytes | None = None
) -> tuple[HTTPResponse, bytes]:
    """Send a request; return the answer and what it holds."""
    client.request(method, path, body)
    answer = client.getresponse()
    return answer, answer.read()


def put(net: Network, path: str, body: bytes) -> int:
    """PUT an object over a connection of its own; return the status."""
    with connect(net) as client:
        return ask(client, "PUT", path, body)[0].status


def test_what_nobody_waits_for_passes_as_it_is(net: Network, store: Store) -> None:
    """Over one connection: bodies, codings, answers without a body, and the host that was signed."""
    with connect(net) as client:
        answer, content = ask(client, "PUT", "/a%2Fb", b"one")
        assert (answer.status, answer.getheader("ETag"), content) == (200, "seven", b"")
        assert ask(client, "GET", "/a%2Fb")[1] == b"one!"
        answer, content = ask(client, "HEAD", "/a%2Fb")
        assert (answer.getheader("Content-Length"), content) == ("1000000", b"")
        assert ask(client, "DELETE", "/a%2Fb")[0].status == 204
    assert store.objects == {"/a%2Fb": b"one"}
    assert store.hosts == {f"127.0.0.1:{net.server_port}"}


def test_one_request_is_held_and_the_others_pass(
    net: Network, store: Store, pool: ThreadPoolExecutor
) -> None:
    """Until it is let go; then it meets what has happened meanwhile."""
    held = net.hold(commit_of("runs"))
    assert put(net, "/lakes/a%20lake/risks/_delta_log/00000000000000000007.json", b"") == 200
    waiting = pool.submit(put, net, COMMIT, b"first")
    assert held.wait(LONG) == Request("PUT", COMMIT)
    assert COMMIT not in store.objects
    assert put(net, COMMIT, b"second") == 200
    held.let_go()
    assert held.status(LONG) == 412
    assert waiting.result(LONG) == 412
    assert store.objects[COMMIT] == b"second"


def test_what_is_held_arrives_although_its_sender_is_cut_off(
    net: Network, store: Store, pool: ThreadPoolExecutor
) -> None:
    """As a packet that was under way."""
    held = net.hold(commit_of("runs"))
    sender = pool.submit(put, net, COMMIT, b"first")
    held.wait(LONG)
    net.cut()
    assert isinstance(sender.exception(LONG), (OSError, HTTPException))
    held.let_go()
    assert held.status(LONG) == 200
    assert store.objects[COMMIT] == b"first"


def test_an_answer_is_lost_and_what_was_asked_for_has_happened(net: Network, store: Store) -> None:
    """Once: the next try is answered."""
    lost = net.lose_answer(commit_of("runs"))
    with pytest.raises((OSError, HTTPException)):
        put(net, COMMIT, b"first")
    assert lost.status(LONG) == 200
    assert store.objects[COMMIT] == b"first"
    assert put(net, COMMIT, b"again") == 412


def test_all_is_cut_off_until_it_is_mended(net: Network, store: Store) -> None:
    """What was connected before as well as what connects."""
    with connect(net) as client:
        ask(client, "HEAD", "/")
        net.cut()
        client.auto_open = 0
        with pytest.raises((OSError, HTTPException)):
            ask(client, "PUT", "/a", b"")
    with pytest.raises((OSError, HTTPException)):
        put(net, "/a", b"")
    assert store.objects == {}
    net.mend()
    assert put(net, "/a", b"") == 200


def test_nothing_is_answered_until_it_is_mended(
    net: Network, store: Store, pool: ThreadPoolExecutor
) -> None:
    """Connections are accepted meanwhile."""
    net.hang()
    waiting: list[Future[int]] = [pool.submit(put, net, f"/{number}", b"") for number in range(3)]
    with pytest.raises(NotYet):
        waiting[0].result(0.2)
    assert store.objects == {}
    net.mend()
    assert [one.result(LONG) for one in waiting] == [200] * 3


def test_only_the_put_of_a_commit_is_one() -> None:
    """Of this table, by its number; not its look-up, a checkpoint or another table's."""
    matches = commit_of("runs")
    assert matches(Request("PUT", f"{COMMIT}?x-id=PutObject"))
    assert not matches(Request("GET", COMMIT))
    assert not matches(Request("PUT", COMMIT.replace("/runs/", "/reruns/")))
    assert not matches(Request("PUT", COMMIT.replace(".json", ".checkpoint.parquet")))
