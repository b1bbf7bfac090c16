"""Our own facets: what OpenLineage has no word for. Their schemas are published in `facets/`."""

from __future__ import annotations

from typing import Any

import attr
from openlineage.client.generated.base import DatasetFacet, RunFacet

from conformare.openlineage._published import schema_url

RECORD = "conformare_record"
RISKS = "conformare_risks"
CONTEXTS = "conformare_contexts"

Fields = dict[str, Any]


@attr.define
class ConformareRecordRunFacet(RunFacet):
    """The run as conformare has it: its own identity, its status and its counts."""

    runId: str  # noqa: N815 - as OpenLineage writes names
    status: str
    title: str
    counts: dict[str, int]
    conformareVersion: str  # noqa: N815 - as above
    env: str | None = None
    gitSha: str | None = None  # noqa: N815 - as above
    reportUri: str | None = None  # noqa: N815 - as above

    @staticmethod
    def _get_schema() -> str:
        return schema_url("ConformareRecordRunFacet")


@attr.define
class ConformareRisksRunFacet(RunFacet):
    """The register of the run's risks."""

    risks: list[Fields]

    @staticmethod
    def _get_schema() -> str:
        return schema_url("ConformareRisksRunFacet")


@attr.define
class ConformareContextsRunFacet(RunFacet):
    """What parts of the pipeline are for, and the fingerprints of their code and of their risks."""

    contexts: list[Fields]

    @staticmethod
    def _get_schema() -> str:
        return schema_url("ConformareContextsRunFacet")


@attr.define
class ConformareRisksDatasetFacet(DatasetFacet):
    """The risks that reach what was written, and how many of its columns are sensitive."""

    risks: list[Fields]
    sensitiveColumns: int  # noqa: N815 - as OpenLineage writes names

    @staticmethod
    def _get_schema() -> str:
        return schema_url("ConformareRisksDatasetFacet")


def record_facet(run: Fields) -> ConformareRecordRunFacet:
    """Return what a row of `runs` says."""
    return ConformareRecordRunFacet(
        runId=run["run_id"],
        status=run["status"],
        title=run["title"],
        counts={
            _camel(name): value for name, value in run.items() if name.startswith(_COUNTS) and value
        },
        conformareVersion=run["conformare_version"],
        env=run["env"],
        gitSha=run["git_sha"],
        reportUri=run["report_uri"],
    )


def risks_facet(risks: list[Fields]) -> ConformareRisksRunFacet:
    """Return what rows of `risks` say."""
    return ConformareRisksRunFacet(
        risks=[
            {
                "riskId": risk["risk_id"],
                "label": risk["label"],
                "category": risk["category"],
                "severity": risk["severity"],
                "governance": risk["governance"],
                "mitigated": risk["mitigated"],
                "owned": risk["owned"],
                "process": risk["process"],
                "owners": risk["owners"],
                "mitigations": risk["mitigations"],
                "nodes": risk["nodes"],
                "occurrences": risk["n_occurrences"],
            }
            for risk in risks
        ]
    )


def contexts_facet(contexts: list[Fields]) -> ConformareContextsRunFacet:
    """Return what rows of `contexts` say."""
    return ConformareContextsRunFacet(
        contexts=[
            {
                "label": context["context_label"],
                "purpose": context["purpose"],
                "owner": context["definition_owner"],
                "implHash": context["impl_hash"],
                "riskHash": context["risk_hash"],
                "steps": context["n_steps"],
                "riskIds": context["risk_ids"],
            }
            for context in contexts
        ]
    )


def reaching_risks_facet(risks: list[Fields], n_sensitive: int) -> ConformareRisksDatasetFacet:
    """Return what rows of `sink_risks` say of one sink."""
    return ConformareRisksDatasetFacet(
        risks=[
            {
                "riskId": risk["risk_id"],
                "label": risk["label"],
                "severity": risk["severity"],
                "owners": risk["owners"],
                "mitigated": risk["mitigated"],
                "kind": risk["kind"],
                "distance": risk["distance"],
                "context": risk["context_label"],
            }
            for risk in risks
        ],
        sensitiveColumns=n_sensitive,
    )


_COUNTS = ("n_", "risks_", "ge_", "sensitive_")


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(map(str.capitalize, others))
