"""What a fork must not cut in two: it waits until nobody is in the middle of it.

A child that is forked while another thread of its parent imports a module has that module half
made, and its lock held for ever; one that is forked between the locking of a folder and taking note
of it holds a folder that nobody will let go of.
"""

from __future__ import annotations

import os
import threading

whole = threading.RLock()
"""Held for a moment, such as an import takes, around what a fork must find done or not begun."""

if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=whole.acquire,
        after_in_parent=whole.release,
        # The thread that forks is the one that the child has: it holds the lock there, too.
        after_in_child=whole.release,
    )
