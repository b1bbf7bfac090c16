"""Which registered schemas are ours, under which names, and what a registry's settings may be."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from conformare_schemas import (
    RELEASED_SCHEMAS,
    confluent_header,
    confluent_id,
    message_header,
    message_schema,
)
from conformare_schemas.registry import (
    RegistryAccess,
    RegistryClient,
    RegistrySettings,
    RegistrySettingsError,
    released_header,
    schema_text,
    subject_name,
)

URL = "https://registry.example:8081"
SECRET = "s3cr3t-value"  # noqa: S105 - made up


def test_the_wire_format_is_confluents() -> None:
    """A zero, then the id as four bytes, the most significant first."""
    assert confluent_header(0x01020304) == b"\0\1\2\3\4"
    assert confluent_id(b"\0\1\2\3\4payload") == 0x01020304
    assert confluent_id(b"\0\xff\xff\xff\xff") == 2**32 - 1
    for other in (None, b"", b"\0\1\2\3", b"\xc3\1\0\0\0\0\0\0\0\0", b"\1\0\0\0\0"):
        assert confluent_id(other) is None


@pytest.mark.parametrize(("grain", "version"), RELEASED_SCHEMAS)
def test_what_is_registered_is_known_again(grain: str, version: int) -> None:
    """Each as itself, and never as another."""
    assert released_header(schema_text(grain, version)) == message_header(grain, version)


def changed(change: Callable[[Any], object]) -> str:
    """The schema of `runs` with a change."""
    schema = copy.deepcopy(message_schema("runs"))
    change(schema)
    return json.dumps(schema)


def field(schema: Any, name: str) -> Any:
    """A field of the envelope."""
    return next(one for one in schema["fields"] if one["name"] == name)


@pytest.mark.parametrize(
    "change",
    [
        lambda schema: schema.pop("doc"),
        lambda schema: schema.update(aliases=["Runs"]),
        lambda schema: field(schema, "run_id").update(
            type={"type": "string", "avro.java.string": "String"}
        ),
        lambda schema: field(schema, "first_row").update(default=0, order="ignore"),
    ],
    ids=["no comment", "an alias", "Java's strings", "a default"],
)
def test_what_generators_add_makes_no_other_schema(change: Callable[[Any], object]) -> None:
    """The same bytes mean the same."""
    assert released_header(changed(change)) == message_header("runs")


@pytest.mark.parametrize(
    "change",
    [
        lambda schema: field(schema, "ts")["type"].update(logicalType="timestamp-millis"),
        lambda schema: field(schema, "ts").update(type="long"),
        lambda schema: field(schema, "first_row").update(type="long"),
        lambda schema: schema["fields"].reverse(),
        lambda schema: schema["fields"].pop(),
        lambda schema: schema.update(name="Others"),
    ],
    ids=[
        "another unit",
        "no unit",
        "another type",
        "another order",
        "a field less",
        "another name",
    ],
)
def test_what_means_something_else_is_none_of_ours(change: Callable[[Any], object]) -> None:
    """Also where the bytes could be read."""
    assert released_header(changed(change)) is None


@pytest.mark.parametrize(
    "text",
    ["", "null", "[]", '"string"', "{", '{"type": "record"}', "[" * 100_000, "[" * 400 + "]" * 400,
     'syntax = "proto3";', '{"type": "record", "name": "x", "fields": "no"}', "9" * 5_000],
)  # fmt: skip
def test_a_hostile_text_is_none_of_ours(text: str) -> None:
    """And ends nothing."""
    assert released_header(text) is None


def test_subjects_have_confluents_names() -> None:
    """By topic, by record, by both."""
    assert subject_name("runs", "x.", "TopicName") == "x.runs-value"
    assert subject_name("runs", "x.", "RecordName") == "conformare.RunsMessage"
    assert subject_name("runs", "x.", "TopicRecordName") == "x.runs-conformare.RunsMessage"


@pytest.mark.parametrize(
    ("url", "settings"),
    [
        (f"https://user:{SECRET}@registry", {}),
        (f"https://{SECRET}@registry", {}),
        (f"ftp://{SECRET}", {}),
        (SECRET, {}),
        (f"https://registry?{SECRET}", {}),
        (f"https://registry:99999/{SECRET}", {}),
        ("https://a,https://b", {}),
        (f"https://{SECRET}:1,https://b:2", {}),
        (URL, {"basic.auth.user.info": SECRET}),
        (URL, {"bearer.auth.token": f"{SECRET}\r\nX: y"}),
        (URL, {"basic.auth.user.info": f"u:{SECRET}", "bearer.auth.token": SECRET}),
        (URL, {SECRET: "x"}),
        (URL, {"ssl.key.password": SECRET}),
        (URL, {"user_info": f"u:{SECRET}"}),
    ],
)
def test_what_cannot_be_right_is_refused_without_a_value(
    url: str, settings: dict[str, str]
) -> None:
    """Any of them may be a secret."""
    with pytest.raises(RegistrySettingsError) as refused:
        RegistryAccess.of(url, settings)
    assert SECRET not in str(refused.value)
    assert refused.value.__cause__ is None


def test_secrets_are_in_no_repr() -> None:
    """But reach the registry."""
    access = RegistryAccess.of(URL, {"basic.auth.user.info": f"u:{SECRET}"})
    assert SECRET not in repr(access)
    assert access.authorization() == "Basic dTpzM2NyM3QtdmFsdWU="
    token = RegistryAccess.of(URL, {"bearer.auth.token": SECRET})
    assert SECRET not in repr(token)
    assert token.authorization() == f"Bearer {SECRET}"


@pytest.mark.parametrize("url", ["https://a:1,https://b:2", "https://a,https://b", "a:1,b:1"])
def test_several_registries_are_refused_by_what_is_wrong(url: str) -> None:
    """Other clients take them."""
    with pytest.raises(RegistrySettingsError, match="it must be one URL; name one that leads to"):
        RegistryAccess.of(url, {})


def test_tls_is_meant_however_its_scheme_is_written(tmp_path: Path) -> None:
    """Its files would be left out otherwise."""
    access = RegistryAccess.of("HTTPS://Registry/A/", {"ssl.ca.location": str(tmp_path / "none")})
    assert access.url == "https://Registry/A"
    with pytest.raises(RegistrySettingsError, match="cannot be used: No such file"):
        RegistryClient(access)


def test_a_file_of_tls_that_is_not_there_is_told_at_once(tmp_path: Path) -> None:
    """A client connects to nothing before it is asked for something."""
    access = RegistryAccess.of(URL, {"ssl.ca.location": str(tmp_path / "none.pem")})
    with pytest.raises(RegistrySettingsError, match="cannot be used: No such file"):
        RegistryClient(access)


def test_settings_may_come_from_a_file(tmp_path: Path) -> None:
    """By Confluent's names."""
    file = tmp_path / "registry.properties"
    file.write_text("# login\nbearer.auth.token = abc\n", encoding="utf-8")
    access = settings_of(schema_registry_url=f"{URL}/", schema_registry_settings=file).registry
    assert access is not None
    assert access.authorization() == "Bearer abc"
    for wrong in (
        {"schema_registry_url": URL, "schema_registry_settings": tmp_path / "none"},
        {"schema_registry_settings": file},
        {"schema_registry_url": f"https://user:{SECRET}@registry"},
    ):
        with pytest.raises(ValidationError) as refused:
            settings_of(**wrong)
        assert SECRET not in str(refused.value)


def settings_of(**given: object) -> RegistrySettings:
    """Settings of a command."""
    return RegistrySettings.model_validate(given)
