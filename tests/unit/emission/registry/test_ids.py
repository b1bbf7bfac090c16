"""A job's messages have the registry's ids where these are known, and wait for nobody else."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from support.jobs.writers import MOCK, PATIENCE_SECONDS, MakeWriter
from support.messages.records import make_record
from support.servers.answers import answering, told, unknown
from support.servers.registry import silent_server

from conformare import StoreConfigurationError
from conformare.emission import KafkaOptions, Message, encode_emission
from conformare.emission.registry import IdCache, RegisteredIds
from conformare.emission.registry import _ids as ids_module
from conformare.emission.spool import Destination, Spool
from conformare.writers import make_writer as named_writer
from conformare_schemas import (
    GRAINS,
    HEADER_BYTES,
    confluent_header,
    confluent_id,
    message_header,
)
from conformare_schemas.registry import RegistryAccess, schema_text
from conformare_schemas.registry._client import READ_SECONDS

ALL = {(grain, message_header(grain)): number for number, grain in enumerate(GRAINS, 1)}
MESSAGES = encode_emission(
    make_record("run", rows={"contexts": 1, "risks": 1}), "e", max_message_bytes=1_000_000
)


@pytest.fixture
def silent() -> Iterator[str]:
    """A registry that accepts whoever comes and answers nothing."""
    with silent_server() as url:
        yield url


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    """A spool with a folder of its destination."""
    spool = Spool(tmp_path / "spool", Destination("127.0.0.1:1", "x."), 2**20)
    spool.beside("").mkdir(parents=True, mode=0o700)
    return spool


def registered_ids(url: str, cache: IdCache | None, said: list[str]) -> RegisteredIds:
    """The ids of a registry; what it tells goes to a list."""
    access = RegistryAccess.of(url, {})
    return RegisteredIds(access, "x.", cache, lambda _, what: said.append(what))


def test_what_is_on_the_disk_is_used_at_once(silent: str, spool: Spool) -> None:
    """Whatever the registry does, nothing is waited for, and nothing is said."""
    access = RegistryAccess.of(silent, {})
    IdCache(spool, access).write(ALL)
    said: list[str] = []
    ids = registered_ids(silent, IdCache(spool, access), said)
    for message in MESSAGES:
        schema_id = ALL[message.grain, message_header(message.grain)]
        assert ids.framed(message) == confluent_header(schema_id) + message.value[HEADER_BYTES:]
    ids.close()
    assert said == []


def test_a_registry_that_never_answered_is_told_once(
    silent: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Messages go as they are, and only the first one has waited."""
    monkeypatch.setattr(ids_module, "FIRST_LOOK_SECONDS", 0.05)
    said: list[str] = []
    ids = registered_ids(silent, None, said)
    began = time.monotonic()
    assert [ids.framed(message) for message in MESSAGES] == [one.value for one in MESSAGES]
    assert time.monotonic() - began < READ_SECONDS / 2  # the registry's own time-out is longer
    ids.close()
    (line,) = said
    assert "single-object encoding" in line
    assert silent in line


def test_a_registry_where_nobody_answers_is_told_once() -> None:
    """By the thread that looks, and not by the courier again."""
    said: list[str] = []
    ids = registered_ids("http://127.0.0.1:1", None, said)
    for message in MESSAGES:
        assert ids.framed(message) == message.value
    ids.close()
    (line,) = said
    assert "nobody answers" in line


@pytest.mark.parametrize("answer", [told(b"", 500), told(b"", 401), told([]), unknown(40401)])
def test_what_has_come_of_looking_is_told_once(answer: list[bytes]) -> None:
    """Nobody says that a registry has not answered which has."""
    said: list[str] = []
    with answering(lambda _: answer) as server:
        ids = registered_ids(server.url, None, said)
        assert [ids.framed(message) for message in MESSAGES] == [one.value for one in MESSAGES]
        ids.close()
    (line,) = said
    assert "not answered" not in line


def test_a_subject_that_is_refused_costs_no_other_its_ids() -> None:
    """Rights may be given subject by subject, and a job may have none to what it never writes."""
    grains = {f"/subjects/x.{grain}-value/versions": grain for grain in GRAINS}

    def says(path: str) -> Iterable[bytes]:
        if path in grains:
            return told([1])
        grain = grains[path.removesuffix("/1")]
        text = schema_text(grain)
        return told(b"", 403) if grain == "contexts" else told({"id": 7, "schema": text})

    said: list[str] = []
    with answering(says) as server:
        ids = registered_ids(server.url, None, said)
        framed = {message.grain: ids.framed(message) for message in MESSAGES}
        ids.close()
    plain = {message.grain: message.value for message in MESSAGES}
    assert "contexts" in plain
    assert framed.pop("contexts") == plain.pop("contexts")
    assert {*framed} == {*plain}
    assert all(confluent_id(value) == 7 for value in framed.values())
    (line,) = said
    assert "HTTP 403" in line


def test_ids_are_of_one_registry_one_strategy_and_one_contract(silent: str, spool: Spool) -> None:
    """Another one's would be wrong."""
    access = RegistryAccess.of(silent, {})
    IdCache(spool, access).write({**ALL, ("runs", b"of another contract"): 99})
    assert IdCache(spool, access).read() == ALL
    assert IdCache(spool, RegistryAccess.of(f"{silent}/other", {})).read() == {}
    assert IdCache(spool, RegistryAccess.of(silent, {}, "RecordName")).read() == {}


@pytest.mark.parametrize(
    "content",
    ["", "[]", "null", "{", "[" * 100_000, b"\xff\xfe", '{"runs": 1}',
     json.dumps({f"runs {message_header('runs').hex()}": -1}),
     json.dumps({f"runs {message_header('runs').hex()}": True}),
     json.dumps({f"runs {message_header('runs').hex()}": 2**31})],
)  # fmt: skip
def test_a_damaged_file_has_no_ids(silent: str, spool: Spool, content: str | bytes) -> None:
    """The registry is asked."""
    cache = IdCache(spool, RegistryAccess.of(silent, {}))
    cache.write(ALL)
    (file,) = spool.beside("").glob("schema-ids-*.json")
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    assert cache.read() == {}


def test_a_file_where_others_may_write_has_no_ids(silent: str, spool: Spool) -> None:
    """They could make a job's messages mean something else."""
    cache = IdCache(spool, RegistryAccess.of(silent, {}))
    cache.write(ALL)
    assert cache.read() == ALL
    spool.beside("").chmod(0o777)
    assert cache.read() == {}
    cache.write({})
    spool.beside("").chmod(0o700)
    assert cache.read() == ALL
    assert [path.name[:10] for path in spool.beside("").iterdir()] == ["schema-ids"]


def test_a_link_is_not_followed(silent: str, spool: Spool, tmp_path: Path) -> None:
    """What it leads to may be anybody's."""
    cache = IdCache(spool, RegistryAccess.of(silent, {}))
    cache.write(ALL)
    (file,) = spool.beside("").glob("schema-ids-*.json")
    os.replace(file, tmp_path / "elsewhere")  # noqa: PTH105 - as it stands there
    file.symlink_to(tmp_path / "elsewhere")
    assert cache.read() == {}


def test_a_silent_registry_keeps_no_run_from_its_topic(
    make_writer: MakeWriter,
    silent: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Delivered, and told once, by a writer as a job has it."""
    monkeypatch.setattr(ids_module, "FIRST_LOOK_SECONDS", 0.05)
    writer = make_writer(kafka=MOCK, schema_registry_url=silent)
    for number in range(3):
        writer.write(make_record(f"run-{number}"))
    assert writer.flush(PATIENCE_SECONDS) == 0
    assert writer.stats().delivered == 3
    assert caplog.text.count("single-object encoding") == 1


def test_a_job_that_ends_with_its_run_has_begun_to_ask(
    make_writer: MakeWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When it ends, Python 3.12 begins no thread any more: the courier could not."""
    monkeypatch.setattr(RegisteredIds, "framed", lambda _, message: message.value)
    with answering(lambda _: unknown(40401)) as server:
        writer = make_writer(kafka=MOCK, schema_registry_url=server.url)
        writer.write(make_record("run"))
        assert writer._courier._ids is not None
        assert writer._courier._ids._thread is not None
        assert writer.flush(PATIENCE_SECONDS) == 0


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"schema_registry_url": "registry"}, "it must be one URL"),
        ({"schema_registry_url": "http://u:hidden@registry"}, "must not hold a password"),
        ({"schema_registry": {"bearer.auth.token": "hidden"}}, "needs schema_registry_url"),
        (
            {"schema_registry_url": "http://r", "schema_registry": {"hidden": "hidden"}},
            "a setting of the schema registry is unknown",
        ),
        (
            {"schema_registry_url": "http://r", "schema_registry_subject_strategy": "hidden"},
            "schema_registry_subject_strategy",
        ),
    ],
)
def test_wrong_settings_are_told_when_the_store_is_configured(
    options: dict[str, object], told: str
) -> None:
    """In one line, without what may be secret."""
    with pytest.raises(StoreConfigurationError, match=told) as refused:
        named_writer({"writer": "kafka", "bootstrap_servers": "127.0.0.1:1", **options})
    assert "hidden" not in str(refused.value)


def test_what_the_registry_wants_is_shown_nowhere() -> None:
    """It is a login."""
    options = KafkaOptions.model_validate(
        {
            "bootstrap_servers": "127.0.0.1:1",
            "schema_registry_url": "http://registry",
            "schema_registry": {"basic.auth.user.info": "user:hidden"},
        }
    )
    assert "hidden" not in repr(options)
    assert options.registry is not None
    assert "hidden" not in repr(options.registry)


def test_a_message_of_another_contract_keeps_its_fingerprint(silent: str, spool: Spool) -> None:
    """As a spool may have it that waited through an upgrade."""
    access = RegistryAccess.of(silent, {})
    IdCache(spool, access).write(ALL)
    ids = registered_ids(silent, IdCache(spool, access), [])
    old = Message("runs", b"k", b"\xc3\x01" + b"12345678" + b"payload")
    assert ids.framed(old) == old.value
    ids.close()
