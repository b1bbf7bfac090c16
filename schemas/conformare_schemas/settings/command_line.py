"""Settings as options of a command; the only module of the settings that knows typer.

    @app.command()
    @command_of(Serving)
    def serve(asked: Serving) -> None:
        ...

Each field of the model is an option. typer reads the command line and the environment, the
configuration file stands behind them as typer's own map of defaults, and the model checks the rest.
"""

from __future__ import annotations

import functools
import inspect
import os
import sys
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_origin, get_type_hints

import typer
from pydantic import ValidationError

from conformare_schemas._naming import CONFIG_VARIABLE
from conformare_schemas.printable import printable
from conformare_schemas.settings._config_file import (
    SettingsError,
    config_file,
    read_config_file,
    use_config_file,
)
from conformare_schemas.settings._definition import Definition, Settings, definitions
from conformare_schemas.settings._in_force import InForce, Origin, in_force, told

Model = TypeVar("Model", bound=Settings)
CONFIG_HELP = "TOML file with settings, by the names that they have in the environment."

_ORIGINS: Mapping[str, Origin] = {
    "COMMANDLINE": "command line",
    "PROMPT": "command line",
    "ENVIRONMENT": "environment",
    "DEFAULT_MAP": "file",
}
"""What typer calls the place that a value comes from."""


def command_of(
    model: type[Model],
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Return what makes a command of a function that takes its settings and its own arguments.

    Args:
        model: The settings; each of its fields becomes an option.
    """
    settings = definitions(model)

    def decorate(function: Callable[..., None]) -> Callable[..., None]:
        _, *own = inspect.signature(function, eval_str=True).parameters.values()

        @functools.wraps(function)
        def command(typer_context: typer.Context, **values: Any) -> None:
            arguments = {one.name: values[one.name] for one in own}
            # Several are the words of another command, which judges them itself.
            _require_texts(
                {
                    name.replace("_", "-"): text
                    for name, text in arguments.items()
                    if not isinstance(text, list)
                }
            )
            function(_checked(model, typer_context, values), **arguments)

        options = [_parameter(one) for one in settings if _is_option(one)]
        config = Annotated[
            str | None,
            typer.Option(
                "--config",
                envvar=CONFIG_VARIABLE,
                metavar="FILE",
                is_eager=True,
                callback=_config_callback(settings),
                help=CONFIG_HELP,
            ),
        ]
        parameters = [
            inspect.Parameter(
                "typer_context", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context
            ),
            *(one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in own),
            *options,
            inspect.Parameter(
                "config", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=config
            ),
        ]
        # typer asks inspect, which looks here first; types of functions do not name the attribute.
        command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        command.__annotations__ = {one.name: one.annotation for one in parameters}
        command.settings = model  # type: ignore[attr-defined]  # typer hands it on to its own
        return command

    return decorate


def settings_of(command: Any, context: typer.Context) -> Iterator[tuple[Definition, InForce]]:
    """Yield each setting of a command with what a call would have of it; the command is not run.

    Args:
        command: The command, as typer has made it.
        context: The call, with its words parsed.

    Raises:
        typer.BadParameter: The command would refuse them.
    """
    model = getattr(command.callback, "settings", None)
    if model is None:
        return
    _checked(model, context, context.params)
    for one in definitions(model):
        if one.about.of_job_only:
            continue
        yield one, _given(context, one, context.params) if _is_option(one) else _outside(one)


def _is_option(one: Definition) -> bool:
    return one.about.has_option and not one.about.of_job_only


def _parameter(one: Definition) -> inspect.Parameter:
    """Return a setting as typer has an option: a parameter with its annotation."""
    least, most = one.bounds
    kind = _kind(one.type)
    shows = one.default_text if one.about.default is not None else True
    option = typer.Option(
        one.option,
        *([one.about.short] if one.about.short else []),
        envvar=one.variable if one.about.has_variable else None,
        help=one.sentence.replace("`", ""),
        metavar=one.about.metavar,
        show_default=shows,
        min=least if kind in (int, float) else None,
        max=most if kind in (int, float) else None,
    )
    default = one.info.default
    if one.is_required:
        default = inspect.Parameter.empty
    elif one.info.default_factory is not None or not isinstance(default, (str, int, float, Enum)):
        default = None
    optional = kind if default is not None else kind | None
    return inspect.Parameter(
        one.field,
        inspect.Parameter.KEYWORD_ONLY,
        default=default,
        annotation=Annotated[optional, option],
    )


def _kind(annotation: Any) -> Any:
    """Return what typer makes of a text; the model makes the rest."""
    if get_origin(annotation) in (list, tuple):
        return list[str]
    if get_origin(annotation) is Literal:
        return annotation
    if isinstance(annotation, type) and issubclass(annotation, (bool, int, float, Enum)):
        return annotation
    # Also for a path: as one, a text that is empty would be the working folder.
    return str


def _config_callback(
    settings: tuple[Definition, ...],
) -> Callable[[typer.Context, str | None], str | None]:
    def use(context: typer.Context, path: str | None) -> str | None:
        if context.resilient_parsing:  # a shell completes a line, and is told nothing
            return path
        try:
            if path is not None:
                _require_texts({"--config": path})
                context.with_resource(use_config_file(read_config_file(Path(path))))
            file = config_file()
            if file is None:
                return path
            found = {one.field: in_force(one) for one in settings if _is_option(one)}
        except SettingsError as exc:
            raise typer.BadParameter(str(exc)) from exc
        context.default_map = {
            field: one.value for field, one in found.items() if one.origin == "file"
        }
        if (warning := file.warning()) is not None:
            print(f"warning: {warning}", file=sys.stderr)  # noqa: T201 - a command line
        return path

    # typer reads the types of a callback's parameters, and those of this module are texts.
    use.__annotations__ = get_type_hints(use)
    return use


def _checked(model: type[Model], context: typer.Context, values: Mapping[str, Any]) -> Model:
    """Return the settings of a call.

    Raises:
        typer.BadParameter: One of them does not fit.
    """
    given: dict[str, Any] = {}
    for one in definitions(model):
        found = _given(context, one, values) if _is_option(one) else _outside(one)
        if found.origin == "default":
            continue
        given[one.field] = found.value
        if _is_option(one):
            _require_texts({one.option: found.value})
    try:
        return model(**given)
    except ValidationError as exc:
        error = exc.errors()[0]
        raise typer.BadParameter(
            printable(told(error)), ctx=context, param=_parameter_of(error, model, context)
        ) from None  # the chain has the values


def _outside(one: Definition) -> InForce:
    try:
        return in_force(one)
    except SettingsError as exc:
        raise typer.BadParameter(str(exc)) from exc


def _parameter_of(error: Mapping[str, Any], model: type[Settings], context: typer.Context) -> Any:
    """Return typer's parameter of the setting that an error is about; None for several."""
    place = error["loc"][0] if error["loc"] else None
    fields = [one.field for one in definitions(model) if place in (one.name, one.field)]
    return next((one for one in context.command.params if one.name in fields), None)


def _given(context: typer.Context, one: Definition, values: Mapping[str, Any]) -> InForce:
    """Return what typer has found for an option."""
    source = context.get_parameter_source(one.field)
    origin = _ORIGINS.get(source.name if source is not None else "", "default")
    if origin == "default":
        return InForce(None, origin)
    value = values[one.field]
    if origin == "environment" and isinstance(value, (list, tuple)):
        # typer takes each word for one; a name may have blanks.
        lines = os.environ[one.variable].splitlines()
        value = [line.strip() for line in lines if line.strip()]
    return InForce(value, origin)


def _require_texts(given: Mapping[str, Any]) -> None:
    """Refuse texts that are empty: a script's variable that is not set must not mean everything."""
    for option, value in given.items():
        for text in value if isinstance(value, list) else [value]:
            if not isinstance(text, str) and text != Path():
                continue
            if (text == Path() or not str(text).strip()) and not option.endswith("-prefix"):
                raise typer.BadParameter(f"{option} is empty")
            if isinstance(text, str) and any(unicodedata.category(sign) == "Cs" for sign in text):
                raise typer.BadParameter(f"{option} is not in this locale's encoding: {text!r}")
