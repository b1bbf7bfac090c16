"""What Java is told where tests start it."""

from __future__ import annotations

FRUGAL = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -XX:MetaspaceSize=256m"
"""It ends before the optimising compiler, or several threads of a collector, have paid off; and all that
it has is not collected each time that classes take some more room."""
