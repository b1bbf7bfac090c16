"""What the installed librdkafka knows, and the table in docs/reference/kafka-writer.md of what is left to a job."""

from __future__ import annotations

import ctypes
import re
from pathlib import Path

import confluent_kafka

from conformare.emission.settings._librdkafka import BOUNDED, OURS, REFUSED
from support.jobs.document_table import DocumentTable

OF_CONFLUENT = frozenset({"default.topic.config", "logger", "oauth_cb", "on_delivery"})
"""What confluent-kafka takes for a producer beside librdkafka's own settings."""

_PROPERTY = re.compile(r"^([a-z_.]+) *\| *([PC*]) *\|", re.MULTILINE)


def producer_settings(folder: Path) -> set[str]:
    """Return the names of all settings of a producer, as librdkafka prints them.

    Args:
        folder: Where it may write them.
    """
    (library,) = Path(confluent_kafka.__file__).parents[1].glob("confluent_kafka.libs/librdkafka*")
    librdkafka, libc = ctypes.CDLL(str(library)), ctypes.CDLL(None)
    libc.fopen.restype = ctypes.c_void_p
    printed = folder / "properties.md"
    opened = ctypes.c_void_p(libc.fopen(str(printed).encode(), b"w"))
    librdkafka.rd_kafka_conf_properties_show(opened)
    libc.fclose(opened)
    found = _PROPERTY.findall(printed.read_text(encoding="utf-8"))
    return {name for name, of_whom in found if of_whom != "C"}


def table() -> str:
    """Return the table of what is refused, as Markdown."""
    lines = ["| setting | may be | why |", "| --- | --- | --- |"]
    by_text: dict[tuple[str, str], list[str]] = {}
    for name, bound in sorted(BOUNDED.items()):
        by_text.setdefault((bound.must, bound.why), []).append(name)
    for name, why in sorted({**OURS, **REFUSED}.items()):
        by_text.setdefault(("nothing", why), []).append(name)
    for (may_be, why), names in by_text.items():
        lines.append(f"| {' '.join(f'`{name}`' for name in names)} | {may_be} | {why} |")
    return "\n".join(lines)


TABLE = DocumentTable("reference/kafka-writer.md", "librdkafka", table)

if __name__ == "__main__":
    TABLE.write()
