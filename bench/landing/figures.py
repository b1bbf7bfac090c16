"""How the sink's figures are printed beside their targets, and beside those of another checkout."""

from __future__ import annotations


def at_least(what: str, found: float, target: float) -> str:
    """Return a figure and whether it reaches its target."""
    verdict = "PASS" if found >= target else "MISSED"
    return f"  {verdict:<6} {what}: {found:,.2f}, at least {target:,.2f}"


def at_most(what: str, found: float, target: float) -> str:
    """Return a figure and whether it keeps to its target."""
    verdict = "PASS" if found <= target else "MISSED"
    return f"  {verdict:<6} {what}: {found:,.2f}, at most {target:,.2f}"


def beside(what: str, found: float, other: float) -> str:
    """Return a figure as a multiple of what another checkout has in the same run."""
    return f"  BESIDE {what}: {found:,.2f}, there {other:,.2f}: {found / other:.2f} times"
