"""A DAG for Airflow, whose tasks end in every way after they have written something."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from airflow.exceptions import AirflowSkipException
from airflow.sdk import dag, get_current_context, task

import conformare as cf


def write() -> None:
    """Write, as far as anybody can tell."""
    cf.sink("/shop/daily", format="csv", columns=["day"])


@task
def mapped(_number: int) -> None:
    """One of several."""
    write()


@task(retries=1, retry_delay=timedelta(0))
def flaky() -> None:
    """Succeed at the second try."""
    write()
    if get_current_context()["ti"].try_number == 1:
        raise RuntimeError("S3CRET")


@task
def skipped() -> None:
    """Skip itself."""
    write()
    raise AirflowSkipException


@task(trigger_rule="all_done")
def exits() -> None:
    """End the process."""
    write()
    raise SystemExit(3)


@dag(schedule=None, start_date=datetime(2026, 1, 1, tzinfo=timezone.utc))
def endings() -> None:
    """All of them, one after the other."""
    mapped.expand(_number=[1, 2]) >> flaky() >> skipped() >> exits()


endings()
