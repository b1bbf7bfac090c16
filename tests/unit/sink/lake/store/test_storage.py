"""Where a lake is and how its store is reached: what is wrong is one line, before anything is asked."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from conformare_sink.errors import LakeRefusedError, SinkError, StorageError
from conformare_sink.lake.store.storage import Storage

KEYS = {"AWS_ACCESS_KEY_ID": "a-key-of-tests", "AWS_SECRET_ACCESS_KEY": "a-secret-of-tests"}
ENDPOINT = {"AWS_ENDPOINT_URL": "https://store.example"}


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of this machine's own settings counts."""
    for name in os.environ:
        if name.startswith(("AWS_", "AZURE_", "GOOGLE_")):
            monkeypatch.delenv(name)


@pytest.mark.parametrize(
    ("roots", "address"),
    [
        (
            ("s3://bucket/a lake", "s3a://bucket/a lake/", "S3N://bucket/a lake"),
            "s3://bucket/a lake",
        ),
        (("s3://bucket", "s3a://bucket/"), "s3://bucket"),
        (("s3://bucket/a#b?c=d%zz",), "s3://bucket/a#b?c=d%zz"),
        (("abfss://box@a.dfs.core.windows.net/x",), "abfss://box@a.dfs.core.windows.net/x"),
        (("az://box/x", "AZ://box/x/"), "az://box/x"),
        (("gs://bucket/ü",), "gs://bucket/ü"),
    ],
)
def test_one_lake_has_one_address_however_it_is_written(
    roots: tuple[str, ...], address: str
) -> None:
    """A path in a store is taken as it is written."""
    assert {Storage(root).address for root in roots} == {address}


def test_a_path_is_encoded_once_for_the_libraries() -> None:
    """They decode it; a question mark would end it otherwise."""
    storage = Storage("s3a://bucket/a b/c#d?e")
    assert storage.table_uri("runs") == "s3://bucket/a%20b/c%23d%3Fe/runs"
    assert storage.location("runs") == "s3a://bucket/a b/c#d?e/runs"


@pytest.mark.parametrize(
    ("root", "told"),
    [
        (" ", "the lake has no name"),
        ("hdfs://host/lake", "hdfs:// is not supported"),
        ("opendal+fs:///lake", r"opendal\+fs:// is not supported"),
        ("s3:/bucket/lake", "write s3://bucket/folder"),
        (" s3://bucket/lake", "write s3://bucket/folder"),
        ("s3://", "write s3://bucket/folder"),
        ("s3:///lake", "write s3://bucket/folder"),
        ("s3://bucket:9000/lake", "bucket:9000 is not a bucket name"),
        ("s3://bucket//lake", "is empty or has dots only"),
        ("s3://bucket/a/../lake", "is empty or has dots only"),
        ("s3://bucket/env=prod%2Feu", "choose another name"),
        ("s3://bucket/lake\n", "cannot be printed"),
        ("file://host/lake", "write file:///folder/lake"),
        ("file:lake", "write file:///folder/lake"),
        ("file:///lake?x", "write %3F for"),
        ("file:///env=prod%252Feu", "choose another name"),
        ("/data/env=prod%2Feu", "choose another name"),
        ("/data/a\\b", "choose another name"),
        ("/data/a[1]", r"with \[ in its path; choose another name"),
        ("/data/a\0b", "cannot be printed"),
        ("/data/\udcff", "cannot be printed"),
    ],
)
def test_what_cannot_be_a_lake_is_refused(root: str, told: str) -> None:
    """In one line."""
    with pytest.raises(LakeRefusedError, match=told) as refused:
        Storage(root)
    assert len(str(refused.value).splitlines()) == 1


def test_credentials_in_a_url_are_refused_and_not_repeated() -> None:
    """The libraries would ignore them."""
    with pytest.raises(LakeRefusedError, match="leave out what comes before") as refused:
        Storage("s3://me:my-password@bucket/lake")
    assert "my-password" not in str(refused.value)


@pytest.mark.parametrize(
    ("root", "given", "told"),
    [
        ("s3://bucket/x", {"fs.s3a.access.key": "k"}, "fs.s3a.access.key is no setting"),
        ("s3://bucket/x", {"AZURE_CLIENT_ID": "k"}, "AZURE_CLIENT_ID is no setting"),
        ("gs://bucket/x", KEYS, "AWS_ACCESS_KEY_ID is no setting"),
        ("s3://bucket/x", {"AWS_ENDPOINT_URL": "store:9000"}, "AWS_ENDPOINT_URL is no URL"),
        ("s3://bucket/x", {"AWS_ENDPOINT_URL": ""}, "AWS_ENDPOINT_URL is no URL"),
        ("s3://bucket/x", {"AWS_ENDPOINT_URL": "http://"}, "AWS_ENDPOINT_URL is no URL"),
        ("s3://bucket/x", {"AWS_ENDPOINT": "http://host:99999"}, "AWS_ENDPOINT is no URL"),
        ("s3://bucket/x", {"AWS_ENDPOINT_URL_S3": "ftp://h"}, "AWS_ENDPOINT_URL_S3 is no URL"),
        ("az://box/x", {"AZURE_STORAGE_ENDPOINT": "account"}, "AZURE_STORAGE_ENDPOINT is no URL"),
        ("gs://bucket/x", {"GOOGLE_BASE_URL": "storage"}, "GOOGLE_BASE_URL is no URL"),
        ("s3://bucket/x", {"AWS_ALLOW_HTTP": "maybe"}, "AWS_ALLOW_HTTP is neither true nor false"),
        ("s3://bucket/x", {"AWS_REGION": "a\tb"}, "AWS_REGION has a character"),
        ("s3://bucket/x", {"AWS_ACCESS_KEY": "k"}, "no setting AWS_ACCESS_KEY: correct"),
        ("az://box/x", {"AZURE_KEY": "k"}, "no setting AZURE_KEY: correct"),
        ("gs://bucket/x", {"GOOGLE_KEY": "k"}, "no setting GOOGLE_KEY: correct"),
        ("az://box/x", {}, "set AZURE_STORAGE_ACCOUNT_NAME"),
        ("gs://bucket/x", {"GOOGLE_SERVICE_ACCOUNT": "/nowhere"}, "correct GOOGLE_SERVICE_ACCOUNT"),
        ("gs://bucket/x", {"GOOGLE_SERVICE_ACCOUNT_KEY": "{}"}, "or GOOGLE_SERVICE_ACCOUNT_KEY"),
        (
            "abfss://box@account.dfs.core.windows.net/x",
            {"AZURE_STORAGE_ACCOUNT_KEY": "not base64"},
            "correct AZURE_STORAGE_ACCOUNT_KEY",
        ),
    ],
)
def test_a_setting_that_cannot_be_right_is_named(
    root: str, given: dict[str, str], told: str
) -> None:
    """Before a request is sent; some of these would end the process within the libraries."""
    with pytest.raises(StorageError, match=told) as refused:
        Storage(root, given).check()
    assert len(str(refused.value).splitlines()) == 1


def test_a_line_break_in_the_environment_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a file that was read with its last line has it; the libraries panic."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key\n")
    with pytest.raises(StorageError, match="AWS_ACCESS_KEY_ID has a character"):
        Storage("s3://bucket/x")


def test_a_file_is_not_mixed_with_other_credentials_of_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A token belongs to one key, and one endpoint of the environment cannot be told otherwise."""
    monkeypatch.setenv("AWS_SESSION_TOKEN", "of another key")
    with pytest.raises(StorageError, match="unset AWS_SESSION_TOKEN"):
        Storage("s3://bucket/x", KEYS)
    Storage("s3://bucket/x", {**KEYS, "AWS_SESSION_TOKEN": "its own"})
    Storage("s3://bucket/x", ENDPOINT)
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "https://elsewhere.example")
    with pytest.raises(StorageError, match="unset AWS_ENDPOINT_URL_S3"):
        Storage("s3://bucket/x", ENDPOINT)
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", ENDPOINT["AWS_ENDPOINT_URL"])
    Storage("s3://bucket/x", ENDPOINT)


def test_both_libraries_are_told_one_endpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two names in the environment, they would choose different ones."""
    monkeypatch.setenv("AWS_ENDPOINT", "https://a.example")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "https://b.example")
    assert Storage("s3://bucket/x").options["AWS_ENDPOINT_URL"] == "https://b.example"
    given = {"AWS_ENDPOINT": "https://c.example"}
    options = Storage("s3://bucket/x", given).options
    assert options["AWS_ENDPOINT_URL"] == "https://c.example"
    assert "AWS_ENDPOINT" not in options


def test_secrets_are_in_no_repr_and_in_no_message() -> None:
    """Whatever a store answers."""
    storage = Storage("s3://bucket/x", KEYS)
    told = storage.fault(
        OSError("denied\nwith a-secret-of-tests and https://h/p?sig=signature")
    ).args
    for text in (repr(storage), str(storage), *told):
        assert "a-secret-of-tests" not in text
        assert "signature" not in text
    assert "denied with …" in told[0]


def test_small_files_of_this_machine(tmp_path: Path) -> None:
    """A look makes nothing; what a crash left half written, and a folder, are no file."""
    storage = Storage(str(tmp_path / "lake"))
    assert (storage.names(), storage.read("a"), storage.names("b")) == ([], None, [])
    storage.remove("a")
    storage.check()
    assert not (tmp_path / "lake").exists()
    storage.write("a", b"1")
    storage.write("a", b"2")
    assert not storage.create("a", b"3")
    assert storage.create("b", b"3")
    assert (storage.read("a"), storage.read("b"), storage.names()) == (b"2", b"3", ["a", "b"])
    storage.remove("a")
    (tmp_path / "lake" / "folder").mkdir()
    assert (storage.read("a"), storage.read("folder"), storage.read("b/c")) == (None, None, None)
    storage.remove("folder")
    with pytest.raises(StorageError, match="cannot be used: Is a directory"):
        storage.write("folder", b"4")
    assert storage.names() == ["b", "folder"]


@pytest.mark.parametrize("name", ["x" * 300, "file/lake"])
def test_a_place_on_this_machine_that_cannot_be_is_told_in_one_line(
    tmp_path: Path, name: str
) -> None:
    """The operating system's own words are translated."""
    (tmp_path / "file").touch()
    storage = Storage(str(tmp_path / name))
    with pytest.raises(SinkError, match="correct --lake"):
        storage.write("a", b"")
