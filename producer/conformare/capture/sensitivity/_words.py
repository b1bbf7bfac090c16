"""What the words of a column name say of it: which kinds of sensitive data it may hold."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True)
class Tag:
    name: str
    category: str
    severity: str
    confidence: float
    pattern: re.Pattern[str]


def _tag(name: str, category: str, severity: str, confidence: float, *phrases: str) -> Tag:
    """Build a tag that is found when one of the phrases occurs as whole words."""
    return Tag(name, category, severity, confidence, re.compile(rf"\b(?:{'|'.join(phrases)})\b"))


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


def _found(tags: Iterable[Tag], words: str) -> tuple[Tag, ...]:
    """Return what of tags that were found counts."""
    not_a_place = _NOT_A_PLACE.search(words)
    return tuple(tag for tag in tags if tag.name != "location" or not not_a_place)


def _words(name: str) -> str:
    return _SEPARATORS.sub(" ", _CAMEL_HUMP.sub(" ", name)).strip().lower()


@lru_cache(maxsize=65_536)
def tags_of(name: str) -> tuple[Tag, ...]:
    words = _words(name)
    return _found((tag for tag in _TAGS if tag.pattern.search(words)), words)


@lru_cache(maxsize=65_536)
def tags_of_field(names: tuple[str, ...]) -> tuple[Tag, ...]:
    """Return the tags that a field's own name has a part in: `name` in `customer` is one's name."""
    outer = _words(" ".join(names[:-1]))
    words = f"{outer} {_words(names[-1])}"
    each = [(word.start(), word.end()) for word in _WORD.finditer(words)]
    phrases = [(start, end) for start, _ in each for _, end in each if start < end > len(outer)]
    return _found(
        (tag for tag in _TAGS if any(tag.pattern.fullmatch(words, *phrase) for phrase in phrases)),
        words,
    )
