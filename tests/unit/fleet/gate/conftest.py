"""What the tests of the fleet's commands share: a small fleet, and the program with a fixed clock."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from support.fleet.small import check, context, owner, put_run, risk
from support.jobs.spool_command import Answer, Run
from support.servers.receiver import Receiver, receiving

from conformare.cli import _entry_points as commands
from conformare.cli import main
from conformare.cli.fleet import _asked, _opening
from conformare.fleet import Fleet

SECRET = "s3cr3t-of-both"  # noqa: S105 - of a test
NOW = datetime(2026, 11, 28, 12, tzinfo=timezone.utc)


def _opened(
    lake: str,
    storage_options: Path | None = None,
    table_prefix: str = "",
    max_age: timedelta | None = None,
) -> Fleet:
    fleet = _opening.opened(lake, storage_options, table_prefix)
    return Fleet(fleet.store, now=NOW, max_age=max_age)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs `conformare fleet` with arguments, in this process; it is noon."""
    entry = EntryPoint("fleet", "conformare.cli.fleet:app [fleet]", commands.COMMAND_GROUP)
    monkeypatch.setattr(commands, "entry_points", lambda **_group: (entry,))
    monkeypatch.setattr(_asked, "opened", _opened)

    def with_arguments(*arguments: object) -> Answer:
        code = main(["fleet", *map(str, arguments)])
        return Answer(code, *capsys.readouterr())

    return with_arguments


@pytest.fixture
def lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fleet of three pipelines, named by the environment.

    `orders` has a drift, a check that does not hold and a critical risk that nobody owns; `bills`
    is healthy and reads what `orders` writes; `old` has not run for long.
    """
    root = tmp_path / "lake"
    prod = {"env": "prod", "tags": {"team": "shop"}}
    put_run(
        root,
        "orders",
        "o-1",
        "2026-11-27T06:00:00.000000Z",
        run=prod,
        contexts=[context("clean", "code-1")],
        owners=[owner("amy", "clean")],
    )
    put_run(
        root,
        "orders",
        "o-2",
        "2026-11-28T06:00:00.000000Z",
        run={**prod, "status": "failed", "git_sha": "abc123", "ge_failed": 1},
        contexts=[context("clean", "code-2")],
        owners=[owner("amy", "clean"), owner("bob", "clean")],
        risks=[risk("privacy.pii_exposure")],
        expectations=[check("not_null", "id", success=False, hard=True, observed="7")],
        sinks=[
            {
                "node": "orders",
                "location": "s3://lake/orders",
                "format": "delta",
                "columns": ["id", "email"],
                "n_sensitive": 1,
            }
        ],
    )
    put_run(
        root,
        "bills",
        "b-1",
        "2026-11-28T07:00:00.000000Z",
        run={"env": "prod"},
        owners=[owner("cid", "sums")],
        sources=[{"node": "orders", "location": "s3a://lake/orders/", "format": "delta"}],
        expectations=[check("unique", "id", success=True)],
    )
    put_run(root, "old", "x-1", "2026-11-01T00:00:00.000000Z")
    monkeypatch.setenv("CONFORMARE_LAKE", str(root))
    return root


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A web server on loopback."""
    with receiving() as found:
        yield found


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """The file of what was reported; it does not exist yet."""
    return tmp_path / "state/reported.json"


@pytest.fixture
def report(
    run: Run, receiver: Receiver, state: Path, lake: Path, monkeypatch: pytest.MonkeyPatch
) -> Run:
    """Runs `conformare fleet notify --webhook` as cron does: all that is secret in the environment."""
    assert lake.exists()
    monkeypatch.setenv("CONFORMARE_WEBHOOK", receiver.url)
    monkeypatch.setenv("CONFORMARE_WEBHOOK_SECRET", SECRET)

    def with_arguments(*arguments: object) -> Answer:
        return run("notify", "--state", state, *arguments)

    return with_arguments


def repair(lake: Path) -> None:
    """Let the newest run of `orders` be healthy, and be owned by `amy`."""
    put_run(
        lake,
        "orders",
        "o-3",
        "2026-11-28T08:00:00.000000Z",
        run={"env": "prod"},
        contexts=[context("clean", "code-2", "risks-2")],
        owners=[owner("amy", "clean")],
    )
