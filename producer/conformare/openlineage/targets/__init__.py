"""Where events can be sent: a server, a topic, a file."""

from conformare.openlineage.targets._file import FileTarget
from conformare.openlineage.targets._http import DEFAULT_ENDPOINT, HttpTarget
from conformare.openlineage.targets._kafka import DEFAULT_TOPIC, KafkaTarget
from conformare.openlineage.targets._target import Target, TargetError

__all__ = [
    "DEFAULT_ENDPOINT",
    "DEFAULT_TOPIC",
    "FileTarget",
    "HttpTarget",
    "KafkaTarget",
    "Target",
    "TargetError",
]
