"""Texts that pydantic passes by itself are those that redaction would not have changed."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from conformare.capture.locations import (
    shown_locations,
    without_addresses,
    without_credentials,
)
from conformare.record._models import ROW_MODELS, Row, validated_columns
from conformare.record._texts import Key, Location, Named, Text

# What URLs, their parameters and addresses are made of, and what pydantic cannot judge.
PIECES = st.sampled_from(
    [
        *"aZ0/:@=?;#&(),._-%* \n",
        "://",
        "s3a://",
        "https://user:pw@host/",
        "jdbc:",
        "JDBC:Oracle:thin:",
        "password=",
        "key",
        "ana@example.com",
        "ü",
        "\ud800",
        "\x7f",
    ]
)
TEXTS = st.one_of(st.lists(PIECES, max_size=12).map("".join), st.text(max_size=30))
OWNER = {"owner": "ana", "scope": "risk", "ref": "r", "role": "risk_owner"}
KEY = {"run_id": "r", "pipeline": "p", "ts": "t"}


def encodable(text: str) -> str:
    """Return what UTF-8 can carry of a text."""
    return text.encode("utf-8", "replace").decode("utf-8")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.usefixtures("quick_digests")
@given(TEXTS)
@example("a/")
@example("a/./b")
def test_every_text_is_what_its_redaction_makes_of_it(text: str) -> None:
    mended = encodable(text)
    said = without_credentials(mended)
    assert TypeAdapter(Key).validate_python(text) == mended
    assert TypeAdapter(Text).validate_python(text) == said
    assert TypeAdapter(Named).validate_python(text) == without_addresses(said)
    assert TypeAdapter(Location).validate_python(text) == shown_locations(mended)


@pytest.mark.parametrize("kind", [Key, Text, Named, Location])
@pytest.mark.parametrize("unfit", [None, 1, ["secret"], b"secret\xff"])
def test_what_is_no_text_is_refused_as_one_error(kind: Any, unfit: object) -> None:
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(kind).validate_python(unfit)
    assert [(error["type"], error["loc"]) for error in caught.value.errors()] == [
        ("string_type", ())
    ]


@given(TEXTS, TEXTS)
def test_the_columns_of_a_row_are_those_of_its_model(owner: str, ref: str) -> None:
    columns = {"ref": ref, **OWNER, "owner": owner}
    row = ROW_MODELS["owners"](**KEY, **columns)
    assert list((KEY | validated_columns("owners", columns)).items()) == list(vars(row).items())


@pytest.mark.parametrize(
    "change",
    [{"owner": ["secret"]}, {"scope": "secret"}, {"more": "secret"}, {"owner": None, "ref": None}],
)
def test_columns_that_do_not_fit_are_refused_as_the_model_does(change: dict[str, Any]) -> None:
    columns = {**OWNER, **change}
    with pytest.raises(ValidationError) as of_the_model:
        ROW_MODELS["owners"](**KEY, **columns)
    with pytest.raises(ValidationError) as caught:
        validated_columns("owners", columns)
    assert str(caught.value) == str(of_the_model.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("grain", ROW_MODELS)
def test_a_row_that_lacks_its_columns_is_refused(grain: str) -> None:
    with pytest.raises(ValidationError) as caught:
        validated_columns(grain, {})
    missing = [error["loc"] for error in caught.value.errors()]
    model = ROW_MODELS[grain]
    assert missing == [(name,) for name in model.model_fields if name not in Row.model_fields]
