"""The page of the settings: every field of every registered model, once."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import entry_points

from conformare_schemas.settings import SETTINGS_GROUP, Definition, definitions
from support.reference.markdown import NOTE, code, joined, table

TITLES = {
    "job": "A job",
    "sink": "The sink and its commands",
    "commands": "`fleet` and `spool`",
    "shared": "Shared by jobs, the sink and commands",
}

COLUMNS: tuple[str, ...] = ("setting", "option", "type", "default", "description")

INTRO = """\
Each setting has one name, spelled in three ways: `metrics_port` in a
[configuration file](../howto/configure.md), `CONFORMARE_METRICS_PORT` in the environment, and
`--metrics-port` on the command line.
In a job, pass settings as keywords of `configure_store`.
The command line or a keyword wins over the environment, and the environment over the file.
`conformare config show` prints the settings in force, and where they come from."""

CALLS = """\
These options belong to a single call, so they cannot be in a configuration file.
[Commands](commands.md) lists the options of each command."""


def page() -> str:
    """Return the page."""
    return joined(_parts())


def _parts() -> Iterator[str]:
    yield from ("# Settings", NOTE, INTRO)
    groups = _by_group()
    shown = {
        name: one
        for settings in groups.values()
        for name, one in settings.items()
        if one.is_of_file or one.about.of_job_only
    }
    for group, title in TITLES.items():
        names = [name for name in sorted(shown) if _group_of(name, groups) == group]
        yield f"## {title}"
        lines = [COLUMNS, *(_row(shown[name]) for name in names)]
        if group == "job":  # a job has no command line
            lines = [(line[0], *line[2:]) for line in lines]
        yield table(lines[0], lines[1:])
    calls = {
        name: one
        for settings in groups.values()
        for name, one in settings.items()
        if name not in shown and one.about.has_variable
    }
    yield from ("## One call", CALLS)
    yield table(
        ("option", "environment"),
        [(code(one.option), code(one.variable)) for _, one in sorted(calls.items())],
    )


def _by_group() -> dict[str, dict[str, Definition]]:
    """Return the settings of each group; of a name that several models have, one of a file first."""
    found: dict[str, dict[str, Definition]] = {}
    for group in entry_points(group=SETTINGS_GROUP):
        if group.name not in TITLES:  # of another distribution
            continue
        settings = found.setdefault(group.name, {})
        for model in group.load():
            for one in definitions(model):
                if one.name not in settings or not settings[one.name].is_of_file:
                    settings[one.name] = one
    return found


def _group_of(name: str, groups: dict[str, dict[str, Definition]]) -> str:
    own = [
        group
        for group, settings in groups.items()
        if name in settings and (settings[name].is_of_file or settings[name].about.of_job_only)
    ]
    return own[0] if len(own) == 1 else "shared"


def _row(one: Definition) -> tuple[str, ...]:
    kind = "object, in Python alone" if one.about.of_job_only else one.type_text
    kind = f"{kind}; secret" if one.about.is_secret else kind
    option = one.option if one.about.has_option else ""
    default = one.default_text if one.about.default else code(one.default_text)
    return code(one.name), code(option), kind, default, one.sentence
