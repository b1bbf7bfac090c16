"""Where events can be sent: a server, a topic, a file."""

from conformare.openlineage.targets._file import FileTarget
from conformare.openlineage.targets._http import HttpTarget
from conformare.openlineage.targets._kafka import KafkaTarget
from conformare.openlineage.targets._target import Target, TargetError

__all__ = [
    "FileTarget",
    "HttpTarget",
    "KafkaTarget",
    "Target",
    "TargetError",
]
