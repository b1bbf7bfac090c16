"""What the tests of the emission share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.spool_command import Answer, Run
from support.writers import NOWHERE, MakeWriter

from conformare.cli import main
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


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The spool's folder, as the environment names it; it does not exist yet."""
    folder = tmp_path / "spool"
    monkeypatch.setenv("CONFORMARE_SPOOL_DIR", str(folder))
    return folder


@pytest.fixture
def run(root: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs `conformare spool` with arguments, in this process."""
    assert not root.exists()

    def with_arguments(*arguments: object) -> Answer:
        code = main(["spool", *map(str, arguments)])
        return Answer(code, *capsys.readouterr())

    return with_arguments
