"""The settings of this side's commands; free of typer, for a job checks a file by them, too."""

from conformare.cli.settings._export import OpenlineageSettings
from conformare.cli.settings._fleet import (
    AcknowledgeSettings,
    DriftSettings,
    ImpactSettings,
    ListSettings,
    ReportSettings,
    SensitiveSettings,
    ServeSettings,
    ShowSettings,
    StatusSettings,
)
from conformare.cli.settings._gate import CheckSettings, Format, NotifySettings, kinds_of
from conformare.cli.settings._others import ConfigShowSettings, SchemasSettings
from conformare.cli.settings._shared import FleetStore
from conformare.cli.settings._spool import (
    SpoolExportSettings,
    SpoolImportSettings,
    SpoolListSettings,
    SpoolSendSettings,
    SpoolSettings,
)

SETTINGS = (
    SchemasSettings,
    ConfigShowSettings,
    ListSettings,
    StatusSettings,
    DriftSettings,
    SensitiveSettings,
    ImpactSettings,
    ShowSettings,
    ReportSettings,
    ServeSettings,
    CheckSettings,
    NotifySettings,
    OpenlineageSettings,
    AcknowledgeSettings,
    SpoolListSettings,
    SpoolSendSettings,
    SpoolExportSettings,
    SpoolImportSettings,
)

__all__ = [
    "SETTINGS",
    "AcknowledgeSettings",
    "CheckSettings",
    "ConfigShowSettings",
    "DriftSettings",
    "FleetStore",
    "Format",
    "ImpactSettings",
    "ListSettings",
    "NotifySettings",
    "OpenlineageSettings",
    "ReportSettings",
    "SchemasSettings",
    "SensitiveSettings",
    "ServeSettings",
    "ShowSettings",
    "SpoolExportSettings",
    "SpoolImportSettings",
    "SpoolListSettings",
    "SpoolSendSettings",
    "SpoolSettings",
    "StatusSettings",
    "kinds_of",
]
