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

    @classmethod
    def install(cls, owner: type, method: str, original: Any, replacement: Any) -> Replaced:
        """Replace an attribute, which the class may have from one of its bases."""
        inherited = method not in owner.__dict__
        setattr(owner, method, replacement)
        return cls(owner, method, original, replacement, inherited)

    def undo(self) -> None:
        """Put the original back."""
        # Whoever has replaced the method after us keeps it; ours inside only passes calls on.
        if self.owner.__dict__.get(self.method) is not self.replacement:
            return
        if self.inherited:
            delattr(self.owner, self.method)
        else:
            setattr(self.owner, self.method, self.original)
