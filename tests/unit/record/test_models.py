"""The models of the grains are the columns of the contract, field by field."""

from __future__ import annotations

import types
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import pytest
from pydantic import BaseModel, ValidationError

from conformare.record._models import ROW_MODELS, Row, SourceRisksRow
from conformare_schemas import RUN_GRAINS, SOURCE_RISKS, key_columns, row_fields

SCALARS = {str: "string", bool: "boolean", int: "int"}


def avro_type(annotation: Any) -> Any:
    """Translate a field's annotation to the Avro type that it must have."""
    origin, args = get_origin(annotation), get_args(annotation)
    if origin in (types.UnionType, Union):
        (value,) = (arg for arg in args if arg is not types.NoneType)
        return ["null", avro_type(value)]
    if origin is Annotated:
        return avro_type(args[0])
    if origin is Literal:
        return "string"
    if origin is list:
        return {"type": "array", "items": avro_type(args[0])}
    if origin is dict:
        return {"type": "map", "values": avro_type(args[1])}
    return SCALARS[annotation]


@pytest.mark.parametrize(("grain", "model"), [*ROW_MODELS.items(), (SOURCE_RISKS, SourceRisksRow)])
def test_a_model_has_the_columns_of_the_contract(grain: str, model: type[BaseModel]) -> None:
    types_of = get_type_hints(model, include_extras=True)
    key = key_columns(grain)
    assert tuple(model.model_fields)[: len(key)] == key
    own = [name for name in model.model_fields if name not in key]
    assert [(name, avro_type(types_of[name])) for name in own] == [
        (field.name, field.avro_type) for field in row_fields(grain)
    ]


def test_every_grain_of_a_run_has_a_model() -> None:
    assert tuple(ROW_MODELS) == RUN_GRAINS
    assert tuple(Row.model_fields) == ("run_id", "pipeline", "ts")


def test_a_row_takes_nothing_more_and_cannot_be_changed() -> None:
    row = Row(run_id="r", pipeline="p", ts="t")
    with pytest.raises(ValidationError, match="frozen"):
        row.ts = "later"  # type: ignore[misc]  # the mistake
    with pytest.raises(ValidationError, match="extra"):
        Row(run_id="r", pipeline="p", ts="t", more=1)  # type: ignore[call-arg]  # the mistake


def test_an_error_quotes_no_value() -> None:
    with pytest.raises(ValidationError) as caught:
        Row(run_id=["secret"], pipeline="p", ts="t")
    assert "secret" not in str(caught.value)


def test_text_that_utf_8_cannot_carry_is_mended() -> None:
    assert Row(run_id="r", pipeline="p\udcff", ts="t").pipeline == "p?"
