"""`conformare demo`: the main job on this machine, from a pipeline to the tables."""

from __future__ import annotations

import shlex
import shutil
import sys
from contextlib import ExitStack
from pathlib import Path

import platformdirs

from conformare_demo.progress import step
from conformare_demo.settings import DemoSettings
from conformare_schemas import DEFAULT_TOPIC_PREFIX
from conformare_schemas.settings.command_line import command_of
from conformare_sink.cli._console import readable_errors, show_line, show_table


def default_demo_directory() -> Path:
    """Return the folder of the demo of a user who names none."""
    return platformdirs.user_data_path("conformare") / "demo"


@command_of(DemoSettings)
@readable_errors
def demo(
    given: DemoSettings,
) -> None:
    """Run a real pipeline three times, land its runs in Delta through Kafka, and show the results."""
    from conformare_sink.spark.java import find_java

    find_java()
    with ExitStack() as running:
        root = given.directory or default_demo_directory()
        lake = _fill_and_show(root.absolute(), running)
        with step("Stopping Kafka and Spark"):
            running.close()
    report = Path(lake).with_name("fleet.html")
    _report(lake, report)
    show_line("Open the report in a browser:")
    show_line(f"  {report.as_uri()}")
    show_line("Or serve the fleet live:")
    show_line(f"  {_program()} fleet serve --lake {shlex.quote(lake)}")


def _program() -> str:
    """Return how this shell calls `conformare`: `make demo` has it in a folder that is not on PATH."""
    called = Path(sys.argv[0])
    is_on_path = called.name != "conformare" or shutil.which("conformare") == str(called.absolute())
    return "conformare" if is_on_path else shlex.quote(str(called))


def _report(lake: str, file: Path) -> None:
    """Write the report of the fleet into a file, and show what in it needs attention."""
    from conformare.fleet import Fleet, open_store
    from conformare.fleet.page import write_report
    from conformare.fleet.questions import findings
    from conformare_demo.report import findings_table

    with step("Writing the report of the fleet"):
        fleet = Fleet(open_store(lake))
        write_report(fleet, file, title="The fleet of the demo")
    show_line()
    show_table(*findings_table(findings(fleet)))
    show_line()


def _fill_and_show(root: Path, running: ExitStack) -> str:
    """Go the whole way and return the lake.

    Args:
        root: Folder of the demo.
        running: Takes what is started, and stops it.
    """
    # Spark takes a second to import; `conformare --help` should not wait for it.
    from conformare_demo.findings import read_findings
    from conformare_demo.flights import prepare_flights
    from conformare_demo.report import report_tables
    from conformare_demo.revisions import REVISIONS
    from conformare_demo.stage import new_folder, running_broker, running_spark
    from conformare_demo.steps import flush_runs, land, recording_to, replay_all
    from conformare_sink.kafka.topics import Topics
    from conformare_sink.options import SinkOptions
    from conformare_sink.spark.jars import JAR_SETS, is_resolved, resolve_jars

    with step("Preparing the data: flights from New York in 2013"):
        data = prepare_flights(root / "data")
    for jar_set in JAR_SETS:
        if not is_resolved(jar_set):
            with step(f"Fetching the {jar_set.name} jars, once for this machine"):
                resolve_jars(jar_set)
    work = new_folder(root)
    lake = str(work / "lake")

    with step("Starting Kafka"):
        broker = running.enter_context(running_broker(work / "broker"))
        Topics(broker.bootstrap_servers, DEFAULT_TOPIC_PREFIX).create()
    with step("Starting Spark"):
        spark = running.enter_context(running_spark())
    with recording_to(broker.bootstrap_servers):
        for number, revision in enumerate(REVISIONS, start=1):
            with step(f"Run {number} of the pipeline: {revision.change}"):
                revision.run(spark, data, work / "tables")
        with step("Delivering the runs"):
            flush_runs()

    options = SinkOptions(bootstrap_servers=broker.bootstrap_servers, lake=lake)
    with step("Landing the runs in the lake"):
        land(spark, options)
    for table in report_tables(read_findings(lake)):
        show_line()
        show_table(*table)
    show_line()
    with step("Replaying the topics into the same lake, from the beginning"):
        report, n_tables = replay_all(spark, options)
    show_line(
        f"The replay changed nothing: {report.landed} runs landed, {report.repeated} known "
        f"already, all {n_tables} tables have the same files as before."
    )
    return lake
