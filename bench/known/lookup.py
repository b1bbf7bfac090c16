"""A batch of new and of known runs, with more and more runs in the lake."""

from __future__ import annotations

from pathlib import Path

from bench.emission.broker import Broker
from bench.emission.figures import p50
from bench.landing.checkout import Checkout
from bench.landing.figures import at_most
from bench.landing.process import measured

SIZES = (10_000, 1_000_000, 10_000_000)
KINDS = ("in the order of time", "at random")
RATIO = 1.3


def lookup(broker: Broker, folder: Path, _other: Checkout | None) -> None:
    """Print how long batches take for each number of runs in the lake: ratios of one checkout.

    Args:
        broker: The broker, which is up.
        folder: Where the lakes are.
    """
    for kind in KINDS:
        medians = []
        for size in SIZES:
            prefix = f"lookup-{KINDS.index(kind)}-{size}."
            broker.create_topics(prefix)
            found = measured(
                "filled",
                servers=broker.servers,
                prefix=prefix,
                lake=str(folder / prefix),
                runs=size,
                in_order=kind == KINDS[0],
            )
            medians.append(p50(found["batches"]))
            print(
                f"  run_ids {kind}, {size:>10,} runs: batch p50 {medians[-1]:.2f} s, "
                f"lake opened in {found['opening']:.2f} s"
            )
        print(at_most(f"slowest to fastest, run_ids {kind}", max(medians) / min(medians), RATIO))
