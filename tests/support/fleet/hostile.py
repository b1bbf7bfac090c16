"""A fleet in which every text tries to do harm."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from support.fleet.shop import NOW, Kind, Rows, run_rows

SCRIPT = "<script>alert(1)</script>"
HANDLER = "\"'><img src=x onerror=alert(2)>"
SVG = "</title></svg></script><svg onload=alert(3)>"
CONTROLS = "red\x1b[31m\u202edesrever\x00\r\n\t|`{{7*7}}"
FORMULA = '=HYPERLINK("http://evil.example/")'
LONG = "long" * 1000
SURROGATE = "half \ud800 a pair"
TEXTS = (SCRIPT, HANDLER, SVG, CONTROLS, FORMULA, LONG, SURROGATE)

_KEPT = {"run_id", "pipeline", "ts", "status", "severity", "scope", "role", "kind"}


def hostile_fleet() -> Rows:
    """Return rows of a pipeline for each of the texts, which stands wherever text may."""
    tables: Rows = {}
    for text in TEXTS:
        kind = Kind(
            name=f"p{text}",
            reads=(f"s3://bucket/{text}",),
            writes={f"file:///{text}": ("email", text)},
            owner=text,
            env=text,
            drifts=frozenset({2}),
            fails=frozenset({3}),
            risks={f"risk.{text}": "critical"},
            unowned=frozenset({f"risk.{text}"}),
            tags={text: text},
            runs=4,
        )
        for run in range(kind.runs):
            ts = NOW - timedelta(hours=kind.runs - run)
            for grain, rows in run_rows(kind, run, ts).items():
                for row in rows:
                    spoilt = {name: _spoilt(name, value, text) for name, value in row.items()}
                    tables.setdefault(grain, []).append(spoilt)
    for row in tables["runs"]:
        row["report_uri"] = f"javascript:alert('{row['title']}')"
    return tables


def _spoilt(name: str, value: Any, text: str) -> Any:
    if name == "run_id":
        return f"{value}{text}"
    if name in _KEPT or name.endswith("hash"):
        return value
    if isinstance(value, list):
        return [_spoilt("", one, text) for one in value]
    return f"{value}{text}" if isinstance(value, str) and text not in value else value
