"""How figures are made of samples, and how they are printed."""

from __future__ import annotations

import math
from collections.abc import Sequence


def percentile(samples: Sequence[float], share: float) -> float:
    """Return the smallest sample that so large a share of all does not exceed."""
    return sorted(samples)[math.ceil(share * len(samples)) - 1]


def p50(samples: Sequence[float]) -> float:
    """Return the median."""
    return percentile(samples, 0.5)


def p99(samples: Sequence[float]) -> float:
    """Return what one sample of a hundred exceeds."""
    return percentile(samples, 0.99)


def latencies(name: str, samples: Sequence[float]) -> str:
    """Return the line of some latencies.

    Args:
        name: What was called.
        samples: How long each call took, in seconds.
    """
    middle, late, longest = (
        1_000 * seconds for seconds in (p50(samples), p99(samples), max(samples))
    )
    return (
        f"  {name:<38} {len(samples):>6,} calls: "
        f"p50 {middle:7.2f} ms, p99 {late:7.2f} ms, max {longest:7.2f} ms"
    )


def at_most(what: str, found: float, target: float, unit: str) -> str:
    """Return the line of a target that a figure must not exceed."""
    return _target(f"{what} at most {target:g} {unit}", f"{found:.2f}", found <= target)


def at_least(what: str, found: float, target: float, unit: str) -> str:
    """Return the line of a target that a figure must reach."""
    return _target(f"{what} at least {target:,g} {unit}", f"{found:,.2f}", found >= target)


def _target(what: str, found: str, reached: bool) -> str:
    return f"  {'PASS' if reached else 'MISSED':<6} {what}: {found}"
