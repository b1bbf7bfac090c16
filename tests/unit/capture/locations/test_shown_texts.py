"""Other texts than locations, and labels: without credentials and addresses of persons."""

from __future__ import annotations

import json

import pytest

from conformare.capture.locations import (
    joined_with_table,
    label_of_path,
    label_of_table,
    last_segment,
    without_addresses,
    without_credentials,
    without_extension,
)


@pytest.mark.parametrize(
    "address",
    [
        "bob@x.org",
        "bob%40x.org",
        "bob%2540x.org",
        "bob@x%2Eorg",
        "bob@пример.рф",
        "bob@xn--e1afmkfd.xn--p1ai",
        "иван@пример.рф",
        "o'brien@x.org",
        "a!b#c$d@x.org",
        '"a b"@x.org',
        "bob@[10.0.0.1]",
        "bob@10.0.0.1",
        "bob＠x.org",  # noqa: RUF001 - full width
        "bob@x。org",
        "first.last+tag@sub.x-y.museum",
    ],
)
def test_an_address_is_hidden_however_it_is_written(address: str) -> None:
    for text in ("{}", "email={}", "sum({})", "/out/{}/x", "a {} b"):
        hidden = without_addresses(text.format(address))
        assert hidden in (text.format("***"), text.format("a!b#***"))


@pytest.mark.parametrize(
    "text", ["orders@v1", "precision@10", "@timestamp", "a plain column", "part=a@b", "npm@1.2.3"]
)
def test_what_is_no_address_stays(text: str) -> None:
    assert without_addresses(text) == text


def test_labels_are_made_of_what_may_be_shown() -> None:
    """Cut first, half of an address would stay."""
    address = "email=alexander.longlastname@corporation-name.example.org"
    assert label_of_path(f"/out/{address}") == "email=***"
    assert label_of_path(f"/out/x-{address.partition('=')[2]}") == "***"
    assert label_of_table(f"sales.{'t' * 50}") == "t" * 40
    assert label_of_path("s3a://k:secret@bucket/orders?sig=secret") == "orders"
    assert (
        label_of_path(joined_with_table("jdbc:postgresql://u:secret@h/d", "orders")) == "d#orders"
    )


def test_in_the_authors_words_urls_are_redacted_and_secrets_are_hidden() -> None:
    said = "see https://u:secret@h/x?sig=secret, jdbc:sqlserver://h;password={secret secret} and"
    assert without_credentials(said) == "see https://h/x jdbc:sqlserver://h and"
    said = "Server=h;Pwd=secret; api_key = secret and token='secret secret'"
    assert "secret" not in without_credentials(said)
    for printed in (str({"db_password": "secret 'a"}), json.dumps({"u": 1, "apiKey": 'secret "a'})):
        assert "secret" not in without_credentials(f"with {printed} and")
    for text in (
        "rows where x=1; y is left out",
        "status: open",
        "a=b;c=d;",
        "no secret at all",
        "token: rotated",
    ):
        assert without_credentials(text) == text


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
