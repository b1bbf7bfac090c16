"""The catalog of risks: what a risk id stands for and how severe it is unless said otherwise."""

from __future__ import annotations

from dataclasses import dataclass

from conformare._process_lock import ProcessLock
from conformare._quoted import quoted

SEVERITIES: tuple[str, ...] = ("low", "medium", "high", "critical")
"""Every severity of a risk, mildest first."""

UNSPECIFIED_CATEGORY = "Unspecified"


@dataclass(frozen=True)
class Risk:
    """One entry of the risk catalog."""

    id: str
    category: str
    label: str
    description: str = ""
    default_severity: str = "medium"


def validated_severity(severity: str) -> str:
    """Return a severity of a risk as the catalog spells it.

    Raises:
        ValueError: It is none of `SEVERITIES`.
    """
    known = str(severity).strip().lower()
    if known not in SEVERITIES:
        raise ValueError(f"unknown severity {quoted(severity)}; known are {', '.join(SEVERITIES)}")
    return known


_BUILT_IN: tuple[tuple[str, str, str, str], ...] = (
    ("privacy.pii_exposure", "Privacy", "high", "Personal data in the open"),
    ("privacy.reidentification", "Privacy", "high", "People can be recognised again"),
    ("privacy.special_category", "Privacy", "critical", "Specially protected personal data"),
    ("quality.missing_values", "Data Quality", "medium", "Values are missing"),
    ("quality.duplicates", "Data Quality", "medium", "Rows occur more than once"),
    ("quality.schema_drift", "Data Quality", "medium", "The schema may change unannounced"),
    ("quality.outliers", "Data Quality", "low", "Extreme values distort the result"),
    ("compliance.gdpr", "Compliance", "high", "Duties under the GDPR"),
    ("compliance.retention", "Compliance", "medium", "Data kept for too long"),
    ("compliance.cross_border", "Compliance", "high", "Data leaves its jurisdiction"),
    ("security.unencrypted", "Security", "high", "Data is not encrypted"),
    ("security.access_control", "Security", "high", "Too many can reach the data"),
    ("security.injection", "Security", "medium", "Input may be run as code"),
    ("fairness.protected_attribute", "Bias / Fairness", "high", "A protected attribute is used"),
    ("fairness.sampling_bias", "Bias / Fairness", "medium", "The sample favours some groups"),
    ("fairness.proxy_variable", "Bias / Fairness", "medium", "A column stands in for a trait"),
    ("ops.expensive_action", "Operational", "low", "A step costs much to run"),
    ("ops.nondeterminism", "Operational", "low", "Two runs may differ on the same input"),
    ("ops.manual_step", "Operational", "medium", "A person has to step in"),
)

_lock = ProcessLock()
_catalog: dict[str, Risk] = {
    risk_id: Risk(risk_id, category, label, default_severity=severity)
    for risk_id, category, severity, label in _BUILT_IN
}


def register_risk(
    id: str,  # noqa: A002 - the name is fixed by the contract
    *,
    category: str,
    label: str,
    description: str = "",
    default_severity: str = "medium",
) -> Risk:
    """Add a risk to the catalog, or replace the one of the same id.

    Args:
        id: Id by which `risk` and `describe` refer to it.
        category: Heading that it is listed under.
        label: Short title.
        description: What it is about.
        default_severity: low, medium, high or critical.

    Returns:
        The entry as it now stands in the catalog.

    Raises:
        ValueError: The severity is not a known one.
    """
    entry = Risk(id, category, label, description, validated_severity(default_severity))
    with _lock:
        _catalog[id] = entry
    return entry


def get_risk(id: str) -> Risk | None:  # noqa: A002 - the name is fixed by the contract
    """Return the catalog's entry of a risk id, or None."""
    return _catalog.get(id)


def all_risks() -> list[Risk]:
    """Return every entry of the catalog, in the order of registration."""
    with _lock:
        return list(_catalog.values())


def catalog_by_category() -> dict[str, list[Risk]]:
    """Return the catalog's entries by category."""
    by_category: dict[str, list[Risk]] = {}
    for entry in all_risks():
        by_category.setdefault(entry.category, []).append(entry)
    return by_category


def resolved_risk(risk: str | Risk) -> Risk:
    """Return the entry that a declaration means; an id that is not listed keeps itself as label."""
    if isinstance(risk, Risk):
        return risk
    known = get_risk(str(risk))
    return known or Risk(str(risk), UNSPECIFIED_CATEGORY, str(risk))
