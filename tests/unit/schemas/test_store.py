"""Where a lake is and how its store is reached: one definition for all who open lakes."""

from __future__ import annotations

from pathlib import Path

import pytest

from conformare_schemas.store import (
    NO_STORE,
    StoreError,
    StoreSettings,
    explain,
    parse_address,
    read_settings,
)


def test_what_is_not_known_is_told_in_one_line_without_colours() -> None:
    """Deltalake tells a chain of causes."""
    chain = "Generic S3 error\n    \x1b[31m↳\x1b[0m something new\n"
    assert explain(OSError(chain), "AWS_", writes=True) == "Generic S3 error something new"
    full = OSError(28, "No space left on device")
    assert explain(full, "", writes=True) == "its disk is full: make room"
    assert explain(OSError(5, "Input/output error"), "", writes=True) == "Input/output error"
    assert explain(OSError(), "", writes=True) == "no reason was given"


@pytest.mark.parametrize(
    ("error", "prefix", "to_write", "to_read"),
    [
        (
            "403 Forbidden",
            "AWS_",
            "let them list, read, write and delete",
            "let them list and read",
        ),
        ("Permission denied", "", "let this user read and write it", "let this user read it"),
    ],
)
def test_a_reader_is_not_told_to_ask_for_rights_to_write(
    error: str, prefix: str, to_write: str, to_read: str
) -> None:
    """It needs none."""
    assert to_write in explain(OSError(error), prefix, writes=True)
    assert to_read in explain(OSError(error), prefix, writes=False)


def test_a_disk_is_not_told_to_change_settings_that_it_does_not_have() -> None:
    """The text itself says more."""
    assert explain(OSError(NO_STORE), "", writes=False) == NO_STORE
    assert "correct AWS_ENDPOINT_URL" in explain(OSError(NO_STORE), "AWS_", writes=False)


def test_one_lake_has_one_address_on_this_machine(tmp_path: Path) -> None:
    """Whether as a path or as a URL; percent signs are of URLs only."""
    place = parse_address(f"{tmp_path}/a b")
    assert parse_address(f"file://{tmp_path}/a%20b") == place
    assert (place.local, place.uri("runs")) == (tmp_path / "a b", f"{tmp_path}/a b/runs")


def test_an_address_and_a_setting_fail_alike(tmp_path: Path) -> None:
    """Whoever opens a lake translates one error."""
    settings = tmp_path / "settings"
    settings.write_text("# of a test\nAWS_REGION\n", encoding="utf-8")
    with pytest.raises(StoreError, match="is not supported"):
        parse_address("hdfs://host/lake")
    with pytest.raises(StoreError, match="is no setting of the lake's store"):
        StoreSettings("AWS_", {"AZURE_CLIENT_ID": "a"})
    with pytest.raises(StoreError, match="line 2: it is not of the form name=value"):
        read_settings(settings)
