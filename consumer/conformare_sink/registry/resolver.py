"""A Schema Registry's ids, asked for once each, on a thread that nobody waits for.

An id means the same for ever, so an answer is kept as long as the process lives. What the registry
does not know, it may know later: it is asked again, less and less often.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Collection, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import chain

from conformare_schemas import GRAINS, LARGEST_SCHEMA_ID
from conformare_schemas.registry import (
    RegistryAccess,
    RegistryClient,
    RegistryError,
    RegistryRefusedError,
    released_header,
    released_ids,
    subject_name,
)
from conformare_sink.messages.framing import FOREIGN, SchemaIds

logger = logging.getLogger("conformare_sink")

MOST_WANTED = 1_000
"""Ids that are asked for at a time: anybody may write any number to a topic."""
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.5, 30.0
LONGEST_UNKNOWN_SECONDS = 600.0
"""How long an id that the registry does not know is left alone at most."""
LOG_SECONDS = 60.0
ONCE_SECONDS = 5.0
"""How long who has nothing else to do waits for answers."""


@dataclass
class _Wanted:
    """An id that is asked for, or a subject."""

    due: float = 0.0
    faults: int = 0
    """How often in a row nothing came of asking."""
    refusals: int = 0
    """How often the registry did not know it."""

    def put_off(self) -> None:
        """Let all others have their turn before: what the registry answers badly is not to stop them."""
        self.faults += 1
        self.due = time.monotonic() + min(2.0 ** min(self.faults, 10), LONGEST_PAUSE_SECONDS)

    def refuse(self) -> None:
        """Ask again after a longer time."""
        self.faults = 0
        self.refusals += 1
        self.due = time.monotonic() + min(2.0 ** min(self.refusals, 10), LONGEST_UNKNOWN_SECONDS)


class Resolver:
    """Resolves the ids of one registry; its methods may be called by any thread.

    Args:
        access: The registry.
        topic_prefix: Put in front of every grain's topic: the subjects of our own schemas are asked
            for before any message comes.
        patience_seconds: How long whoever wants ids waits for answers, all in all.
    """

    def __init__(
        self, access: RegistryAccess, topic_prefix: str, patience_seconds: float = 0.0
    ) -> None:
        self._access = access
        self._patience = patience_seconds
        names = (subject_name(g, topic_prefix, access.subject_strategy) for g in GRAINS)
        self._subjects = {name: _Wanted() for name in names}
        self._known: dict[int, bytes] = {}
        self._wanted: dict[int, _Wanted] = {}
        self._news: set[int] = set()
        self._has_dropped = False
        self._turn_at = 0.0
        self._changed = threading.Condition()
        self._is_over = False
        self._pause = FIRST_PAUSE_SECONDS
        self._logged_at = -LOG_SECONDS

    def start(self) -> None:
        """Begin to ask."""
        threading.Thread(target=self._run, name="conformare-registry", daemon=True).start()

    def close(self) -> None:
        """Ask no more; an answer that is under way is not waited for."""
        with self._changed:
            self._is_over = True
            self._changed.notify_all()

    def known(self) -> SchemaIds:
        """Return what the registry has told; more may come to it, and nothing changes."""
        return self._known

    def want(self, ids: Collection[int]) -> bool:
        """Let the registry be asked for ids, and wait for it as long as there is patience.

        Returns:
            Whether it has told of some of them by now.
        """
        with self._changed:
            for one in ids:
                if one in self._known:
                    self._news.add(one)
                elif one not in self._wanted and one <= LARGEST_SCHEMA_ID:
                    self._make_room()
                    self._wanted[one] = _Wanted()
            self._changed.notify_all()
            began = time.monotonic()
            self.settle(self._patience)
            self._patience = max(0.0, self._patience - (time.monotonic() - began))
            return any(one in self._known for one in ids)

    def take_news(self) -> set[int]:
        """Return the ids that were wanted and are known since this was asked last."""
        with self._changed:
            news, self._news = self._news, set()
            return news

    def take_dropped(self) -> bool:
        """Return whether ids were dropped since this was asked last, and it is their turn.

        That is when the registry was asked for all others in vain, and not often.
        """
        with self._changed:
            now = time.monotonic()
            found = (
                self._has_dropped
                and now >= self._turn_at
                and all(one.refusals or one.faults for one in self._wanted.values())
            )
            if found:
                self._has_dropped = False
                self._turn_at = now + LONGEST_UNKNOWN_SECONDS
            return found

    def settle(self, timeout_seconds: float) -> None:
        """Wait until everything that is wanted has an answer, or the registry has none."""
        with self._changed:
            self._changed.wait_for(
                lambda: not self._subjects and all(one.refusals for one in self._wanted.values()),
                timeout_seconds,
            )

    def _make_room(self) -> None:
        """Drop the id that the registry has refused most often, if there are too many."""
        if len(self._wanted) >= MOST_WANTED:
            del self._wanted[max(self._wanted, key=lambda one: self._wanted[one].refusals)]
            self._has_dropped = True

    # -- the thread

    def _run(self) -> None:
        while not self._is_over:
            try:
                with closing(RegistryClient(self._access)) as client:
                    while (wanted := self._next()) is not None:
                        self._ask_for(client, wanted)
                        self._pause = FIRST_PAUSE_SECONDS
            except RegistryError as exc:
                self._log(str(exc))
            except Exception as exc:  # noqa: BLE001 - nobody is there to catch it
                self._log(type(exc).__name__)
            with self._changed:
                self._changed.wait_for(lambda: self._is_over, self._pause)
            self._pause = min(2 * self._pause, LONGEST_PAUSE_SECONDS)

    def _ask_for(self, client: RegistryClient, wanted: int | str) -> None:
        if isinstance(wanted, str):
            self._ask_for_subject(client, wanted)
        elif (text := client.schema(wanted)) is not None:
            self._learn({wanted: released_header(text) or FOREIGN})
        else:
            with self._changed:
                if wanted in self._wanted:
                    self._wanted[wanted].refuse()
                self._changed.notify_all()

    def _ask_for_subject(self, client: RegistryClient, subject: str) -> None:
        try:
            self._learn(released_ids(client, subject))
        except RegistryRefusedError as exc:  # ids may be asked for all the same
            self._log(str(exc))
            done = [*self._subjects]
        else:
            done = [subject]
        with self._changed:
            for one in done:
                self._subjects.pop(one, None)
            self._changed.notify_all()

    def _next(self) -> int | str | None:
        """Wait for the next id or subject that is to be asked for; None at the end."""
        with self._changed:
            while not self._is_over:
                # Ids before subjects: messages wait for them.
                everything: Iterable[tuple[int | str, _Wanted]] = chain(
                    self._wanted.items(), self._subjects.items()
                )
                first = min(everything, key=lambda one: one[1].due, default=None)
                if first is None:
                    self._changed.wait()
                    continue
                name, wanted = first
                if (seconds := wanted.due - time.monotonic()) <= 0:
                    wanted.put_off()
                    return name
                self._changed.wait(seconds)
        return None

    def _learn(self, ids: SchemaIds) -> None:
        with self._changed:
            self._known.update(ids)
            for one in ids:
                if self._wanted.pop(one, None) is not None:
                    self._news.add(one)
            self._changed.notify_all()

    def _log(self, why: str) -> None:
        now = time.monotonic()
        if now - self._logged_at >= LOG_SECONDS:
            self._logged_at = now
            logger.warning(
                "the schema registry is of no use: %s; messages with ids that are not known yet "
                "wait in quarantine, all others land",
                why,
            )


@contextmanager
def asking(
    access: RegistryAccess | None, topic_prefix: str, patience_seconds: float = 0
) -> Iterator[Resolver | None]:
    """Ask a registry, if there is one, for as long as the block takes.

    Args:
        access: How it is reached; None where there is none.
        topic_prefix: Put in front of every grain's topic.
        patience_seconds: How long whoever wants ids waits for answers, those of our own subjects
            included, all in all.
    """
    if access is None:
        yield None
        return
    resolver = Resolver(access, topic_prefix, patience_seconds)
    resolver.start()
    with closing(resolver):
        resolver.want(())
        yield resolver
