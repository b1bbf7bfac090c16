"""The pages: each is made of answers, and knows no markup."""

from conformare.fleet.page.views._ask import Ask
from conformare.fleet.page.views._lineage import impact_page, lineage_page
from conformare.fleet.page.views._lists import (
    drift_page,
    expectations_page,
    findings_page,
    risks_page,
    sensitive_page,
)
from conformare.fleet.page.views._overview import overview_page
from conformare.fleet.page.views._owners import owner_page, owners_page
from conformare.fleet.page.views._pipeline import page_of_pipeline, pipeline_page
from conformare.fleet.page.views._run import run_page

__all__ = [
    "Ask",
    "drift_page",
    "expectations_page",
    "findings_page",
    "impact_page",
    "lineage_page",
    "overview_page",
    "owner_page",
    "owners_page",
    "page_of_pipeline",
    "pipeline_page",
    "risks_page",
    "run_page",
    "sensitive_page",
]
