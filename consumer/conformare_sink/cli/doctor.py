"""`conformare doctor`: what is in order on this machine, and what is to be mended."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec

import typer

from conformare_schemas.findings import Asked, Finding, Role, State
from conformare_schemas.registry import RegistryAccess
from conformare_schemas.settings.command_line import command_of
from conformare_sink.cli._console import (
    FAILURE,
    readable_errors,
    show_json,
    show_line,
    show_table,
    styled,
    waiting,
)
from conformare_sink.cli.settings import DoctorSettings
from conformare_sink.doctor.asked import SinkAsked
from conformare_sink.doctor.examination import CHECKS, Check, examine
from conformare_sink.doctor.job_access import access_of_job, registry_of_job
from conformare_sink.errors import KafkaSettingsError
from conformare_sink.kafka.access import ANYBODY, KafkaAccess
from conformare_sink.kafka.listener import addresses

CHECK_GROUP = "conformare.checks"
"""Where the job's side registers its checks: the two sides do not know of each other."""

_STYLES = {
    State.GOOD: "green",
    State.ADVICE: "yellow",
    State.MEND: "bold red",
    State.UNCHECKED: "dim",
}


@command_of(DoctorSettings)
@readable_errors
def doctor(given: DoctorSettings) -> None:
    """Check this machine, the brokers, the topics and the lake; say how to mend what is wrong.

    The exit code is 0 where nothing is to be mended, 1 where something is, and 2 for wrong use.
    """
    role = given.role or _usual_role()
    if given.bootstrap_servers is not None:
        _require_addresses(given.bootstrap_servers)
    asked = SinkAsked(
        role,
        given.bootstrap_servers,
        given.topic_prefix,
        _access(role, given.access),
        given.lake,
        given.storage,
        _registry(role, given),
    )
    with waiting("Looking"):
        found = list(examine([*CHECKS, *_registered()], asked))
    if given.as_json:
        show_json(_as_json(role, found))
    else:
        _print(role, found)
    if any(finding.state is State.MEND for finding in found):
        raise typer.Exit(FAILURE)


def _usual_role() -> Role:
    is_sink = all(find_spec(name) is not None for name in ("pyspark", "deltalake", "obstore"))
    return Role.SINK if is_sink else Role.JOB


def _require_addresses(bootstrap_servers: str) -> None:
    if len(addresses(bootstrap_servers)) != len(bootstrap_servers.split(",")):
        # Not quoted: somebody may have put a password there.
        raise typer.BadParameter("--bootstrap-servers must be host:port, separated by commas")


def _access(role: Role, given: KafkaAccess) -> KafkaAccess:
    """Return what the brokers are shown: by a job, where no file is named, what its writer shows."""
    if role is Role.SINK or given is not ANYBODY:
        return given
    try:
        return access_of_job()
    except KafkaSettingsError as exc:
        raise typer.BadParameter(str(exc)) from exc


def _registry(role: Role, given: DoctorSettings) -> RegistryAccess | None:
    """Return how the registry is reached: by a job, where no file is named, as its writer does."""
    if given.registry is None or role is Role.SINK or given.registry_settings:
        return given.registry
    try:
        return registry_of_job(given.registry)
    except KafkaSettingsError as exc:
        raise typer.BadParameter(str(exc)) from exc


def _registered() -> Iterator[Check]:
    for entry in sorted(entry_points(group=CHECK_GROUP), key=lambda entry: entry.name):
        yield Check(entry.name, _loading(entry), "install conformare-stream")


def _loading(entry: EntryPoint) -> Callable[[], Callable[[Asked], Iterator[Finding]]]:
    return entry.load


def _as_json(role: Role, found: Sequence[Finding]) -> dict[str, object]:
    return {
        "role": role.value,
        "well": all(finding.state is not State.MEND for finding in found),
        "findings": [
            {"part": finding.part, "state": finding.state.value, "line": finding.line}
            for finding in found
        ],
    }


def _print(role: Role, found: Sequence[Finding]) -> None:
    rows = [(styled(one.state.value, _STYLES[one.state]), one.part, one.line) for one in found]
    show_table(f"The machine of a {role.value}", ("", "part", "found"), rows)
    counts = Counter(finding.state for finding in found)
    show_line(", ".join(f"{counts[state]} {state.value}" for state in State if counts[state]))
