"""Nobody else's runs are sent: a spool that others may write to is refused, and their files are."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from support.jobs.spooled import DESTINATION, MAX_BYTES, leave
from support.jobs.writers import NOWHERE, MakeWriter, spooled
from support.messages.records import make_record

import conformare as cf
from conformare import SpoolError
from conformare._errors import SpoolFileError
from conformare.emission.spool import Spool
from conformare.emission.spool._collection import collecting

OPEN_MODES = [0o777, 0o775, 0o770, 0o722, 0o1777, 0o2775, 0o702]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The folder of a spool."""
    folder = tmp_path / "spool"
    folder.mkdir(mode=0o700)
    return folder


def be_another_user(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let what this user has made be of somebody else."""
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)


@pytest.mark.parametrize("mode", OPEN_MODES)
def test_a_folder_that_others_may_write_to_is_refused(root: Path, mode: int) -> None:
    """At `configure_store`, with what to do about it."""
    root.chmod(mode)
    told = r"spool_dir: other users may write to .*spool; .*chmod go-w.*or name a folder below it"
    with pytest.raises(cf.StoreConfigurationError, match=told):
        cf.configure_store(writer="kafka", bootstrap_servers=NOWHERE, spool_dir=root)


def test_a_folder_of_another_user_is_refused(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever its permissions are; one that is not there yet is nobody's."""
    be_another_user(monkeypatch)
    options = {"writer": "kafka", "bootstrap_servers": NOWHERE}
    with pytest.raises(cf.StoreConfigurationError, match="belongs to another user"):
        cf.configure_store(**options, spool_dir=root)
    cf.configure_store(**options, spool_dir=root / "none")


@pytest.mark.parametrize("mode", [0o700, 0o755, 0o750, 0o1700])
def test_a_folder_that_others_may_look_at_is_used(root: Path, mode: int) -> None:
    """They find no more in it than that it is there."""
    root.chmod(mode)
    assert len(leave(root, "run-1")) == 1


def test_a_folder_of_a_link_is_looked_at_behind_it(root: Path, tmp_path: Path) -> None:
    """A link has no permissions of its own."""
    root.chmod(0o777)
    link = tmp_path / "link"
    link.symlink_to(root)
    with pytest.raises(cf.StoreConfigurationError, match="other users may write to"):
        cf.configure_store(writer="kafka", bootstrap_servers=NOWHERE, spool_dir=link)


def test_what_was_planted_is_not_adopted(root: Path) -> None:
    """In whichever of the folders it is."""
    (file,) = leave(root, "planted")
    for folder in (root, file.parent.parent, file.parent):
        folder.chmod(0o777)
        assert Spool(root, DESTINATION, MAX_BYTES).adopt() == []
        folder.chmod(0o700)
    assert Spool(root, DESTINATION, MAX_BYTES).adopt() == [file]


def test_a_planted_file_keeps_no_run_from_being_recorded(root: Path) -> None:
    """Its name alone would tell that the run is there."""
    leave(root, "run-1")
    spool = Spool(root, DESTINATION, MAX_BYTES)
    assert spool.holds("pipeline", "run-1")
    root.chmod(0o777)
    assert not spool.holds("pipeline", "run-1")


def test_a_folder_that_is_opened_later_is_not_written_to(
    make_writer: MakeWriter, root: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The job goes on, with its runs in memory, and is told so."""
    writer = make_writer(spool_dir=root)
    root.chmod(0o777)
    writer.write(make_record("run-1"))
    assert spooled(root) == []
    assert writer.stats().unspooled == 1
    assert "runs wait in memory only" in caplog.text
    assert "other users may write to" in caplog.text


def test_a_file_of_another_user_is_not_sent(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was put there while others could."""
    (file,) = leave(root, "planted")
    spool = Spool(root, DESTINATION, MAX_BYTES)
    be_another_user(monkeypatch)
    with pytest.raises(SpoolFileError, match="it belongs to another user"):
        spool.read(file)


def test_a_file_is_not_read_through_a_link(root: Path, tmp_path: Path) -> None:
    """It would be one from elsewhere."""
    (file,) = leave(root, "run-1")
    elsewhere = file.rename(tmp_path / file.name)
    file.symlink_to(elsewhere)
    with pytest.raises(OSError, match="symbolic link"):
        Spool(root, DESTINATION, MAX_BYTES).read(file)


def test_the_commands_refuse_it_as_well(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`send` logs in to the brokers that a file names."""
    leave(root, "run-1")
    root.chmod(0o777)
    with pytest.raises(SpoolError, match="other users may write"), collecting(root):
        pass
    root.chmod(0o700)
    be_another_user(monkeypatch)
    with pytest.raises(SpoolError, match="belongs to another user"), collecting(root):
        pass


def test_a_collection_leaves_the_folder_of_a_stranger(root: Path) -> None:
    """And tells of it."""
    (open_file,) = leave(root, "planted")
    (file,) = leave(root, "run-1")
    open_file.parent.chmod(0o777)
    with collecting(root) as collection:
        collection.gather()
        assert collection.files == [file]
        ((path, why),) = collection.unusable
    assert path == open_file.parent
    assert "other users may write to" in why
    assert open_file.exists()
