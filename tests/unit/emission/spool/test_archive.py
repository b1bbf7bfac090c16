"""Archives of a spool: whole or not there, and never believed."""

from __future__ import annotations

import io
import stat
import zipfile
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.jobs.spooled import DESTINATION, leave
from support.messages.produce import emission_of
from support.messages.records import make_record

from conformare import SpoolError
from conformare._errors import SpoolFileError
from conformare.emission.spool import _archive as archive_module
from conformare.emission.spool._archive import BadMember, Member, read_archive, write_archive
from conformare.emission.spool._file import Destination, file_name, to_bytes


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Where an archive is to be, in a folder of its own."""
    folder = tmp_path / "archives"
    folder.mkdir()
    return folder / "runs.zip"


def members_of(archive: Path) -> dict[str, bytes]:
    """Return the good members by the name of their file."""
    return {
        file_name(member.spooled.emission): member.content
        for member in read_archive(archive)
        if isinstance(member, Member)
    }


def test_an_archive_has_the_files_as_they_are(tmp_path: Path, archive: Path) -> None:
    """It is of its user alone, and nothing else is beside it."""
    files = leave(tmp_path / "spool", "run-1", "run-2")
    write_archive(archive, files)
    assert members_of(archive) == {file.name: file.read_bytes() for file in files}
    with zipfile.ZipFile(archive) as opened:
        assert opened.namelist() == [file.name for file in files]
    assert stat.S_IMODE(archive.stat().st_mode) == 0o600
    assert list(archive.parent.iterdir()) == [archive]


def test_nothing_is_overwritten(tmp_path: Path, archive: Path) -> None:
    """Neither what is there before, nor what comes while it is written."""
    files = leave(tmp_path / "spool", "run-1")
    archive.write_text("precious")
    unread = iter(files)
    with pytest.raises(SpoolError, match=r"runs\.zip cannot be written: File exists"):
        write_archive(archive, unread)
    assert list(unread) == files
    archive.unlink()

    def files_and_a_rival() -> list[Path]:
        archive.write_text("precious")
        return files

    with pytest.raises(SpoolError, match="File exists"):
        write_archive(archive, (file for _ in "1" for file in files_and_a_rival()))
    assert archive.read_text() == "precious"
    assert list(archive.parent.iterdir()) == [archive]


def test_an_archive_that_cannot_be_finished_is_not_there(tmp_path: Path, archive: Path) -> None:
    """Nor anything of it."""
    files = leave(tmp_path / "spool", "run-1")
    with pytest.raises(SpoolError, match="No such file"):
        write_archive(archive, [*files, tmp_path / "gone.emission"])
    assert list(archive.parent.iterdir()) == []
    with pytest.raises(SpoolError, match="No such file"):
        write_archive(tmp_path / "no folder" / "runs.zip", files)


def test_what_could_not_be_imported_is_not_exported(tmp_path: Path, archive: Path) -> None:
    """It would be removed from the spool. A name that somebody has changed is as it was."""
    (file,) = leave(tmp_path / "spool", "run-1")
    renamed = file.rename(tmp_path / "copy.emission")
    write_archive(archive, [renamed])
    assert members_of(archive) == {file.name: renamed.read_bytes()}
    renamed.write_bytes(b"half")
    archive.unlink()
    with pytest.raises(SpoolFileError):
        write_archive(archive, [renamed])
    assert list(archive.parent.iterdir()) == []


def test_what_is_no_archive_is_an_error_of_ours(archive: Path) -> None:
    """With its name."""
    archive.write_text("no archive")
    with pytest.raises(
        SpoolFileError, match=r"runs\.zip cannot be read: it is not a spool archive"
    ):
        list(read_archive(archive))
    with pytest.raises(SpoolFileError, match="No such file"):
        list(read_archive(archive.with_name("gone.zip")))


@cache
def small_archive() -> tuple[bytes, dict[str, bytes]]:
    """An archive of two runs, and its members."""
    files = {}
    for run_id in ("run-1", "run-2"):
        emission = emission_of(make_record(run_id, rows={}))
        files[file_name(emission)] = to_bytes(emission, DESTINATION)
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, file in files.items():
            opened.writestr(name, file)
    return content.getvalue(), files


@given(
    position=st.integers(min_value=0),
    change=st.integers(min_value=1, max_value=255),
    cut=st.integers(min_value=0, max_value=3),
)
def test_a_changed_archive_gives_no_other_emissions(position: int, change: int, cut: int) -> None:
    """Some of them may still be good; what is not is told, whatever zipfile makes of it."""
    original, files = small_archive()
    content = bytearray(original)
    content[position % len(content)] ^= change
    with TemporaryDirectory() as folder:
        archive = Path(folder, "runs.zip")
        archive.write_bytes(content[: len(content) - cut])
        try:
            found = members_of(archive)
        except SpoolFileError:
            return
    assert found.items() <= files.items()


@pytest.mark.parametrize(
    "name",
    ["../../evil.emission", "/tmp/evil.emission", "a/b.emission", "folder/", "", "\x1b[2J"],  # noqa: S108 - never written
)
def test_a_name_is_that_of_the_content_or_the_member_is_bad(archive: Path, name: str) -> None:
    """None of a path, and none of another run."""
    content = to_bytes(emission_of(make_record("run-1")), DESTINATION)
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr(zipfile.ZipInfo(name), content)
    (member,) = read_archive(archive)
    assert isinstance(member, BadMember)


@pytest.mark.parametrize("destination", [Destination("b:1", "x" * 201), Destination("u:p@b:1", "")])
def test_a_destination_that_no_job_could_have_is_a_strangers(
    archive: Path, destination: Destination
) -> None:
    """One of them in a spool would keep all others from being sent."""
    emission = emission_of(make_record("run-1"))
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr(file_name(emission), to_bytes(emission, destination))
    assert [type(member) for member in read_archive(archive)] == [BadMember]


def test_a_name_that_the_content_agrees_with_may_still_be_a_path(archive: Path) -> None:
    """A hostile archive has both its way."""
    emission = emission_of(make_record("run-1"))
    hostile = replace(emission, emission_id=f"{emission.emission_id}./../../../../evil")
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr(file_name(hostile), to_bytes(hostile, DESTINATION))
    assert list(read_archive(archive)) == [
        BadMember(file_name(hostile), "its emission_id is invalid")
    ]


def test_a_member_is_bounded(
    tmp_path: Path, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before it is read."""
    files = leave(tmp_path / "spool", "run-1")
    write_archive(archive, files)
    size = files[0].stat().st_size
    monkeypatch.setattr(archive_module, "LARGEST_MEMBER_BYTES", size)
    assert len(members_of(archive)) == 1
    monkeypatch.setattr(archive_module, "LARGEST_MEMBER_BYTES", size - 1)
    assert list(read_archive(archive)) == [
        BadMember(files[0].name, f"it is larger than {size - 1} bytes")
    ]
    archive.unlink()
    with pytest.raises(SpoolFileError, match="it is larger than"):
        write_archive(archive, files)
    assert not archive.exists()


def test_only_what_export_writes_is_unpacked(archive: Path) -> None:
    """Other ways of compression may take any time and memory."""
    emission = emission_of(make_record("run-1"))
    name, content = file_name(emission), to_bytes(emission, DESTINATION)
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_BZIP2) as opened:
        opened.writestr(name, content)
    why = "it is encrypted, or compressed in an unknown way"
    assert list(read_archive(archive)) == [BadMember(name, why)]
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr(name, content)
        opened.getinfo(name).flag_bits |= 1
    assert list(read_archive(archive)) == [BadMember(name, why)]
