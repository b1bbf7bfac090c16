"""The catalog holds known risks, takes new ones, and keeps out severities that nobody knows."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest

from conformare.capture import (
    Risk,
    all_risks,
    catalog_by_category,
    get_risk,
    register_risk,
    risk,
)
from conformare.capture.declared import _risks


@pytest.fixture(autouse=True)
def catalog(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep what a test registers to that test."""
    monkeypatch.setattr(_risks, "_catalog", dict(_risks._catalog))


def test_the_catalog_knows_19_risks_under_6_headings() -> None:
    assert len(all_risks()) == 19
    assert {category: len(risks) for category, risks in catalog_by_category().items()} == {
        "Privacy": 3,
        "Data Quality": 4,
        "Compliance": 3,
        "Security": 3,
        "Bias / Fairness": 3,
        "Operational": 3,
    }


@pytest.mark.parametrize(
    ("risk_id", "severity"),
    [
        ("privacy.special_category", "critical"),
        ("privacy.pii_exposure", "high"),
        ("compliance.gdpr", "high"),
        ("quality.missing_values", "medium"),
        ("ops.nondeterminism", "low"),
    ],
)
def test_a_listed_risk_has_its_default_severity(risk_id: str, severity: str) -> None:
    entry = get_risk(risk_id)
    assert entry is not None
    assert entry.default_severity == severity
    assert risk(risk_id).risks[0].severity == severity


def test_a_registered_risk_replaces_one_of_the_same_id() -> None:
    for label in ("old", "new"):
        entry = register_risk("own.id", category="Own", label=label, default_severity="High")
    assert get_risk("own.id") == entry == Risk("own.id", "Own", "new", "", "high")
    assert catalog_by_category()["Own"] == [entry]


def test_a_risk_cannot_be_changed() -> None:
    entry = all_risks()[0]
    with pytest.raises(FrozenInstanceError):
        entry.label = "x"  # type: ignore[misc]  # the mistake


def test_a_severity_that_nobody_knows_is_refused() -> None:
    with pytest.raises(ValueError, match="low, medium, high, critical"):
        register_risk("x", category="c", label="l", default_severity="awful")
    with pytest.raises(ValueError, match="unknown severity 'awful'"):
        risk("x", severity="awful")


def test_an_id_that_is_not_listed_keeps_itself_as_label() -> None:
    (declared,) = risk("my.own", note="n", mitigation="", owner=" ").risks
    assert (declared.label, declared.category, declared.severity) == (
        "my.own",
        "Unspecified",
        "medium",
    )
    assert (declared.note, declared.mitigation, declared.owner) == ("n", None, None)


def test_no_risk_at_all_is_legal() -> None:
    assert risk().risks == ()
