"""The `Conformare:` lines of a docstring."""

from __future__ import annotations

import inspect
from dataclasses import dataclass

_HEADING = "conformare:"


@dataclass(frozen=True)
class RiskLine:
    """`Risk: id | note | mitigation: … | owner: … | severity: …`."""

    risk_id: str
    note: str | None = None
    mitigation: str | None = None
    owner: str | None = None
    severity: str | None = None


@dataclass(frozen=True)
class DocBlock:
    """What a docstring says for the record."""

    prose: str | None = None
    purpose: str | None = None
    owner: str | None = None
    risks: tuple[RiskLine, ...] = ()


def _risk_line(text: str) -> RiskLine | None:
    risk_id, *parts = (part.strip() for part in text.split("|"))
    named: dict[str, str] = {}
    for part in parts:
        name, colon, value = part.partition(":")
        if colon and name.strip().lower() in ("mitigation", "owner", "severity", "note"):
            named[name.strip().lower()] = value.strip()
        elif part:
            named.setdefault("note", part)
    return RiskLine(risk_id, **named) if risk_id else None


def parse_docblock(docstring: str | None) -> DocBlock:
    """Return what a docstring says; lines that mean nothing to us are ignored.

    Args:
        docstring: As it stands on the function, None when there is none.
    """
    if not docstring:
        return DocBlock()
    lines = inspect.cleandoc(docstring).splitlines()
    heads = [number for number, line in enumerate(lines) if line.strip().lower() == _HEADING]
    start = heads[0] if heads else len(lines)
    said: dict[str, str] = {}
    risks: list[RiskLine] = []
    for line in lines[start + 1 :]:
        name, _, value = line.strip().partition(":")
        if name.lower() == "risk":
            parsed = _risk_line(value)
            risks += [parsed] if parsed else []
        elif value.strip():
            said.setdefault(name.lower(), value.strip())
    prose = "\n".join(lines[:start]).strip()
    return DocBlock(prose or None, said.get("purpose"), said.get("owner"), tuple(risks))
