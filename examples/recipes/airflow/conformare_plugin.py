"""Airflow plugin: records each task that has left something to record. Put it into `plugins/`."""

from __future__ import annotations

from typing import Any

from airflow.listeners import hookimpl
from airflow.plugins_manager import AirflowPlugin

import conformare as cf

MOST_SECONDS = 10.0
"""How long the end of a task may wait for the broker; what is left is sent by the next task."""


class TaskRecorder:
    """What Airflow calls in the process of a task."""

    @hookimpl
    def on_task_instance_running(self, previous_state: Any, task_instance: Any) -> None:
        """Start afresh: `dag.test()` runs several tasks in one process."""
        cf.store.clear()
        cf.reset_context()

    @hookimpl
    def on_task_instance_success(self, previous_state: Any, task_instance: Any) -> None:
        """Record what a task did."""
        record(task_instance, "success")

    @hookimpl
    def on_task_instance_failed(self, previous_state: Any, task_instance: Any, error: Any) -> None:
        """Record what a task did before it failed; of the error, its class alone."""
        record(task_instance, "failed", error=type(error).__name__)

    @hookimpl
    def on_task_instance_skipped(self, previous_state: Any, task_instance: Any) -> None:
        """Record what a task did before it skipped itself."""
        record(task_instance, "skipped")


def record(task: Any, state: str, **tags: str) -> None:
    """Record a try of a task as a run of the pipeline `dag_id.task_id`."""
    if not cf.lineage():  # a task that neither reads nor writes, or does not use conformare
        return
    tried = f"{task.run_id}/{task.map_index}/{task.try_number}"
    cf.record_run(
        f"{task.dag_id}.{task.task_id}",
        run_id=tried,
        report_uri=task.log_url,
        tags={
            "dag_id": task.dag_id,
            "task_id": task.task_id,
            "run_id": task.run_id,
            "try_number": task.try_number,
            "log_url": task.log_url,
            "state": state,
            **tags,
        },
    )
    cf.flush(MOST_SECONDS)


class ConformarePlugin(AirflowPlugin):
    """Tells Airflow of the recorder."""

    name = "conformare"
    listeners = [TaskRecorder()]
