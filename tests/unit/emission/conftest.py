"""What the tests of the emission share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.jobs.writers import NOWHERE, MakeWriter

from conformare.emission import KafkaOptions, KafkaWriter


@pytest.fixture
def make_writer(tmp_path: Path) -> Iterator[MakeWriter]:
    """Makes writers that spool to the test's folder and are stopped at its end."""
    made: list[KafkaWriter] = []

    def make(**options: object) -> KafkaWriter:
        known = {"bootstrap_servers": NOWHERE, "spool_dir": tmp_path / "spool"}
        made.append(KafkaWriter(KafkaOptions.model_validate({**known, **options})))
        return made[-1]

    yield make
    for writer in made:
        writer.close(timeout_seconds=0)
