"""Runs a command as a container would: whatever is no volume cannot be written, and it may do nothing.

It is done by Linux itself, with a file system of the command's own, where this machine lets us. Where
it does not, the command still gains no rights, and its folders are the test's.
"""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
from pathlib import Path

from conformare_sink.spark.jars import cache_directory

_CHECKOUT = Path(__file__).parents[3]
_WITHOUT_RIGHTS = ("setpriv", "--no-new-privs", "--inh-caps=-all", "--bounding-set=-all")

# The test's folder stays writable, under its own name, and its `tmp` becomes /tmp. What is bound
# before the root becomes read-only is not. What the command runs from stays where it is, also if
# that is below /tmp.
_READ_ONLY = """\
set -e
mount --make-rprivate /
mount -n --bind "$1" /mnt
for needed in $2; do
  mkdir -p "/mnt$needed"
  mount -n --bind "$needed" "/mnt$needed"
  mount -n -o remount,bind,ro "/mnt$needed"
done
mount -n -o remount,bind,ro /
mount -n --rbind /mnt/tmp /tmp
mkdir -p "$1"
mount -n --bind /mnt "$1"
shift 2
cd /
exec "$@"
"""


@functools.cache
def is_read_only() -> bool:
    """Whether this machine lets us make all but a folder read-only for a command."""
    if os.geteuid() != 0 or not all(map(shutil.which, ("unshare", "setpriv", "mount"))):
        return False
    tried = subprocess.run(
        ["unshare", "--mount", "sh", "-c", "mount --make-rprivate /"],  # noqa: S607 - the system's
        capture_output=True,
        check=False,
    )
    return tried.returncode == 0


def confined(command: list[str], folder: Path) -> list[str]:
    """Return a command line that runs another one in a container of the poor.

    Args:
        command: What to run; its process is the one that is started, so signals reach it.
        folder: What it may write to; its `tmp` is made, and is the command's /tmp.
    """
    (folder / "tmp").mkdir()
    if not is_read_only():
        return command
    needed = {str(_CHECKOUT), sys.prefix, str(cache_directory())}
    below_tmp = " ".join(sorted(path for path in needed if path.startswith("/tmp/")))  # noqa: S108 - nothing is made there
    inside = ["sh", "-c", _READ_ONLY, "sh", str(folder), below_tmp, *_WITHOUT_RIGHTS, *command]
    return ["unshare", "--mount", *inside]
