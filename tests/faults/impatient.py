"""`python -m faults.impatient`: `conformare`, but a writer without a sign of life is dead at once.

For series that must not take long: a lease is renewed, and waited for, seven times as fast.
"""

from __future__ import annotations

import sys

from conformare.cli import main
from conformare_sink.lake.writer import lease

lease.RENEW_SECONDS, lease.DEAD_SECONDS = 0.7, 3.0

if __name__ == "__main__":
    sys.exit(main())
