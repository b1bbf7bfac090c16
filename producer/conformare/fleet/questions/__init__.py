"""The questions that a fleet is asked; commands, page and Python calls answer from these."""

from conformare.fleet.questions._drift import Drift, acknowledged_row, drift
from conformare.fleet.questions._expectations import (
    RATE_DAYS,
    STATES,
    ExpectationState,
    State,
    expectations,
    state_by_run,
)
from conformare.fleet.questions._findings import (
    DEFAULT_KINDS,
    KINDS,
    Finding,
    Kind,
    findings,
)
from conformare.fleet.questions._health import (
    HEALTHS,
    Health,
    PipelineHealth,
    RunMark,
    health,
    health_of_run,
)
from conformare.fleet.questions._lineage import Edge, Lineage, Reached, impact
from conformare.fleet.questions._owners import (
    OpenRisk,
    Owned,
    Owner,
    open_risks,
    owners,
    severity_order,
)
from conformare.fleet.questions._places import place_of
from conformare.fleet.questions._run import Change, RunView, run_view
from conformare.fleet.questions._sensitive import SensitiveSink, sensitive
from conformare.fleet.questions._spans import end_of, span
from conformare.fleet.questions._upstream import CarriedRisk, carried_risks

__all__ = [
    "DEFAULT_KINDS",
    "HEALTHS",
    "KINDS",
    "RATE_DAYS",
    "STATES",
    "CarriedRisk",
    "Change",
    "Drift",
    "Edge",
    "ExpectationState",
    "Finding",
    "Health",
    "Kind",
    "Lineage",
    "OpenRisk",
    "Owned",
    "Owner",
    "PipelineHealth",
    "Reached",
    "RunMark",
    "RunView",
    "SensitiveSink",
    "State",
    "acknowledged_row",
    "carried_risks",
    "drift",
    "end_of",
    "expectations",
    "findings",
    "health",
    "health_of_run",
    "impact",
    "open_risks",
    "owners",
    "place_of",
    "run_view",
    "sensitive",
    "severity_order",
    "span",
    "state_by_run",
]
