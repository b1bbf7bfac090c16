"""Findings as Markdown, for the job summary of GitHub Actions."""

from __future__ import annotations

import string

from conformare.cli.fleet.formats._verdict import Verdict, name_of, owners_of
from conformare_schemas.printable import printable

_PLAIN = frozenset(f"{string.ascii_letters}{string.digits} ,-")

MOST_BYTES = 900_000
"""GitHub refuses a summary of more than 1 MiB."""


def as_github(verdict: Verdict) -> str:
    """Return a heading, and a table of the findings.

    It is to be appended to the file that `GITHUB_STEP_SUMMARY` names.
    """
    sign = "&#10060;" if verdict.findings else "&#9989;"
    text = f"## {sign} Fleet: {verdict.summary}\n"
    if not verdict.findings:
        return text
    text += "\n| kind | pipeline | finding | owner | run |\n| --- | --- | --- | --- | --- |\n"
    size = len(text.encode())
    rows = []
    for number, finding in enumerate(verdict.findings):
        cells = (
            finding.kind,
            name_of(finding),
            finding.text,
            owners_of(finding),
            finding.run_id,
        )
        row = f"| {' | '.join(map(plain, cells))} |\n"
        size += len(row.encode())
        if size > MOST_BYTES:
            left_out = len(verdict.findings) - number
            rows.append(f"\n{left_out} more: `conformare fleet check` tells all\n")
            break
        rows.append(row)
    return text + "".join(rows)


def plain(text: str) -> str:
    """Return a text as Markdown in which nothing is markup.

    A character that is written as its number begins no emphasis, code, table, link or tag.

    Args:
        text: The text.
    """
    return "".join(sign if sign in _PLAIN else f"&#{ord(sign)};" for sign in printable(text))
