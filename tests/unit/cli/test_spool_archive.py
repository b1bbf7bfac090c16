"""`conformare spool export` and `import`: what an archive takes along, and what it brings."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from support.jobs.spool_command import Answer, Run
from support.jobs.spooled import DESTINATION, MAX_BYTES, contents, hold, leave, reject

from conformare.cli import spool as spool_command
from conformare.emission.spool import Destination, Spool


def test_what_is_exported_can_be_imported_elsewhere(run: Run, root: Path, tmp_path: Path) -> None:
    """For the same destinations, once; what a running process holds stays with it."""
    other = Destination("other:9092", "trial.")
    archive = tmp_path / "runs.zip"
    leave(root, "run-1", "run-2")
    leave(root, "run-3", destination=other)
    moved = contents(root)
    holder, (held,) = hold(root, ["run-4"])
    assert run("export", archive).out == (
        f"3 run(s) exported to {archive}; "
        "1 belong to running processes, which send them themselves\n"
    )
    assert contents(root).keys() == {held.name}
    elsewhere = ("--spool-dir", tmp_path / "elsewhere")
    assert run("import", archive, *elsewhere) == Answer(
        0, "3 run(s) imported for 127.0.0.1:1; other:9092\n", ""
    )
    assert run("import", archive, *elsewhere) == Answer(
        0, "0 run(s) imported; 3 were in the spool already\n", ""
    )
    assert contents(tmp_path / "elsewhere") == moved
    assert len(Spool(tmp_path / "elsewhere", DESTINATION, MAX_BYTES).adopt()) == 2
    assert len(Spool(tmp_path / "elsewhere", other, MAX_BYTES).adopt()) == 1
    holder.leave()


def test_export_can_keep_and_can_take_rejected_ones(run: Run, root: Path, tmp_path: Path) -> None:
    """Nothing is written where there is nothing."""
    assert run("export", tmp_path / "none.zip") == Answer(
        0, "0 run(s) exported and no archive written\n", ""
    )
    assert not (tmp_path / "none.zip").exists()
    leave(root, "run-1")
    reject(root, "run-2", "too large")
    (root / "rejected/x.emission").write_bytes(b"half")
    before = sorted(root.rglob("*"))
    assert run("export", tmp_path / "1.zip", "--keep").out.startswith("1 run(s)")
    assert run("export", tmp_path / "2.zip", "--keep", "--rejected").out.startswith("2 run(s)")
    assert sorted(root.rglob("*")) == before
    assert run("import", tmp_path / "2.zip").out == (
        "0 run(s) imported; 2 were in the spool already\n"
    )
    assert run("export", tmp_path / "3.zip", "--rejected").out.startswith("2 run(s)")
    assert [path.name for path in root.rglob("*.*")] == ["x.emission"]


def test_nothing_leaves_the_spool_before_it_is_in_an_archive(
    run: Run, root: Path, tmp_path: Path
) -> None:
    """Where that cannot be written, everything stays, for the next process."""
    files = leave(root, "run-1")
    taken = tmp_path / "taken.zip"
    taken.write_text("precious")
    assert run("export", taken) == Answer(1, "", f"error: {taken} cannot be written: File exists\n")
    assert taken.read_text() == "precious"
    assert run("export", tmp_path / "no folder" / "runs.zip").code == 1
    assert Spool(root, DESTINATION, MAX_BYTES).adopt() == files


def test_export_tells_what_is_damaged(run: Run, root: Path, tmp_path: Path) -> None:
    """The rest is exported."""
    broken, _ = leave(root, "run-1", "run-2")
    broken.write_bytes(b"half")
    code, text, error = run("export", tmp_path / "runs.zip")
    assert (code, text) == (1, f"1 run(s) exported to {tmp_path / 'runs.zip'}\n")
    assert error.startswith(f"error: {broken}: ")


def test_bad_members_are_told_and_the_good_ones_imported(
    run: Run, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is written outside of the spool; names are shown, not obeyed."""
    monkeypatch.setattr(spool_command, "MOST_LINES", 3)
    (good,) = leave(tmp_path / "other", "run-1")
    archive = tmp_path / "runs.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr(zipfile.ZipInfo("../../evil.emission"), good.read_bytes())
        opened.writestr(zipfile.ZipInfo("\x1b[2J"), b"x")
        opened.writestr("a/" + good.name, good.read_bytes())
        opened.writestr("b/" + good.name, good.read_bytes())
        opened.writestr(good.name, good.read_bytes())
    before = set(tmp_path.rglob("*"))
    code, text, error = run("import", archive)
    assert (code, text) == (1, "1 run(s) imported for 127.0.0.1:1; 4 cannot be imported\n")
    assert error.splitlines() == [
        "error: '../../evil.emission': its name is not that of its content",
        r"error: '\x1b[2J': it is not a spooled emission, or it is from a later release",
        f"error: 'a/{good.name}': its name is not that of its content",
        "error: and so on",
    ]
    assert all(root in path.parents or path == root for path in set(tmp_path.rglob("*")) - before)
    assert contents(root) == {good.name: good.read_bytes()}


def test_a_member_that_is_there_twice_is_imported_once(
    run: Run, root: Path, tmp_path: Path
) -> None:
    """Zip archives can be like that."""
    (file,) = leave(tmp_path / "other", "run-1")
    archive = tmp_path / "runs.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr(file.name, file.read_bytes())
        with pytest.warns(UserWarning, match="Duplicate"):
            opened.writestr(file.name, file.read_bytes())
    assert run("import", archive).out == (
        "1 run(s) imported for 127.0.0.1:1; 1 were in the spool already\n"
    )
    assert contents(root).keys() == {file.name}


def test_an_import_keeps_within_the_spools_bound(
    run: Run, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What does not fit is not begun; what is there already takes no room again."""
    archive = tmp_path / "runs.zip"
    files = leave(tmp_path / "other", "run-1", "run-2")
    size = sum(file.stat().st_size for file in files)
    with zipfile.ZipFile(archive, "w") as opened:
        for file in files:
            opened.write(file, file.name)
    code, text, error = run("import", archive, "--spool-max-bytes", size - 1)
    assert (code, text) == (1, "")
    assert error == (
        f"error: {size} bytes do not fit {root}, which has room for {size - 1}: send what waits "
        f"there, or raise spool_max_bytes ({size - 1})\n"
    )
    assert not root.exists()
    monkeypatch.setenv("CONFORMARE_SPOOL_MAX_BYTES", str(size))
    assert run("import", archive).out.startswith("2 run(s) imported")
    assert run("import", archive).out == "0 run(s) imported; 2 were in the spool already\n"
    leave(tmp_path / "third", "run-3")
    assert run("export", tmp_path / "3.zip", "--spool-dir", tmp_path / "third").code == 0
    assert "has room for 0" in run("import", tmp_path / "3.zip").err
    assert contents(root).keys() == {file.name for file in files}


def test_a_bomb_is_not_unpacked(run: Run, root: Path, tmp_path: Path) -> None:
    """A small archive may announce, or hold, a thousand times what it takes."""
    archive, room = tmp_path / "bomb.zip", ("--spool-max-bytes", 2**25)
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as opened:
        for n in range(9):
            opened.writestr(f"{n}", bytes(2**22))
    assert archive.stat().st_size < 2**16
    assert f"{9 * 2**22} bytes do not fit" in run("import", archive, *room).err
    code, _, error = run("import", archive, "--spool-max-bytes", 2**40)
    assert code == 1
    assert error.count("not a spooled emission") == 9
    # What an archive says of a member's size is all that is read of it.
    lying = bytearray(archive.read_bytes())
    for at in [n for n in range(len(lying) - 46) if lying[n : n + 4] == b"PK\x01\x02"]:
        lying[at + 24 : at + 28] = (100).to_bytes(4, "little")
    archive.write_bytes(lying)
    assert run("import", archive, *room).err.count("it cannot be unpacked") == 9
    assert contents(root) == {}
