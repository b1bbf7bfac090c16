"""Whatever a registry answers, its client ends in time, takes little room, and says what to do."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Iterable

import pytest
from support.servers.answers import answering, dripping, told, unknown

from conformare_schemas.registry import (
    RegistryAccess,
    RegistryClient,
    RegistryError,
    RegistryRefusedError,
    RegistryUnreachableError,
)
from conformare_schemas.registry import _client as client_module
from conformare_schemas.registry._client import MOST_BYTES

STRANGE = "does not answer as a Schema Registry does"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def fault_of(answer: Iterable[bytes], path: str = "") -> RegistryError:
    """What a client says of an answer to a question for a schema."""
    with answering(lambda _: answer) as server:
        client = RegistryClient(RegistryAccess.of(f"{server.url}{path}", {}))
        with pytest.raises(RegistryError) as refused:
            client.schema(7)
        client.close()
        assert server.url in str(refused.value)
    return refused.value


@pytest.mark.parametrize(
    "answer",
    [
        dripping(b"HTTP/1.1 200 OK\r\nX: ", b"x", 0.05),
        dripping(CHUNKED, b"0", 0.05),
        dripping(CHUNKED, b"1\r\nx\r\n", 0.05),
        dripping(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b"x", 0.05),
        dripping(b"HTTP/1.1 200 OK\r\n\r\n", b"x", 0.05),
    ],
    ids=["in the head", "in a chunk's size", "in chunks", "in the body", "without an end"],
)
def test_an_answer_that_drips_is_ended(
    answer: Iterable[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each drop comes in time, and all of them never do."""
    monkeypatch.setattr(client_module, "ANSWER_SECONDS", 0.2)
    began = time.monotonic()
    fault = fault_of(answer)
    assert isinstance(fault, RegistryUnreachableError)
    assert "does not answer in time" in str(fault)
    assert time.monotonic() - began < client_module.READ_SECONDS


def test_a_client_that_was_cut_off_asks_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """By another connection."""
    answers = iter([dripping(CHUNKED, b"0", 0.05), told({"schema": '"string"'})])
    monkeypatch.setattr(client_module, "ANSWER_SECONDS", 0.2)
    with answering(lambda _: next(answers)) as server:
        client = RegistryClient(RegistryAccess.of(server.url, {}))
        with pytest.raises(RegistryUnreachableError):
            client.schema(7)
        monkeypatch.undo()
        assert client.schema(7) == '"string"'
        client.close()


@pytest.mark.parametrize(
    "answer",
    [
        told(b""),
        told(b"\xff\0garbage"),
        told(b"<html>"),
        told(["schema"]),
        told({"schema": 1}),
        told(b"[" * MOST_BYTES),
        told(b"[" * (MOST_BYTES + 1)),
        told(gzip.compress(json.dumps({"schema": "x"}).encode()), headers="Content-Encoding: gzip\r\n"),
    ],
    ids=["nothing", "bytes", "HTML", "a list", "a number", "deep", "too long", "compressed"],
)  # fmt: skip
def test_what_no_registry_says_is_told(answer: list[bytes]) -> None:
    """Nothing is unpacked that was not asked for: a little may become a lot."""
    fault = fault_of(answer)
    assert isinstance(fault, RegistryUnreachableError)
    assert str(fault).endswith(STRANGE)


@pytest.mark.parametrize(
    ("status", "content", "said"),
    [
        (301, b"", "leads elsewhere (HTTP 301): name the URL that it leads to"),
        (307, b"", "leads elsewhere (HTTP 307): name the URL that it leads to"),
        (403, b"<html>", "does not let us in (HTTP 403): look at basic.auth.user.info"),
        (404, b"<html>", "has no Schema Registry's API: look at the path of the URL"),
        (404, {"error_code": 404}, "has no Schema Registry's API: look at the path of the URL"),
        (422, {"error_code": 42205}, "takes no schemas: it is in READONLY mode"),
        (429, b"", "refuses (HTTP 429)"),
        (500, b"<html>", "refuses (HTTP 500)"),
        (500, {"error_code": 50002, "message": "a secret"}, "refuses (HTTP 500, error 50002)"),
        (500, {"error_code": "a secret"}, "refuses (HTTP 500)"),
    ],
)
def test_a_refusal_says_what_to_do(status: int, content: object, said: str) -> None:
    """And nothing that the registry has put into words: who knows what it quotes."""
    fault = fault_of(told(content, status), "/prefix")
    assert isinstance(fault, RegistryRefusedError)
    assert fault.status == status
    assert said in str(fault)
    assert "a secret" not in str(fault)


def test_a_subject_that_does_not_take_a_schema_is_named() -> None:
    """There are as many as grains."""
    with answering(lambda _: told({"error_code": 409}, 409)) as server:
        client = RegistryClient(RegistryAccess.of(server.url, {}))
        with pytest.raises(RegistryRefusedError, match=r"x\.runs-value holds something"):
            client.register("x.runs-value", "{}")
        client.close()


@pytest.mark.parametrize("code", [40401, 40402, 40403, 40404])
def test_what_a_registry_does_not_have_is_no_fault(code: int) -> None:
    """Subjects, versions, ids, and what was deleted."""
    with answering(lambda _: unknown(code)) as server:
        client = RegistryClient(RegistryAccess.of(server.url, {}))
        assert client.schema(7) is None
        assert client.versions("a/b") == []
        assert server.asked == ["/schemas/ids/7", "/subjects/a%2Fb/versions"]
        client.close()


def test_a_path_before_the_api_is_kept_and_one_connection_is_enough() -> None:
    """As registries have it that stand behind a gateway, or for a context."""
    with answering(lambda _: told({"schema": '"int"', "schemaType": None})) as server:
        client = RegistryClient(RegistryAccess.of(f"{server.url}/a%20b/contexts/.c//", {}))
        assert [client.schema(number) for number in (1, 2)] == ['"int"', '"int"']
        client.close()
        assert server.asked == [f"/a%20b/contexts/.c/schemas/ids/{number}" for number in (1, 2)]
        assert server.connections == 1


def test_a_port_that_speaks_something_else_is_told() -> None:
    """Such as a broker's."""
    assert "does not answer (ProtocolError)" in str(fault_of([b"\0\0\0\5hello\n" * 10]))
