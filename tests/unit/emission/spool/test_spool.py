"""The spool's folders and files: whole or not there, of one process at a time, nobody else's."""

from __future__ import annotations

import io
import os
import stat
import subprocess
import sys
import zlib
from datetime import datetime, timezone
from pathlib import Path

import pytest
from fastavro import schemaless_writer
from hypothesis import given
from hypothesis import strategies as st
from support.messages.produce import emission_of
from support.messages.records import make_record

from conformare import SpoolError
from conformare._errors import SpoolFileError
from conformare._identity import new_emission_id
from conformare.emission import Emission, Message
from conformare.emission.spool import Destination, Spool, recorded_at
from conformare.emission.spool._file import MAGIC, file_name, from_bytes, to_bytes
from conformare.emission.spool._folder import HeldFolder
from conformare_schemas import MOST_ROWS_PER_EMISSION

DESTINATION = Destination("a:9092,b:9092", "conformare.")
MAX_BYTES = 2**20


def make_spool(root: Path, *, max_bytes: int = MAX_BYTES) -> Spool:
    """Return a spool as a process of its own would have it."""
    return Spool(root, DESTINATION, max_bytes)


def mode(path: Path) -> int:
    """Return the permissions of a file or folder."""
    return stat.S_IMODE(path.stat().st_mode)


grains = st.text("abcXYZ019._-", max_size=9)
messages = st.builds(Message, grains, st.just(b""), st.binary(max_size=99))
words = st.text(st.characters(codec="utf-8"), max_size=20)


@given(
    pipeline=words,
    run_id=words,
    headers=st.dictionaries(words, st.binary(max_size=9), max_size=3),
    parts=st.lists(messages, max_size=4),
)
def test_a_file_holds_its_emission(
    pipeline: str, run_id: str, headers: dict[str, bytes], parts: list[Message]
) -> None:
    """Whatever names and bytes it has."""
    key = run_id.encode()
    emission = Emission(
        pipeline,
        run_id,
        new_emission_id(),
        datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=timezone.utc),
        headers,
        tuple(Message(part.grain, key, part.value) for part in parts),
    )
    found = from_bytes(to_bytes(emission, DESTINATION))
    assert found.emission == emission
    assert found.destination == DESTINATION


@given(position=st.integers(min_value=0), change=st.integers(min_value=1, max_value=255))
def test_a_changed_byte_is_noticed(position: int, change: int) -> None:
    """Wherever it is."""
    content = bytearray(to_bytes(emission_of(make_record("run-1")), DESTINATION))
    content[position % len(content)] ^= change
    with pytest.raises(SpoolFileError):
        from_bytes(bytes(content))


@given(content=st.binary(max_size=200))
def test_bytes_of_a_stranger_are_refused(content: bytes) -> None:
    """With an error of ours, whatever they are."""
    with pytest.raises(SpoolFileError):
        from_bytes(content)


def test_the_name_of_a_file_tells_when_it_was_recorded() -> None:
    """Names sort by it."""
    emission = emission_of(make_record("run-1"))
    age = emission.recorded_at - recorded_at(file_name(emission))
    assert abs(age.total_seconds()) < 1
    for name in ("x.emission", "../../x.emission", "{0}.emission", "f" * 32 + ".emission"):
        with pytest.raises(SpoolFileError):
            recorded_at(name)


def test_brokers_in_another_order_are_the_same_destination() -> None:
    """Other brokers and other prefixes are not."""
    assert Destination("b:9092, a:9092", "conformare.").folder_name == DESTINATION.folder_name
    assert Destination("a:9092", "conformare.").folder_name != DESTINATION.folder_name
    assert Destination("a:9092,b:9092", "trial.").folder_name != DESTINATION.folder_name


def test_files_and_folders_are_of_their_user_alone(tmp_path: Path) -> None:
    """Whatever the process's mask says; folders above the spool are left as they are."""
    before = os.umask(0)
    try:
        spool = make_spool(tmp_path / "state/spool")
        file = spool.put(emission_of(make_record("run-1")))
        spool.reject(emission_of(make_record("run-2")), "cause")
        spool.say_why("the broker is away")
    finally:
        os.umask(before)
    root = tmp_path / "state/spool"
    assert mode(file) == 0o600
    for path in (root, *root.rglob("*")):
        assert mode(path) == (0o700 if path.is_dir() else 0o600), path
    spool.leave()


def test_an_emission_is_of_the_process_that_holds_its_folder(tmp_path: Path) -> None:
    """The next one takes it over only when that has let go."""
    first, second = make_spool(tmp_path), make_spool(tmp_path)
    file = first.put(emission_of(make_record("run-1")))
    assert second.adopt() == []
    assert second.holds("pipeline", "run-1")
    first.leave()
    assert second.adopt() == [file]
    assert second.adopt() == []
    assert make_spool(tmp_path).adopt() == []
    second.remove(file)
    second.let_go_of_delivered()
    assert list(tmp_path.rglob("*")) == [tmp_path / DESTINATION.folder_name]
    assert not second.holds("pipeline", "run-1")


def test_what_is_adopted_comes_oldest_first(tmp_path: Path) -> None:
    """Across the folders of several processes."""
    spools = [make_spool(tmp_path), make_spool(tmp_path)]
    files = [spools[n % 2].put(emission_of(make_record(f"run-{n}"))) for n in range(6)]
    for spool in spools:
        spool.leave()
    assert make_spool(tmp_path).adopt() == files


def test_a_killed_process_lets_go(tmp_path: Path) -> None:
    """What it had begun to write is no emission."""
    program = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from support.messages.produce import emission_of\n"
        "from support.messages.records import make_record\n"
        "from conformare.emission.spool import Destination, Spool\n"
        "spool = Spool(Path(sys.argv[1]), Destination('a:9092,b:9092', 'conformare.'), 2**20)\n"
        "file = spool.put(emission_of(make_record('run-1')))\n"
        "file.with_name('.x.emission.part').write_bytes(b'half')\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    path = os.pathsep.join(sys.path)
    ended = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], env={"PYTHONPATH": path}, check=False
    )
    assert ended.returncode == -9
    spool = make_spool(tmp_path)
    (file,) = spool.adopt()
    assert spool.read(file).run_id == "run-1"
    spool.remove(file)
    spool.leave()
    assert list(tmp_path.rglob("*")) == [tmp_path / DESTINATION.folder_name]


def test_a_folder_is_of_one_process_however_many_try(tmp_path: Path) -> None:
    """Also where it is removed while another is about to lock it."""
    first = make_spool(tmp_path)
    first.put(emission_of(make_record("run-1")))
    (folder,) = (tmp_path / DESTINATION.folder_name).iterdir()
    first.begin_process()
    held = [HeldFolder.adopt(folder) for _ in range(3)]
    assert [one is not None for one in held] == [True, False, False]
    assert HeldFolder.adopt(tmp_path / "gone") is None


def test_a_removed_folder_is_made_anew(tmp_path: Path) -> None:
    """An administrator has cleared the spool: the next run is written ahead again."""
    spool = make_spool(tmp_path / "spool")
    first = spool.put(emission_of(make_record("run-1")))
    subprocess.run(["rm", "-r", str(tmp_path / "spool")], check=True)  # noqa: S607 - any will do
    second = spool.put(emission_of(make_record("run-2")))
    assert not first.exists()
    assert second.exists()
    spool.leave()


def test_the_spool_is_bounded(tmp_path: Path) -> None:
    """By everything in it, whoever has written it; what is delivered makes room."""
    emission = emission_of(make_record("run-1"))
    size = len(to_bytes(emission, DESTINATION))
    other = make_spool(tmp_path)
    file = other.put(emission)
    spool = make_spool(tmp_path, max_bytes=2 * size)
    spool.measure()
    spool.put(emission_of(make_record("run-2")))
    with pytest.raises(SpoolError, match="spool_max_bytes"):
        spool.put(emission_of(make_record("run-3")))
    spool.remove(file)
    spool.put(emission_of(make_record("run-3")))


def test_a_disk_that_takes_no_more_is_an_error_of_ours(tmp_path: Path) -> None:
    """Nothing of the file is left; what the process may write to a file is limited for the test."""
    program = (
        "import resource, sys\n"
        "from pathlib import Path\n"
        "from support.messages.produce import emission_of\n"
        "from support.messages.records import make_record\n"
        "from conformare import SpoolError\n"
        "from conformare.emission.spool import Destination, Spool\n"
        "spool = Spool(Path(sys.argv[1]), Destination('a:9092', 'p.'), 2**20)\n"
        "spool.put(emission_of(make_record('run-1')))\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "try:\n"
        "    spool.put(emission_of(make_record('run-2')))\n"
        "except SpoolError as exc:\n"
        "    print(exc)\n"
    )
    path = os.pathsep.join(sys.path)
    ended = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)],
        env={"PYTHONPATH": path},
        check=True,
        capture_output=True,
        text=True,
    )
    assert "cannot be used: File too large" in ended.stdout
    assert len(list(tmp_path.rglob("*.emission"))) == 1
    assert list(tmp_path.rglob("*.part")) == []


def test_a_link_in_place_of_the_lock_is_not_followed(tmp_path: Path) -> None:
    """A folder that strangers can write to is not to make us touch other files."""
    folder = tmp_path / "folder"
    folder.mkdir()
    (tmp_path / "target").write_text("")
    (folder / "lock").symlink_to(tmp_path / "target")
    with pytest.raises(SpoolError):
        HeldFolder.adopt(folder)


@pytest.mark.parametrize("count", [MOST_ROWS_PER_EMISSION + 1, 2**62, -(2**31)])
def test_a_file_of_very_many_messages_is_given_up_early(count: int) -> None:
    """Each of them would take a hundred times its bytes in memory."""
    whole = to_bytes(emission_of(make_record("run-1", rows={})), DESTINATION)
    assert len(from_bytes(whole).emission.messages) == 1
    start = len(MAGIC) + 4
    body = whole[start:]
    messages = body.index(b"\x02" + b"\x08runs")
    number = io.BytesIO()
    schemaless_writer(number, "long", count)
    hostile = body[:messages] + number.getvalue() + body[messages + 1 :] + bytes(1000)
    with pytest.raises(SpoolFileError, match="it has more than 1000000 headers or messages"):
        from_bytes(MAGIC + zlib.crc32(hostile).to_bytes(4, "big") + hostile)
