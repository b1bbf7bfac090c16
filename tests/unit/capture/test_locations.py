"""No credential in a location survives, and a location without one stays as it is."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformare.capture.locations import last_segment, redacted, without_extension


@pytest.mark.parametrize(
    ("location", "shown"),
    [
        ("s3a://AKIA:se/cr+et@bucket/a/b.parquet", "s3a://***@bucket/a/b.parquet"),
        ("s3a://AKIA:1234/ab@bucket/x", "s3a://***@bucket/x"),
        ("https://joe@host:8443/x", "https://***@host:8443/x"),
        ("https://joe:p@ss@host/x?sig=q&se=w", "https://***@host/x?***"),
        (
            "abfss://box@acct.dfs.core.windows.net/x?sv=2024&sig=Zm9v%3D",
            "abfss://box@acct.dfs.core.windows.net/x?***",
        ),
        (
            "wasbs://box:key@acct.blob.core.windows.net/x",
            "wasbs://***@acct.blob.core.windows.net/x",
        ),
        ("jdbc:postgresql://h:5432/db?user=u&password=p", "jdbc:postgresql://h:5432/db?***"),
        ("jdbc:postgresql://u:p@h:5432/db", "jdbc:postgresql://***@h:5432/db"),
        (
            "jdbc:sqlserver://h:1433;databaseName=d;user=u;password={a;b}",
            "jdbc:sqlserver://h:1433;databaseName=d;***",
        ),
        ("jdbc:oracle:thin:scott/tiger@//h:1521/s", "jdbc:oracle:thin:***@//h:1521/s"),
        ("jdbc:oracle:thin:scott/ti@ger@h:1521:sid", "jdbc:oracle:thin:***@h:1521:sid"),
        ("jdbc:mysql://(host=h,user=u,password=p)/db", "jdbc:mysql://(***)/db"),
        ("jdbc:mysql://h1:3306,h2:3306/db?useSSL=true", "jdbc:mysql://h1:3306,h2:3306/db?***"),
        (
            "jdbc:snowflake://a.host/?db=D&warehouse=W&token=t",
            "jdbc:snowflake://a.host/?db=D&warehouse=W&***",
        ),
        ("https://host/x#access_token=t", "https://host/x#***"),
        ("jdbc:h2:mem:x;PASSWORD=p", "jdbc:h2:mem:x;***"),
    ],
)
def test_what_identifies_somebody_is_hidden(location: str, shown: str) -> None:
    assert redacted(location) == shown


@pytest.mark.parametrize(
    "location",
    [
        "/data/in.csv",
        "/data/2026-0?/part=a@b/*.csv",
        "C:\\data\\in.csv",
        "catalog.schema.table",
        "hdfs://namenode:8020/user/a@b/x",
        "s3://bucket/2026-0?/x.parquet",
        "abfss://box@acct.dfs.core.windows.net/x",
        "file:///tmp/x",
        "jdbc:sqlite:/data/x.db",
        "jdbc:postgresql://[::1]:5432/db",
        "",
    ],
)
def test_any_other_location_is_kept(location: str) -> None:
    assert redacted(location) == location


PRINTABLE = string.ascii_letters + string.digits + string.punctuation
# A marker that nothing of the locations themselves contains.
SECRETS = st.text(PRINTABLE, max_size=20).map(lambda text: f"Q9{text}9Q")


def parts_of(secret: str) -> list[str]:
    """Return the ends of a secret, of which neither may be seen."""
    return ["Q9", "9Q", secret]


@given(SECRETS, st.sampled_from(["s3a", "s3", "https", "abfss", "wasbs", "mongodb"]))
def test_no_password_before_a_host_is_seen(secret: str, scheme: str) -> None:
    shown = redacted(f"{scheme}://key:{secret}@host/dir/x")
    assert not [part for part in parts_of(secret) if part in shown]
    assert shown.startswith(f"{scheme}://***@")


@given(SECRETS, st.sampled_from(["sig", "password", "X-Amz-Signature", "token", "anything"]))
def test_no_parameter_of_a_url_is_seen(secret: str, name: str) -> None:
    shown = redacted(f"https://host/dir/x?{name}={secret}")
    assert not [part for part in parts_of(secret) if part in shown]


@given(
    SECRETS,
    st.sampled_from(
        [
            "jdbc:postgresql://h:5432/d?user=u&password={}",
            "jdbc:sqlserver://h:1433;user=u;password={}",
            "jdbc:oracle:thin:u/{}@//h:1521/s",
            "jdbc:oracle:thin:u/{}@h:1521:s",
            "jdbc:mysql://u:{}@h:3306/d",
        ]
    ),
)
def test_no_password_of_a_database_is_seen(secret: str, template: str) -> None:
    shown = redacted(template.format(secret))
    assert not [part for part in parts_of(secret) if part in shown]


@given(st.text(PRINTABLE, max_size=60))
def test_redacting_twice_changes_nothing_more(text: str) -> None:
    for location in (text, f"https://{text}", f"jdbc:postgresql://{text}"):
        assert redacted(redacted(location)) == redacted(location)


@pytest.mark.parametrize(
    ("location", "segment", "name"),
    [
        ("/a/b/flights.csv.gz", "flights.csv.gz", "flights"),
        ("/a/b/flights/", "flights", "flights"),
        ("catalog.schema.`table`", "catalog.schema.table", "catalog"),
        ("C:\\a\\b.csv", "b.csv", "b"),
        ("s3://bucket/x.parquet", "x.parquet", "x"),
    ],
)
def test_the_last_segment_names_a_location(location: str, segment: str, name: str) -> None:
    assert (last_segment(location), without_extension(last_segment(location))) == (segment, name)
