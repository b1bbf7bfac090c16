"""How fast the sink is: `make bench-sink` prints it, docs/reliability.md keeps what was seen.

All in one run on one machine with the embedded broker; Spark has two cores. "PASS" and "MISSED" stand beside the
targets; a run that does not land, or lands twice, ends the bench. With `--beside`, the sink of another checkout,
that of the commit before for example, is measured in the same run, and "BESIDE" stands before each ratio. The part
s3 starts MinIO, and builds it with Go where this machine does not have it.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from bench.emission.broker import Broker
from bench.known.known import known
from bench.known.lookup import lookup
from bench.known.opening import opening
from bench.landing.backlog import backlog
from bench.landing.checkout import Checkout
from bench.landing.million import million
from bench.landing.replay import replay
from bench.live.freshness import freshness
from bench.live.s3 import s3
from bench.live.soak import soak
from bench.parts import asked, run

PARTS: dict[str, Callable[[Broker, Path, Checkout | None], None]] = {
    "freshness": freshness,
    "s3": s3,
    "opening": opening,
    "backlog": backlog,
    "million": million,
    "lookup": lookup,
    "known": known,
    "replay": replay,
    "soak": soak,
}


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description="How fast the sink is.")
    parser.add_argument(
        "--beside",
        type=Path,
        metavar="FOLDER",
        help="another checkout, whose sink is measured in the same run",
    )
    found = asked(parser, PARTS)
    other = None if found.beside is None else Checkout(found.beside.resolve(strict=True))
    run({name: PARTS[name] for name in found.parts}, other)


if __name__ == "__main__":
    main()
