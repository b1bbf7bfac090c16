"""What an object store refuses is told in one line that names the setting to change."""

from __future__ import annotations

import logging
import os
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import obstore
import pytest
from support.lakes.landed import fetch, land, new_path, tables_at
from support.messages.records import make_record
from support.servers.certificates import Authority
from support.servers.network import network
from support.servers.object_store import ObjectStore, s3proxy

from conformare.cli import main
from conformare_sink.errors import SinkError, StorageError
from conformare_sink.lake.lake import open_for_writing
from conformare_sink.lake.store.storage import Storage
from conformare_sink.lake.tables.folder import FolderTables
from conformare_sink.lake.tables.places import check_store
from conformare_sink.options import StorageSettings

SECRET = "a-secret-of-nobody"  # noqa: S105 - indeed
KEY, SECRET_KEY = "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"
NO_CREDENTIALS = f"there are no credentials: set {KEY} and {SECRET_KEY}, or give --storage-options"
NO_ANSWER = "the store does not answer: correct AWS_ENDPOINT_URL"
NO_TLS = "the store has no TLS: use http://, and set AWS_ALLOW_HTTP=true"
NOT_TRUSTED = "the certificate of AWS_ENDPOINT_URL is not trusted"
NO_STORE = "what answers is no such store: correct AWS_ENDPOINT_URL"
DEADLINE_SECONDS = 15

Ask = Callable[[Storage], object]
ASKS: dict[str, Ask] = {
    "obstore": lambda storage: storage.check(),
    "deltalake": lambda storage: FolderTables(storage).exist(),
}
BOTH = pytest.mark.parametrize("ask", ASKS.values(), ids=ASKS)


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of this machine's own settings counts, and it is no machine of a cloud's."""
    for name in os.environ:
        if name.startswith(("AWS_", "AZURE_", "GOOGLE_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_METADATA_ENDPOINT", "http://127.0.0.1:1")


def refusal(ask: Ask, root: str, settings: Mapping[str, str | None]) -> str:
    """What somebody is told, in time, who asks for a lake that way."""
    began = time.monotonic()
    with pytest.raises(SinkError) as refused:
        ask(Storage(root, {name: value for name, value in settings.items() if value is not None}))
    assert time.monotonic() - began < DEADLINE_SECONDS
    told = str(refused.value)
    assert len(told.splitlines()) == 1
    assert SECRET not in told
    return told


@BOTH
@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({KEY: None, SECRET_KEY: None}, NO_CREDENTIALS),
        ({SECRET_KEY: None}, f"set {SECRET_KEY}"),
        ({KEY: None}, f"set {KEY}"),
        ({KEY: "nobody"}, f"the store does not know the key: correct {KEY}"),
        ({SECRET_KEY: SECRET}, f"the secret does not fit the key: correct {SECRET_KEY}"),
        ({"AWS_SKIP_SIGNATURE": "true"}, "the credentials may not do this"),
        ({"AWS_ALLOW_HTTP": None}, "which is not allowed: set AWS_ALLOW_HTTP=true"),
        ({"AWS_ALLOW_HTTP": "false"}, "which is not allowed: set AWS_ALLOW_HTTP=true"),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}, NO_ANSWER),
        ({"AWS_ENDPOINT_URL": "http://nowhere.invalid"}, NO_ANSWER),
    ],
)
def test_a_wrong_setting_is_named(
    object_store: ObjectStore, ask: Ask, settings: dict[str, str | None], told: str
) -> None:
    """By both libraries alike: one reaches the tables, the other what lies beside them."""
    options = {**object_store.storage_options, **settings}
    assert told in refusal(ask, object_store.url("lake"), options)


@BOTH
def test_the_environment_is_as_good_as_a_file(
    object_store: ObjectStore, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And a file goes before it, also where it says the same by another name."""
    for name, value in object_store.storage_options.items():
        monkeypatch.setenv(name, value)
    storage = Storage(object_store.url(new_path()))
    ask(storage)
    assert NO_ANSWER in refusal(ask, storage.root, {"AWS_ENDPOINT": "http://127.0.0.1:1"})
    assert f"correct {KEY}" in refusal(ask, storage.root, {KEY: "nobody"})
    assert "not allowed" in refusal(ask, storage.root, {"AWS_ALLOW_HTTP": "false"})
    monkeypatch.setenv("AWS_PROXY_URL", "http://127.0.0.1:1")
    assert NO_ANSWER in refusal(ask, storage.root, {})
    ask(Storage(storage.root, {"AWS_PROXY_EXCLUDES": "127.0.0.1"}))


@BOTH
def test_a_bucket_that_is_not_there_is_told(object_store: ObjectStore, ask: Ask) -> None:
    """It is part of the lake's address."""
    told = refusal(ask, "s3://nowhere/lake", object_store.storage_options)
    assert told.startswith("s3://nowhere/lake cannot be used: there is no such bucket: ")
    assert "correct --lake" in told


@BOTH
def test_https_to_a_port_without_tls_is_told(object_store: ObjectStore, ask: Ask) -> None:
    """With both settings that have to change."""
    options = {
        **object_store.storage_options,
        "AWS_ENDPOINT_URL": object_store.endpoint.replace("http:", "https:"),
    }
    assert NO_TLS in refusal(ask, object_store.url("lake"), options)


@contextmanager
def web_server(folder: Path, authority: Authority | None = None) -> Iterator[str]:
    """Run a web server that is no object store; return its address."""
    (folder / "index.html").write_text("<html>welcome</html>", encoding="utf-8")

    class Handler(SimpleHTTPRequestHandler):
        def __init__(self, *args: object) -> None:
            super().__init__(*args, directory=str(folder))  # type: ignore[arg-type]  # all are passed on

        def translate_path(self, _: str) -> str:
            return str(folder / "index.html")

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        if authority is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*authority.certify("server"))
            server.socket = context.wrap_socket(server.socket, server_side=True)
        serving = threading.Thread(target=server.serve_forever, args=(0.05,))
        serving.start()
        scheme = "http" if authority is None else "https"
        try:
            yield f"{scheme}://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            serving.join()


def test_something_else_at_the_endpoint_is_told(object_store: ObjectStore, tmp_path: Path) -> None:
    """It may answer whatever it is asked; or have a certificate of its own; or speak TLS only."""
    with web_server(tmp_path) as address:
        options = {**object_store.storage_options, "AWS_ENDPOINT_URL": address}
        assert NO_STORE in refusal(ASKS["obstore"], object_store.url("lake"), options)
    with web_server(tmp_path, Authority(tmp_path)) as address:
        for ask in ASKS.values():
            options = {**object_store.storage_options, "AWS_ENDPOINT_URL": address}
            assert NOT_TRUSTED in refusal(ask, object_store.url("lake"), options)
        options["AWS_ENDPOINT_URL"] = address.replace("https:", "http:")
        assert NO_ANSWER in refusal(ASKS["obstore"], object_store.url("lake"), options)


def test_a_store_that_hangs_is_told_in_time(object_store: ObjectStore) -> None:
    """It takes the connection and never answers."""
    with network(object_store.endpoint) as way:
        way.hang()
        options = object_store.behind(way.endpoint).storage_options
        assert NO_ANSWER in refusal(ASKS["obstore"], object_store.url("lake"), options)


@BOTH
def test_an_address_at_which_nobody_answers_is_told_in_time(
    object_store: ObjectStore, ask: Ask
) -> None:
    """Not even the connection is made, as by a firewall; nor is it refused."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        address = full.getsockname()
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(address)
        options = {
            **object_store.storage_options,
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{address[1]}",
        }
        assert NO_ANSWER in refusal(ask, object_store.url("lake"), options)
        for one in waiting:
            one.close()


def test_a_clock_that_is_too_far_off_is_told(tmp_path: Path) -> None:
    """To this store, every clock is."""
    with s3proxy(tmp_path, "s3proxy.maximum-timeskew=-1") as store:
        for ask in ASKS.values():
            told = refusal(ask, store.url("lake"), store.storage_options)
            assert "the clock of this machine is too far off: synchronise it" in told


def test_secrets_are_in_no_log(
    object_store: ObjectStore, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """Whatever is logged at whatever level, here and by the libraries."""
    caplog.set_level(logging.DEBUG)
    options = object_store.storage_options
    settings = StorageSettings.model_validate({"values": options})
    with open_for_writing(tables_at(object_store, new_path()), "a test") as lake:
        land(lake, make_record("run"))
    with pytest.raises(StorageError):
        check_store("s3://nowhere/lake", settings)
    captured = capfd.readouterr()
    told = [caplog.text, captured.out, captured.err, repr(settings), str(settings), repr(lake)]
    assert not [text for text in told if options[SECRET_KEY] in text]


def test_a_lake_in_a_store_is_where_it_was_named_to_be(
    object_store: ObjectStore, tmp_path: Path
) -> None:
    """With every character that is not a control one; s3a:// and s3:// are one lake."""
    path = f"{new_path()}/a b#c?d=e&f/100%zz/*~\\[x]|'\"ü\u0308é日"
    tables = tables_at(object_store, path)
    record = make_record("run")
    with open_for_writing(tables, "a test") as lake:
        land(lake, record)
    found = {one["path"] for one in obstore.list(object_store.client(), path).collect()}
    assert any(one.startswith(f"{path}/runs/_delta_log/") for one in found)
    other = object_store.url(path).replace("s3://", "S3A://") + "/"
    again = FolderTables(Storage(other, object_store.storage_options))
    assert again.lake_id() == tables.lake_id()
    assert again.storage.address == tables.storage.address
    assert fetch(object_store, path, tmp_path).is_dir()


def test_the_command_ends_with_that_line(
    object_store: ObjectStore, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whether the file of settings is wrong, or what is in it."""
    settings = tmp_path / "storage"

    def run(*lines: str) -> tuple[int, str]:
        settings.write_text("\n".join(lines), encoding="utf-8")
        lake = object_store.url("lake")
        code = main(["status", "--lake", lake, "--storage-options", str(settings)])
        captured = capsys.readouterr()
        assert captured.out == ""
        assert SECRET not in captured.err
        assert len(captured.err.splitlines()) == 1
        return code, captured.err

    good = [f"{name}={value}" for name, value in object_store.storage_options.items()]
    code, told = run(*good, SECRET)
    assert (code, f"line {len(good) + 1}: it is not of the form" in told) == (2, True)
    code, told = run(*good, f"{SECRET_KEY}={SECRET}")
    assert (code, f"correct {SECRET_KEY}" in told) == (1, True)
    code, told = run(*good)
    assert (code, "there is no conformare lake at s3://lakes/lake" in told) == (1, True)
    assert main(["status", "--lake", "s3://b/l", "--storage-options", str(tmp_path / "none")]) == 2
    assert "cannot be read: No such file" in capsys.readouterr().err
