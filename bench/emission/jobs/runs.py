"""What the jobs of the bench agree on: how runs are called, and how many are for warming up."""

PIPELINE = "bench"
WARM_UP_CALLS = 100


def numbered(number: int) -> str:
    """Return a run_id as long as the usual ones."""
    return f"00000000-0000-7000-8000-{number:012}"
