"""`/metrics`, `/health` and `/live` over real HTTP."""

from __future__ import annotations

import json
import socket
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from urllib.request import HTTPHandler, OpenerDirector, Request

import pytest

from conformare_sink.errors import EndpointError
from conformare_sink.monitoring import endpoint as module
from conformare_sink.monitoring.endpoint import MetricsEndpoint
from conformare_sink.monitoring.health import Health
from conformare_sink.monitoring.metrics import SinkMetrics

# It goes through no proxy, and a 404 is an answer.
opener = OpenerDirector()
opener.add_handler(HTTPHandler())


def ask(
    port: int, path: str, method: str = "GET", host: str = "127.0.0.1"
) -> tuple[int, dict[str, str], str]:
    """Return status, headers and body of an answer."""
    request = Request(f"http://{host}:{port}{path}", method=method)
    response = opener.open(request, timeout=10)
    assert response is not None
    with response:
        return response.status, dict(response.headers), response.read().decode()


@pytest.fixture
def health() -> Health:
    """Of a stream that runs."""
    health = Health()
    health.running()
    return health


@pytest.fixture
def metrics() -> SinkMetrics:
    """The metrics that are served."""
    return SinkMetrics()


@pytest.fixture
def port(metrics: SinkMetrics, health: Health) -> Iterator[int]:
    """Where they are served."""
    with MetricsEndpoint(metrics.registry, health) as endpoint:
        assert endpoint.port > 0
        yield endpoint.port


def test_metrics_are_those_of_the_moment(port: int, metrics: SinkMetrics) -> None:
    """In the format that Prometheus asks for."""
    metrics.lag({("conformare.runs", 0): 5})
    status, headers, body = ask(port, "/metrics")
    assert status == 200
    assert headers["Content-Type"].startswith("text/plain; version=")
    metrics.lag({("conformare.runs", 0): 5, ("läufe", 0): 7})
    line = 'conformare_sink_lag{partition="0",topic="conformare.runs"} '
    assert 'conformare_sink_lag{partition="0",topic="läufe"} 7.0' in ask(port, "/metrics")[2]
    assert f"{line}5.0" in body.splitlines()
    metrics.lag({("conformare.runs", 0): 6})
    assert f"{line}6.0" in ask(port, "/metrics?name[]=conformare_sink_lag")[2].splitlines()


@pytest.mark.parametrize(
    ("tell", "status", "told"),
    [
        (Health.running, 200, "ok"),
        (Health.waiting_for_broker, 503, "waiting for the broker"),
        (Health.stopping, 503, "stopping"),
    ],
)
def test_health_is_told_by_status_and_text(
    port: int, health: Health, tell: Callable[[Health], None], status: int, told: str
) -> None:
    """200 only while all is well; since when in seconds."""
    tell(health)
    answered, headers, body = ask(port, "/health")
    assert (answered, headers["Content-Type"]) == (status, "application/json")
    answer = json.loads(body)
    assert answer.keys() == {"status", "since"}
    assert answer["status"] == told
    assert 0 <= answer["since"] < 60


def test_only_a_stalled_sink_is_to_be_restarted(metrics: SinkMetrics) -> None:
    """One that starts, waits for its broker or ends is alive; a restart would only cost it time."""
    health = Health(batch_limit_seconds=0)
    with MetricsEndpoint(metrics.registry, health) as endpoint:

        def alive() -> tuple[int, str]:
            status, headers, body = ask(endpoint.port, "/live")
            assert headers["Content-Type"] == "application/json"
            return status, json.loads(body)["status"]

        assert alive() == (200, "starting")
        health.waiting_for_broker()
        assert alive() == (200, "waiting for the broker")
        health.running()
        assert alive() == (200, "ok")
        with health.batch():
            assert alive() == (503, "stalled")
        health.stopping()
        assert alive() == (200, "stopping")


def test_the_metrics_have_the_status(port: int, health: Health) -> None:
    """Prometheus cannot read the other pages; a status is there before it is met."""
    health.waiting_for_broker()
    shown = ask(port, "/metrics")[2].splitlines()
    found = [line for line in shown if line.startswith("conformare_sink_status{")]
    assert len(found) == 5
    assert [line for line in found if not line.endswith(" 0.0")] == [
        'conformare_sink_status{status="waiting for the broker"} 1.0'
    ]


def test_another_path_is_not_found(port: int) -> None:
    """The answer says which there are, and repeats nothing of the question."""
    assert ask(port, "/other?x=<b>")[::2] == (
        404,
        "there are /metrics, /health and /live\n",
    )
    assert ask(port, "/")[0] == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "ANYTHING"])
@pytest.mark.parametrize("path", ["/metrics", "/health", "/live"])
def test_there_is_only_reading(port: int, method: str, path: str) -> None:
    """The answer says how."""
    status, headers, _ = ask(port, path, method)
    assert (status, headers["Allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize(
    ("said", "answered"),
    [
        (b"<b> \xff HTTP/1.0\r\n\r\n", b" 405 "),
        (b"GET\r\n\r\n", b"this is not a request"),
        (b"GET /<b>\xff\x00 HTTP/1.0\r\n\r\n", b" 404 "),
        (b"GET /<b> HTTP/9.9.9\r\n\r\n", b"this is not a request"),
        (b"GET /" + b"<b>" * 30_000 + b" HTTP/1.0\r\n\r\n", b"this is not a request"),
        (b"GET / HTTP/1.0\r\n" + b"a: <b>\r\n" * 200 + b"\r\n", b" 431 "),
    ],
)
def test_what_is_no_request_is_refused(
    port: int, said: bytes, answered: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    """The answer repeats nothing of it, and nothing is printed."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.sendall(said)
        told = b""
        with suppress(ConnectionResetError):  # where it has not read all that was said
            while some := client.recv(1_000):
                told += some
    assert answered in told
    assert b"<b>" not in told
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("path", ["/metrics", "/health", "/live", "/other"])
def test_head_is_get_without_its_body(port: int, path: str) -> None:
    """Same status, type and length."""
    status, headers, body = ask(port, path)
    head_status, head_headers, _ = ask(port, path, "HEAD")
    assert head_status == status
    assert head_headers["Content-Type"] == headers["Content-Type"]
    # Other figures have other lengths by now.
    assert abs(int(head_headers["Content-Length"]) - len(body)) < 100
    # urllib would not read a body.
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.sendall(f"HEAD {path} HTTP/1.0\r\n\r\n".encode())
        with client.makefile("rb") as answer:
            assert answer.read().endswith(b"\r\n\r\n")


def test_a_port_that_is_taken_is_told_in_one_line(
    port: int, metrics: SinkMetrics, health: Health
) -> None:
    """With what to do."""
    taken = MetricsEndpoint(metrics.registry, health, port=port)
    with pytest.raises(EndpointError) as told, taken:
        pass
    assert str(told.value) == (
        f"cannot serve metrics on 127.0.0.1, port {port} (Address already in use): choose another "
        "--metrics-host or --metrics-port"
    )
    assert (told.value.host, told.value.port) == ("127.0.0.1", port)
    assert ask(port, "/health")[0] == 200


@pytest.mark.parametrize(
    ("host", "port"),
    [
        ("192.0.2.1", 0),
        ("127.0.0.1", 70_000),
        ("127.0.0.1", -1),
        ("a..b", 0),
        ("ü" * 80, 0),
        ("no such host", 0),
    ],
)
def test_an_address_that_is_not_ours_is_told_as_well(
    host: str, port: int, metrics: SinkMetrics, health: Health
) -> None:
    """Nor is there a port of that number, or a machine of that name."""
    endpoint = MetricsEndpoint(metrics.registry, health, host, port)
    with pytest.raises(EndpointError, match=f"{host}, port {port}") as told, endpoint:
        pass
    assert len(str(told.value).splitlines()) == 1


def test_the_port_is_free_after_the_block(metrics: SinkMetrics, health: Health) -> None:
    """Also when that is left by a fault; the same one can be had again at once."""
    endpoint = MetricsEndpoint(metrics.registry, health)
    with suppress(RuntimeError), endpoint:
        port = endpoint.port
        assert ask(port, "/health")[0] == 200
        raise RuntimeError
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=10)
    with MetricsEndpoint(metrics.registry, health, port=port) as again:
        assert ask(again.port, "/health")[0] == 200


def test_a_client_that_says_nothing_holds_up_nobody(metrics: SinkMetrics, health: Health) -> None:
    """Neither the next one nor the end of the sink."""
    with ExitStack() as clients:
        start = time.monotonic()
        with MetricsEndpoint(metrics.registry, health) as endpoint:
            address = ("127.0.0.1", endpoint.port)
            clients.enter_context(socket.create_connection(address, timeout=10))
            assert ask(endpoint.port, "/health")[0] == 200
        assert time.monotonic() - start < module.IDLE_SECONDS / 2


def test_a_client_that_says_nothing_is_hung_up_on(
    port: int, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Nothing is printed for it or for any other."""
    assert module._Handler.timeout == module.IDLE_SECONDS
    monkeypatch.setattr(module._Handler, "timeout", 0.5)
    assert ask(port, "/health")[0] == 200
    with socket.create_connection(("127.0.0.1", port), timeout=10) as silent:
        assert silent.recv(1) == b""
    assert capfd.readouterr() == ("", "")


def test_too_many_clients_are_hung_up_on(port: int, capfd: pytest.CaptureFixture[str]) -> None:
    """Each has a thread until it has said something; those that are there are answered."""
    with ExitStack() as clients:
        waiting = [
            clients.enter_context(socket.create_connection(("127.0.0.1", port), timeout=10))
            for _ in range(module.MOST_CLIENTS)
        ]
        with socket.create_connection(("127.0.0.1", port), timeout=10) as late:
            assert late.recv(1) == b""
        for client in waiting:
            client.sendall(b"GET /health HTTP/1.0\r\n\r\n")
            with client.makefile("rb") as answer:
                assert b'"ok"' in answer.read()
    assert ask(port, "/health")[0] == 200
    assert capfd.readouterr() == ("", "")


def test_a_client_that_hangs_up_leaves_no_trace(
    port: int, metrics: SinkMetrics, capfd: pytest.CaptureFixture[str]
) -> None:
    """Also in the middle of a long answer."""
    metrics.lag({("t" * 200, partition): 1 for partition in range(20_000)})
    for _ in range(3):
        with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
            # Closed with something unread, which the server is told of at once.
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
            assert client.recv(1)
    assert ask(port, "/health")[0] == 200
    assert capfd.readouterr() == ("", "")


def test_no_answer_tells_a_secret(
    monkeypatch: pytest.MonkeyPatch, metrics: SinkMetrics, health: Health
) -> None:
    """The environment, where the passwords are, is in no page."""
    monkeypatch.setenv("CONFORMARE_KAFKA", '{"sasl.password": "hunter2"}')
    with MetricsEndpoint(metrics.registry, health) as endpoint:
        for path in ("/metrics", "/health", "/live", "/other"):
            for method in ("GET", "POST"):
                assert "hunter2" not in str(ask(endpoint.port, path, method))


def test_it_listens_on_ipv6(metrics: SinkMetrics, health: Health) -> None:
    """Where the machine has it."""
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError as exc:
        pytest.skip(f"no IPv6 here: {exc}")
    with MetricsEndpoint(metrics.registry, health, "::1") as endpoint:
        assert ask(endpoint.port, "/health", host="[::1]")[0] == 200
