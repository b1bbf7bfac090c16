"""`conformare replay`: the topics again, into the same lake."""

from __future__ import annotations

from collections.abc import Iterable

from conformare_schemas.settings.command_line import command_of
from conformare_sink.cli._console import progress, readable_errors, show_line, waiting
from conformare_sink.cli.settings import OffsetOf, ReplaySettings


def _by_partition(offsets: Iterable[OffsetOf]) -> dict[tuple[str, int], int]:
    return {(one.topic, one.partition): one.offset for one in offsets}


@command_of(ReplaySettings)
@readable_errors
def replay(given: ReplaySettings) -> None:
    """Read the topics again and land the runs that the lake does not have.

    You can repeat it safely. To resume a replay that was killed, run the same command again.
    """
    from conformare_sink.spark.session import build_session
    from conformare_sink.stream.replay import ReplayProgress, Selection
    from conformare_sink.stream.replay import replay as replay_topics

    options, dry_run = given.options(), given.dry_run
    options.topics().require_runs()
    verb, landed = ("would land", "to land") if dry_run else ("landed", "landed")
    selection = Selection(
        since=given.since,
        until=given.until,
        run_ids=tuple(given.run_id),
        pipelines=tuple(given.pipeline),
        from_offsets=_by_partition(given.from_offset),
        to_offsets=_by_partition(given.to_offset),
    )
    with waiting("Starting Spark"):
        spark = build_session("conformare-replay", short_lived=True)
    try:
        with progress("Replaying") as show_progress:

            def on_progress(now: ReplayProgress) -> None:
                result = f"{now.landed:,} run(s) {landed}, {now.known:,} known"
                show_progress(now.read, now.of, result)

            done = replay_topics(
                spark,
                options,
                selection,
                dry_run=dry_run,
                on_batch=lambda _: None,
                on_progress=on_progress,
            )
    finally:
        spark.stop()
    if done.read_before:
        show_line(
            f"resumed: {done.read_before} message(s) had been read by a replay that broke off; "
            "what follows is of the others"
        )
    show_line(
        f"{verb} {done.landed} run(s); {done.repeated} emission(s) of runs that are in the lake, "
        f"{done.purged} of runs that were purged, {done.incomplete} incomplete, "
        f"{done.quarantined} message(s) unusable"
    )
