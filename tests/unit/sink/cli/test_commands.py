"""Wrong use of the sink's commands: one line, exit code 2, before anything is started."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from conformare.cli import main
from conformare_sink.cli.submit.program import app

BROKER = ["--bootstrap-servers", "127.0.0.1:1"]
LAKE = ["--lake", "/nowhere"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["sink", *LAKE], "--bootstrap-servers"),
        (["sink", *BROKER, *LAKE, "--trigger", "soon"], "'soon' is not an interval"),
        (["sink", *BROKER, *LAKE, "--max-messages-per-batch", "0"], "--max-messages-per-batch"),
        (["replay", *BROKER, *LAKE, "--from", "monday"], "'monday' is not an ISO 8601 time"),
        (["replay", *BROKER, *LAKE, "--from-offset", "runs:0"], "'runs:0' is not an offset"),
        (["replay", *BROKER, *LAKE, "--to-offset", "runs:0:x"], "'runs:0:x' is not an offset"),
        (["sink", *BROKER, *LAKE, "--maintain-every", "never"], "'never' is not an interval"),
        (["purge", *LAKE], "say which runs: --run-id, --pipeline or --before"),
        (["purge", *LAKE, "--before", "monday"], "'monday' is not an ISO 8601 time"),
        (["maintain", *LAKE, "--retention-hours", "-1"], "--retention-hours"),
        (["quarantine", "drop", *LAKE], "say which messages"),
        (["quarantine", "drop", *LAKE, "--all", "--topic", "t"], "say which messages"),
        (["quarantine", "show", *LAKE, "--limit", "0"], "--limit"),
        (["topics", "create", *BROKER, "--partitions", "0"], "--partitions"),
        (["topics", "create", *BROKER, "--kafka-settings", "/no/file"], "/no/file cannot be read"),
        (["status"], "--lake"),
        (["views", "create"], "say where the tables are: --lake, or --schema"),
        (["views", "create", "--print"], "say where the tables are: --lake, or --schema"),
        (["views", "create", *LAKE], "say where the views go: --schema, or print them by --print"),
        (["sink", *BROKER, *LAKE, "--trigger", "\uff11 second"], "is not an interval"),
        (["sink", *BROKER, *LAKE, "--trigger", f"{10**20} days"], "is not an interval"),
        (["sink", *BROKER, *LAKE, "--maintain-every", "367 days"], "longer than 366 days"),
        (["sink", *BROKER, *LAKE, "--broker-timeout", "inf"], "--broker-timeout"),
        (["sink", *BROKER, *LAKE, "--broker-timeout", "nan"], "--broker-timeout"),
        (["sink", *BROKER, *LAKE, "--max-messages-per-batch", f"{2**31}"], "--max-messages"),
        (["replay", *BROKER, *LAKE, "--from", "1969-12-31T23:59:59Z"], "before 1970"),
        (["replay", *BROKER, *LAKE, "--from", "0001-01-01T00:00+14:00"], "not an ISO 8601 time"),
        (["replay", *BROKER, *LAKE, "--from-offset", f"t:0:{10**18}"], "is not an offset"),
        (["maintain", *LAKE, "--retention-hours", f"{10**12}"], "--retention-hours"),
        (["topics", "create", *BROKER, "--retention-days", f"{10**9}"], "--retention-days"),
        (["topics", "create", *BROKER, "--partitions", f"{10**9}"], "--partitions"),
        (["status", *LAKE, "--limit", f"{10**20}"], "--limit"),
        (["topics", "create", *BROKER, "--kafka-settings", "a\x1b\nb"], r"a\x1b\nb cannot be read"),
        *(
            ([*command, option, ""], f"{option} is empty")
            for command, option in (
                (["status"], "--lake"),
                (["status", *LAKE], "--bootstrap-servers"),
                (["status", *LAKE], "--schema"),
                (["purge", *LAKE], "--run-id"),
                (["purge", *LAKE], "--pipeline"),
                (["views", "create"], "--lake"),
                (["views", "create", *LAKE], "--schema"),
                (["quarantine", "drop", *LAKE], "--cause"),
                (["quarantine", "drop", *LAKE], "--topic"),
            )
        ),
        (["sink", *BROKER, *LAKE, "--checkpoint", ""], "--checkpoint"),
        (["sink", *BROKER, *LAKE, "--pending-days", "inf"], "--pending-days"),
        (["sink", *BROKER, *LAKE, "--pending-days", "nan"], "--pending-days"),
        (["status", *LAKE, "--storage-options", "a\x1b\nb"], r"a\x1b\nb cannot be read"),
        (["status", "--lake", "a\udcff"], "--lake is not in this locale's encoding: 'a\\udcff'"),
        (
            ["purge", *LAKE, "--run-id", "a", "--run-id", "\udcff"],
            "--run-id is not in this locale's",
        ),
        *(
            ([*command, *LAKE, "--catalog", "c"], "--catalog and --table-prefix need --schema")
            for command in (
                ["sink", *BROKER],
                ["replay", *BROKER],
                ["status"],
                ["maintain"],
                ["purge", "--pipeline", "p"],
                ["quarantine", "list"],
                ["quarantine", "show"],
                ["quarantine", "retry"],
                ["quarantine", "drop", "--all"],
                ["views", "create"],
            )
        ),
    ],
)
def test_wrong_use_is_told_in_one_line(
    arguments: list[str],
    told: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With the option that is wrong."""
    for name in ("BOOTSTRAP_SERVERS", "LAKE", "SCHEMA"):
        monkeypatch.delenv(f"CONFORMARE_{name}", raising=False)
    assert main(arguments) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert line.startswith("error: ")
    assert told in line


def test_a_broker_that_does_not_answer_fails_the_sink_in_one_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """It names the broker, and Java was not started for it."""
    assert main(["sink", *BROKER, *LAKE, "--broker-timeout", "0.3"]) == 1
    lines = capsys.readouterr().err.strip().splitlines()
    assert lines[-1] == "error: no Kafka broker answers at 127.0.0.1:1 (waited 0.3 s)"


@pytest.mark.parametrize(
    "command",
    [
        ["status"],
        ["quarantine", "list"],
        ["quarantine", "show"],
        ["views", "create", "--print"],
        ["views", "create", "--schema", "s"],
    ],
)
def test_where_there_is_no_lake_there_is_nothing_to_read(
    command: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line names the folder, and Java was not started for it."""
    monkeypatch.setattr("conformare_sink.cli.views.spark_session", None)
    assert main([*command, *LAKE]) == 1
    assert capsys.readouterr().err == "error: there is no conformare lake at /nowhere\n"


@pytest.mark.parametrize(
    "command", ["sink", "replay", "status", "maintain", "purge", "quarantine list", "views create"]
)
def test_what_works_on_a_lake_can_be_submitted(command: str) -> None:
    """Under the name that it has everywhere."""
    asked = CliRunner().invoke(app, [*command.split(), "--help"])
    assert (asked.exit_code, asked.exception) == (0, None)
