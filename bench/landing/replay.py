"""A replay of topics whose runs are all in the lake, beside landing them: in processor time of Python."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bench.emission.broker import Broker
from bench.landing.backlog import MASTER, MESSAGES_PER_BATCH
from bench.landing.checkout import HERE, Checkout
from bench.landing.figures import at_most, beside
from bench.landing.load import load
from bench.landing.process import measured

RUNS = 30_000
PREFIX = "replay."
SHARE_OF_LANDING = 1 / 3


def replay(broker: Broker, folder: Path, other: Checkout | None) -> None:
    """Print what known runs cost, as a share of what landing them costs.

    Args:
        broker: The broker, which is up.
        folder: Where the lakes are.
        other: Another checkout, which is measured, too.
    """
    load(broker, PREFIX, RUNS)
    shares: dict[Checkout, float] = {}
    for checkout in (HERE,) if other is None else (other, HERE):
        given: dict[str, Any] = {
            "servers": broker.servers,
            "prefix": PREFIX,
            "lake": str(folder / f"replay of {len(shares)}"),
            "master": MASTER,
            "max_messages_per_batch": MESSAGES_PER_BATCH,
        }
        landing = measured("replayed", checkout, dry_run=False, **given)
        known = measured("replayed", checkout, dry_run=False, **given)
        dry = measured("replayed", checkout, dry_run=True, **given)
        if (landing["landed"], known["repeated"], dry["repeated"]) != (RUNS, RUNS, RUNS):
            raise RuntimeError(f"not all was counted: {landing}, {known}, {dry}")
        for name, one in (("landing", landing), ("known", known), ("dry run", dry)):
            print(
                f"  {name:<8} {RUNS:,} runs: {one['cpu']:.1f} s of Python's processor, "
                f"{one['seconds']:.1f} s, {one['python_mb']:,.0f} MB"
            )
        shares[checkout] = max(known["cpu"], dry["cpu"]) / landing["cpu"]
    print(at_most("known runs to landing them", shares[HERE], SHARE_OF_LANDING))
    if other is not None:
        print(beside("known runs to landing them", shares[HERE], shares[other]))
