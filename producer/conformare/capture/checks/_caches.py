"""Frames that are persisted for their checks, because the author has asked for it."""

from __future__ import annotations

from typing import Any

from conformare._guard import guard
from conformare._process_lock import ProcessLock
from conformare.capture._untracked import untracked

_lock = ProcessLock()
_persisted: list[Any] = []


def persist_once(frame: Any) -> None:
    """Persist a frame, so that its checks and what the pipeline does with it compute it once.

    A frame that is persisted already stays as it is, and is not ours to release; a stream cannot
    be persisted.

    Args:
        frame: Frame that is going to be checked.
    """
    if getattr(frame, "isStreaming", True):  # also what is no frame of Spark
        return
    with _lock:
        level = frame.storageLevel
        if not (level.useMemory or level.useDisk or level.useOffHeap):
            frame.persist()
            _persisted.append(frame)


def release_cache() -> int:
    """Unpersist every frame that `force_profile(cache=True)` persisted.

    Returns:
        How many there were.
    """
    with _lock:
        released = list(_persisted)
        _persisted.clear()
    for frame in released:
        with guard, untracked():
            if _is_alive(frame.sparkSession):
                frame.unpersist()
    return len(released)


def _is_alive(session: Any) -> bool:
    """Whether a session goes on; what was persisted in one that has ended is gone."""
    if hasattr(session, "is_stopped"):  # on Connect
        return not session.is_stopped
    return session.sparkContext._jsc is not None  # noqa: SLF001 - Spark offers no public way
