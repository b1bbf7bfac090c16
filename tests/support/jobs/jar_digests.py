"""The digests that fetched jars are held to: `make jar-digests` writes them after a change of versions.

It fetches every jar anew and takes it as it comes: look at the difference before you commit it.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from tempfile import TemporaryDirectory

from conformare_sink.spark.jars import CACHE_VARIABLE, DIGESTS_FILE, JAR_SETS, resolve_jars


def fetched_digests() -> dict[str, str]:
    """SHA-256 of each jar of each set, by its name, as a repository hands it out now."""
    with TemporaryDirectory() as cache:
        os.environ[CACHE_VARIABLE] = cache
        return {
            jar.name: hashlib.sha256(jar.read_bytes()).hexdigest()
            for jar_set in JAR_SETS
            for jar in resolve_jars(replace(jar_set, digests=None))
        }


if __name__ == "__main__":
    digests = sorted(fetched_digests().items())
    DIGESTS_FILE.write_text(
        "".join(f"{digest}  {name}\n" for name, digest in digests), encoding="ascii"
    )
