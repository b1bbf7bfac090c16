"""A table has one name, with what nobody writes left out and quotes where they are needed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformare.capture.sql._file_systems import FileSystem
from conformare.capture.sql._names import files, is_path, parts_of, table


@pytest.mark.parametrize(
    ("parts", "location"),
    [
        (("spark_catalog", "default", "orders"), "orders"),
        (("spark_catalog", "Default", "Orders"), "orders"),
        (("spark_catalog", "sales", "clients"), "sales.clients"),
        (("my-cat", "APP", "od-d"), "`my-cat`.APP.`od-d`"),
        (("iceberg", "default", "t"), "iceberg.default.t"),
        (("iceberg", "a", "b", "t"), "iceberg.a.b.t"),
        (("spark_catalog", "sales", "2024"), "sales.`2024`"),
        (("spark_catalog", "sales", "a.b"), "sales.`a.b`"),
        (("cat", "s", "a`b"), "cat.s.`a``b`"),
        (("global_temp", "v"), "global_temp.v"),
        (("cat", "s", "s3a://key:secret@bucket/x"), "cat.s.`s3://bucket/x`"),
    ],
)
def test_the_name_of_a_table(parts: tuple[str, ...], location: str) -> None:
    assert table(parts).location == location


@given(
    st.lists(st.text(min_size=1).filter(lambda part: part == part.strip()), min_size=1, max_size=4)
)
def test_an_address_leads_back_to_its_parts(parts: list[str]) -> None:
    full = ("cat", *parts)
    assert parts_of(table(full).address) == full


class _Hadoop(FileSystem):
    """A file system whose default nobody has to ask Java for."""

    def __init__(self, root: str, folder: str) -> None:
        self.__dict__.update(_root=root, _folder=folder)


@pytest.mark.parametrize(
    ("path", "root", "location"),
    [
        ("file:/data/x", "file:///", "/data/x"),
        ("file:/data/x", "hdfs://host:8020", "/data/x"),
        ("/data/x", "file:///", "/data/x"),
        ("/data/x", "hdfs://host:8020", "hdfs://host/data/x"),
        ("hdfs:/data/x", "hdfs://host:8020", "hdfs://host/data/x"),
        ("hdfs:///data/x", "hdfs://host:8020", "hdfs://host/data/x"),
        ("hdfs:///data/x", "file:///", "hdfs:/data/x"),
        ("hdfs://other/data/x", "hdfs://host:8020", "hdfs://other/data/x"),
        ("/data/x", "s3a://bucket", "s3://bucket/data/x"),
        ("/data/x", "dbfs:/", "dbfs:/data/x"),
        ("/data/x", "", "/data/x"),
        ("x/y", "hdfs://host:8020", "hdfs://host/user/ana/x/y"),
        ("../x", "hdfs://host:8020", "hdfs://host/user/x"),
        ("./x/", "", "x"),
        ("C:/x", "file:///", "C:/x"),
        ("", "file:///", ""),
    ],
)
def test_a_path_has_the_file_system_that_it_is_read_from(
    path: str, root: str, location: str
) -> None:
    file_system = _Hadoop(root, f"{root}/user/ana" if root else "")
    assert files(file_system.absolute(path), "parquet").location == location


def test_a_format_and_a_path_are_no_table() -> None:
    assert is_path(("delta", "/data/x"))
    assert is_path(("parquet", "s3://bucket/x"))
    assert not is_path(("sales", "orders"))
    assert not is_path(("/data",))
