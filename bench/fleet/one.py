"""One measurement in a process of its own: `python -m bench.fleet.one WAY LAKE QUESTION` prints it as JSON."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from bench.fleet.obvious import by_deltalake, by_spark
from bench.fleet.ours import by_us, opening

WAYS = {"opening": opening, "ours": by_us, "deltalake": by_deltalake, "spark": by_spark}

if __name__ == "__main__":
    way, lake, question = sys.argv[1:]
    print(json.dumps(WAYS[way](Path(lake), question)))
