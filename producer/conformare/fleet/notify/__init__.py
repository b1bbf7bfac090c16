"""Reports of what has changed in a fleet, each change once, to whoever is to be told."""

from conformare.fleet.notify._changes import Change, Reported, changes
from conformare.fleet.notify._post import HttpPost, PostError, is_address
from conformare.fleet.notify._slack import slack_messages
from conformare.fleet.notify._state import StateError, StateFile
from conformare.fleet.notify._webhook import (
    SIGNATURE_HEADER,
    TIMESTAMP_HEADER,
    signed,
    webhook_messages,
)

__all__ = [
    "SIGNATURE_HEADER",
    "TIMESTAMP_HEADER",
    "Change",
    "HttpPost",
    "PostError",
    "Reported",
    "StateError",
    "StateFile",
    "changes",
    "is_address",
    "signed",
    "slack_messages",
    "webhook_messages",
]
