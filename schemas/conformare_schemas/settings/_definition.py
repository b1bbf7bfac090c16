"""What a setting is: a field of a pydantic model, read in the one way that everything derives from.

    class Serving(Settings):
        metrics_port: Annotated[int | None, About(default="no endpoint")] = Field(
            default=None, ge=0, le=65535, description="Serve the metrics on this port."
        )

That is the option `--metrics-port`, the variable `CONFORMARE_METRICS_PORT`, the key `metrics_port` of
a configuration file, and a row of the reference.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel, ConfigDict
from pydantic.fields import FieldInfo

from conformare_schemas._naming import environment_variable


class Settings(BaseModel):
    """The base of all settings: frozen, strict about names, silent about values."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        populate_by_name=True,
        # A setting may hold a secret: a message about it never quotes it.
        hide_input_in_errors=True,
        arbitrary_types_allowed=True,
    )


@dataclass(frozen=True, kw_only=True)
class About:
    """What a field's own type, default and description do not say of a setting.

    Attributes:
        option: Its option on the command line, where that is not `--<name>`.
        has_option: Whether there is one; a secret has none, for others can read a command line.
        short: A second option, of one letter.
        metavar: What stands for the value in a command's help.
        unit: What a number counts.
        default: What holds where nothing is given, where the field's default does not show it.
        is_secret: Whether the value is shown to nobody.
        of_one_call: Whether it is about one call of a command: no configuration file holds it.
        has_variable: Whether the environment may have it; where not, it is about one call as well.
        of_job_only: Whether only a program can give it, as an object of Python.
    """

    option: str | None = None
    has_option: bool = True
    short: str | None = None
    metavar: str | None = None
    unit: str | None = None
    default: str | None = None
    is_secret: bool = False
    of_one_call: bool = False
    has_variable: bool = True
    of_job_only: bool = False


@dataclass(frozen=True)
class Definition:
    """One setting, as a model's field defines it.

    Attributes:
        name: Its name: the key in a configuration file.
        field: Name of the model's field, which differs where Python has the name for something else.
        info: The field.
        about: What the field alone does not say.
    """

    name: str
    field: str
    info: FieldInfo
    about: About

    @property
    def variable(self) -> str:
        """Its name in the environment."""
        return environment_variable(self.name)

    @property
    def option(self) -> str:
        """Its name on the command line."""
        return self.about.option or f"--{self.name.replace('_', '-')}"

    @property
    def is_of_file(self) -> bool:
        """Whether a configuration file may have it."""
        return self.about.has_variable and not (self.about.of_one_call or self.about.of_job_only)

    @property
    def sentence(self) -> str:
        """What it means."""
        return self.info.description or ""

    @property
    def is_required(self) -> bool:
        """Whether a model cannot be made without it."""
        return self.info.is_required()

    @property
    def type(self) -> Any:
        """What the value is, without the None of one that need not be given."""
        return _without_none(self.info.annotation)

    @property
    def type_text(self) -> str:
        """What the value is, in words."""
        unit = f", in {self.about.unit}" if self.about.unit else ""
        kind = _type_text(self.type)
        if kind in ("text", "path") and self.about.metavar is not None:
            kind = self.about.metavar.lower()
        return f"{kind}{self._range_text}{unit}"

    @property
    def bounds(self) -> tuple[float | None, float | None]:
        """The smallest and the largest value that a number may have; None for none."""
        found: dict[str, float] = {}
        for mark in self.info.metadata:
            for name, kind in (("ge", Ge), ("gt", Gt), ("le", Le), ("lt", Lt)):
                if isinstance(mark, kind):
                    found[name] = getattr(mark, name)
        return found.get("ge"), found.get("le")

    @property
    def default_text(self) -> str:
        """What holds where nothing is given."""
        if self.about.default is not None:
            return self.about.default
        default = self.info.default
        if self.is_required or default is None or self.info.default_factory is not None:
            return ""
        if isinstance(default, Enum):
            return str(default.value)
        if isinstance(default, bool):
            return str(default).lower()
        return str(default) if isinstance(default, (str, int, float, Path)) else ""

    @property
    def _range_text(self) -> str:
        least, most = self.bounds
        if least is not None and most is not None:
            return f" from {least:,.10g} to {most:,.10g}"
        if least is not None:
            return f" from {least:,.10g}"
        return "" if most is None else f" up to {most:,.10g}"


def definitions(model: type[BaseModel]) -> tuple[Definition, ...]:
    """Return the settings that a model has, in its order.

    Args:
        model: Any pydantic model; a field's alias is the setting's name.
    """
    return tuple(_definition(name, info) for name, info in model.model_fields.items())


def _definition(field: str, info: FieldInfo) -> Definition:
    about = next((mark for mark in info.metadata if isinstance(mark, About)), About())
    return Definition(info.alias or field, field, info, about)


def _without_none(annotation: Any) -> Any:
    if get_origin(annotation) is Annotated:
        return _without_none(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        branches = [one for one in get_args(annotation) if one is not NoneType]
        return _without_none(branches[0]) if len(branches) == 1 else annotation
    return annotation


_WORDS: Mapping[Any, str] = {
    bool: "true or false",
    int: "integer",
    float: "number",
    dict: "table",
    timedelta: "duration",
    Path: "path",
}


def _type_text(kind: Any) -> str:
    if isinstance(kind, type) and issubclass(kind, Enum):
        return " or ".join(f"`{one.value}`" for one in kind)
    if get_origin(kind) is Literal:
        return " or ".join(f"`{one}`" for one in get_args(kind))
    if get_origin(kind) in (list, tuple):
        return "list of texts"
    return _WORDS.get(get_origin(kind) or kind, "text")
