"""Attributes of other people's classes that we have replaced, and how they are put back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Replaced:
    """One replaced attribute of a class, and all that is needed to put the original back."""

    owner: type
    method: str
    original: Any
    replacement: Any
    inherited: bool

    def undo(self) -> None:
        """Put the original back."""
        # Whoever has replaced the method after us keeps it; ours inside only passes calls on.
        if self.owner.__dict__.get(self.method) is not self.replacement:
            return
        if self.inherited:
            delattr(self.owner, self.method)
        else:
            setattr(self.owner, self.method, self.original)
