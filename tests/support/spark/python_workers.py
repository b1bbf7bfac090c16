"""What Spark forks its Python workers from, instead of `pyspark.daemon`: it has no archives in its path.

Before all else that Python looks for modules in, Spark puts two zip files and a jar, and for every
task a worker of Python 3.11 or older reads their seven thousand names again: most of what a task
over a few rows costs. What is in them is installed beside them.
"""

from __future__ import annotations

import sys


def main() -> None:
    """Fork workers until Spark ends."""
    sys.path[:] = [entry for entry in sys.path if not entry.endswith((".zip", ".jar"))]
    from pyspark.daemon import manager

    manager()  # type: ignore[no-untyped-call]  # it has no types


if __name__ == "__main__":
    main()
