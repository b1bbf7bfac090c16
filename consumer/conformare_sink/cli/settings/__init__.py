"""The settings of the sink's commands; free of typer and Spark, for a job checks a file by them, too."""

from conformare_sink.cli.settings._broker import (
    BrokerSettings,
    BrokerStartSettings,
    BrokerStopSettings,
    TopicsCheckSettings,
    TopicsCreateSettings,
)
from conformare_sink.cli.settings._lake import (
    DoctorSettings,
    MaintainSettings,
    Messages,
    PurgeSettings,
    QuarantineDropSettings,
    QuarantineListSettings,
    QuarantineRetrySettings,
    QuarantineShowSettings,
    StatusSettings,
    ViewsCreateSettings,
)
from conformare_sink.cli.settings._shared import LakeSettings
from conformare_sink.cli.settings._sink import LogFormat, ReplaySettings, SinkSettings
from conformare_sink.cli.settings._texts import OffsetOf
from conformare_sink.spark.settings import MachineSettings

SETTINGS = (
    MachineSettings,
    SinkSettings,
    ReplaySettings,
    StatusSettings,
    DoctorSettings,
    MaintainSettings,
    PurgeSettings,
    QuarantineListSettings,
    QuarantineShowSettings,
    QuarantineRetrySettings,
    QuarantineDropSettings,
    TopicsCheckSettings,
    TopicsCreateSettings,
    ViewsCreateSettings,
    BrokerStartSettings,
    BrokerStopSettings,
    BrokerSettings,
)

__all__ = [
    "SETTINGS",
    "BrokerSettings",
    "BrokerStartSettings",
    "BrokerStopSettings",
    "DoctorSettings",
    "LakeSettings",
    "LogFormat",
    "MaintainSettings",
    "Messages",
    "OffsetOf",
    "PurgeSettings",
    "QuarantineDropSettings",
    "QuarantineListSettings",
    "QuarantineRetrySettings",
    "QuarantineShowSettings",
    "ReplaySettings",
    "SinkSettings",
    "StatusSettings",
    "TopicsCheckSettings",
    "TopicsCreateSettings",
    "ViewsCreateSettings",
]
