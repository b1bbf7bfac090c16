"""Which columns and fields inside them are sensitive: by their words, and by the author's marks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from conformare._process_lock import ProcessLock
from conformare.capture._lineage import Field


@dataclass(frozen=True)
class _Tag:
    name: str
    category: str
    severity: str
    confidence: float
    pattern: re.Pattern[str]


def _tag(name: str, category: str, severity: str, confidence: float, *phrases: str) -> _Tag:
    """Build a tag that is found when one of the phrases occurs as whole words."""
    return _Tag(name, category, severity, confidence, re.compile(rf"\b(?:{'|'.join(phrases)})\b"))


_TAGS = (
    _tag("email", "Contact", "high", 0.95, "e ?mails?", "mail address"),
    _tag(
        "phone",
        "Contact",
        "high",
        0.9,
        "(?:tele)?phones?",
        "(?:mobile|cell|fax|phone|telephone) (?:number|no|nr)",
        "msisdn",
        "mobile",
        "cellphone",
    ),
    _tag(
        "full_name",
        "Identity",
        "medium",
        0.8,
        "(?:full|first|last|middle|given|family|sur|maiden) ?name",
        "(?:customer|person|patient|employee|contact|holder|user) name",
        "surname",
        "forename",
        "[fl]name",
    ),
    _tag(
        "dob",
        "Identity",
        "high",
        0.95,
        "dob",
        "date of birth",
        "birth ?(?:date|day)",
        "born(?: on| at)?",
        "birth (?:year|month|dt)",
    ),
    _tag("ssn", "Government ID", "critical", 0.95, "ssn", "social security(?: \\w+)?"),
    _tag(
        "gov_id",
        "Government ID",
        "high",
        0.85,
        "passports?",
        "(?:national|government|gov|tax|fiscal|citizen|voter) id",
        "(?:tax|passport|identity card|id card|licen[cs]e) (?:number|no|nr)",
        "driv(?:er|ers|ing) licen[cs]e",
        "nino",
        "national insurance",
        "nhs number",
        "tin",
    ),
    _tag(
        "financial",
        "Financial",
        "high",
        0.85,
        "iban",
        "bic",
        "swift(?: code)?",
        "(?:credit|debit|bank) ?card",
        "card (?:number|no|nr)",
        "cvv",
        "cvc",
        "(?:bank )?account (?:number|no|nr)",
        "bank account",
        "sort code",
        "routing number",
        "salary",
        "income",
        "wages?",
    ),
    _tag(
        "ip_address",
        "Online identifier",
        "medium",
        0.9,
        "ip",
        "ip ?(?:addr|address)",
        "ipv[46]",
        "mac address",
    ),
    _tag(
        "location",
        "Location",
        "medium",
        0.75,
        "(?:home|street|postal|mailing|billing|shipping|residential|customer) addr(?:ess)?",
        "address(?: line)?(?: \\d)?",
        "street",
        "(?:post|postal|zip) ?code",
        "zip",
        "latitude",
        "longitude",
        "lat",
        "lon",
        "lng",
        "geo ?location",
        "gps",
    ),
    _tag(
        "health",
        "Special category",
        "critical",
        0.85,
        "diagnos[ei]s",
        "medical(?: \\w+)?",
        "health(?: \\w+)?",
        "disease",
        "illness",
        "prescriptions?",
        "medications?",
        "blood (?:type|group|pressure)",
        "icd ?(?:9|10|11)?",
        "disabilit(?:y|ies)",
        "allerg(?:y|ies)",
    ),
    _tag(
        "protected_attribute",
        "Special category",
        "critical",
        0.85,
        "ethnicit(?:y|ies)",
        "ethnic(?: \\w+)?",
        "race",
        "religions?",
        "religious(?: \\w+)?",
        "gender",
        "sex",
        "sexual orientation",
        "marital status",
        "political(?: \\w+)?",
        "union member(?:ship)?",
        "nationality",
    ),
    _tag(
        "credentials",
        "Credentials",
        "critical",
        0.9,
        "passwords?",
        "passwd",
        "pwd",
        "passphrase",
        "secrets?",
        "api ?key",
        "access (?:key|token)",
        "auth token",
        "private key",
        "refresh token",
        "session token",
        "credentials?",
    ),
)

# "ip address" and "mail address" are no places.
_NOT_A_PLACE = re.compile(r"\b(?:e ?mail|mail|ip|mac|web|url|http|memory)\w*(?: \w+)* addr(?:ess)?")
_CAMEL_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_WORD = re.compile(r"\S+")
_SEPARATORS = re.compile(r"[\W_]+")


def _found(tags: Iterable[_Tag], words: str) -> tuple[_Tag, ...]:
    """Return what of tags that were found counts."""
    not_a_place = _NOT_A_PLACE.search(words)
    return tuple(tag for tag in tags if tag.name != "location" or not not_a_place)


def _words(name: str) -> str:
    return _SEPARATORS.sub(" ", _CAMEL_HUMP.sub(" ", name)).strip().lower()


@lru_cache(maxsize=65_536)
def _tags_of(name: str) -> tuple[_Tag, ...]:
    words = _words(name)
    return _found((tag for tag in _TAGS if tag.pattern.search(words)), words)


@lru_cache(maxsize=65_536)
def _tags_of_field(names: tuple[str, ...]) -> tuple[_Tag, ...]:
    """Return the tags that a field's own name has a part in: `name` in `customer` is one's name."""
    outer = _words(" ".join(names[:-1]))
    words = f"{outer} {_words(names[-1])}"
    each = [(word.start(), word.end()) for word in _WORD.finditer(words)]
    phrases = [(start, end) for start, _ in each for _, end in each if start < end > len(outer)]
    return _found(
        (tag for tag in _TAGS if any(tag.pattern.fullmatch(words, *phrase) for phrase in phrases)),
        words,
    )


_lock = ProcessLock()
# None marks what is not sensitive, whatever its name suggests.
_marks: dict[str, dict[str, Any] | None] = {}


def mark_sensitive(
    *columns: str, tag: str = "manual", category: str = "Manual", severity: str = "high"
) -> None:
    """Mark columns as sensitive wherever they occur, whatever their names suggest.

    If both this and `mark_not_sensitive` mark a column, the later call wins.

    Args:
        columns: Exact names of columns, or of fields inside them: a name alone, or a path such as
            `contact.email`.
        tag: Short name of the kind of data.
        category: Heading of the tag.
        severity: How severe an exposure is.
    """
    with _lock:
        for column in columns:
            _marks[column] = {
                "tag": tag,
                "category": category,
                "severity": severity,
                "confidence": 1.0,
                "source": "manual",
            }


def mark_not_sensitive(*columns: str) -> None:
    """Mark columns as not sensitive wherever they occur, whatever their names suggest.

    If both this and `mark_sensitive` mark a column, the later call wins.

    Args:
        columns: Exact names of columns, or of fields inside them: a name alone, or a path such as
            `contact.email`.
    """
    with _lock:
        for column in columns:
            _marks[column] = None


def unmark_sensitive(*columns: str) -> None:
    """Remove the marks of columns, of either kind, so that their names decide again.

    Args:
        columns: Exact names of columns, or of fields inside them: a name alone, or a path such as
            `contact.email`.
    """
    with _lock:
        for column in columns:
            _marks.pop(column, None)


def reset_marks() -> None:
    """Take back every mark."""
    with _lock:
        _marks.clear()


def classify_column(name: str) -> list[dict[str, Any]]:
    """Return the tags that a column's name suggests, ignoring marks.

    Args:
        name: Name of the column, in any style.

    Returns:
        One dict per tag: tag, category, severity, confidence (0 to 1) and source.
    """
    return [
        {
            "tag": tag.name,
            "category": tag.category,
            "severity": tag.severity,
            "confidence": tag.confidence,
            "source": "heuristic",
        }
        for tag in _tags_of(str(name))
    ]


def scan_columns(names: Iterable[str]) -> dict[str, list[dict[str, Any]]]:
    """Return the tags of those columns that have any, marks included.

    Args:
        names: Names of columns.

    Returns:
        Name → tags, in the order of the names.
    """
    with _lock:
        marks = dict(_marks)
    tagged: dict[str, list[dict[str, Any]]] = {}
    for name in names:
        tags = classify_column(name)
        if name in marks:
            mark = marks[name]
            tags = [] if mark is None else [*tags, dict(mark)]
        if tags:
            tagged[name] = tags
    return tagged


def sensitive_fields(fields: Iterable[Field]) -> list[Field]:
    """Return those of the fields inside columns that are sensitive, marks included.

    A mark is of a field's path, or of its own name wherever that occurs; the path's counts first.

    Args:
        fields: The fields.
    """
    with _lock:
        marks = dict(_marks)
    return [field for field in fields if _is_sensitive(field, marks)]


def _is_sensitive(field: Field, marks: Mapping[str, dict[str, Any] | None]) -> bool:
    for name in (field.path, ".".join(field.names), field.names[-1]):
        if name in marks:
            return marks[name] is not None
    return bool(_tags_of_field(field.names))
