"""The ids that a Schema Registry has for our schemas: looked up on a thread that nobody waits for.

The courier frames by the ids that are known when it sends. So neither the job nor the delivery depends
on the registry: without an id, a message has single-object encoding, which needs none.
"""

from __future__ import annotations

import random
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable
from contextlib import closing
from http import HTTPStatus

from conformare.emission._emission import Message
from conformare.emission.registry._cache import IdCache, Ids
from conformare_schemas import (
    GRAINS,
    HEADER_BYTES,
    confluent_header,
    message_header,
)
from conformare_schemas.registry import (
    RegistryAccess,
    RegistryClient,
    RegistryError,
    RegistryRefusedError,
    RegistryUnreachableError,
    released_ids,
    subject_name,
)

FIRST_LOOK_SECONDS = 2.0
"""How long the courier waits for a registry that has never answered on this machine, once for each
process: so the first run has its framing, too."""
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 1.0, 60.0
REFRESH_SECONDS = 3600.0
"""How often a job that lives long looks again: a registry may have been made anew, with other ids."""


class RegisteredIds:
    """Frames messages by the ids of one registry.

    Args:
        access: The registry.
        topic_prefix: Put in front of every grain's topic.
        cache: Where ids are kept; None for nowhere.
        warn: Tells an operator something, at a bounded rate: its kind, and what.
    """

    def __init__(
        self,
        access: RegistryAccess,
        topic_prefix: str,
        cache: IdCache | None,
        warn: Callable[[str, str], None],
    ) -> None:
        self._access = access
        self._topic_prefix = topic_prefix
        self._cache = cache
        self._warn = warn
        self._ids: Ids = {}
        self._told: set[bool] = set()
        self.begin_process()

    def begin_process(self) -> None:
        """In a forked child: what is known stays known, and the thread is the parent's."""
        self._thread: threading.Thread | None = None
        self._has_waited = False
        self._looked = threading.Event()
        self._over = threading.Event()

    def begin(self) -> None:
        """Begin to look; called by the job, for at its end no thread may begin any more."""
        if self._thread is not None:
            return
        thread = threading.Thread(target=self._run, name="conformare-registry", daemon=True)
        try:
            thread.start()
        except RuntimeError:
            return  # the interpreter ends, or the machine has no more threads
        self._thread = thread

    def framed(self, message: Message) -> bytes:
        """Return the value of a message as it is sent; called by the courier alone."""
        if not self._has_waited:
            self._has_waited = True
            self._await_ids()
        schema_id = self._ids.get((message.grain, message.value[:HEADER_BYTES]))
        if schema_id is None:
            return message.value
        return confluent_header(schema_id) + message.value[HEADER_BYTES:]

    def close(self) -> None:
        """Look no more."""
        self._over.set()

    def _await_ids(self) -> None:
        """Wait until the thread has ids, or has told why it has none."""
        self.begin()
        if self._thread is None:
            self._tell("no thread can be started to ask it", is_refusal=False)
        elif not self._looked.wait(FIRST_LOOK_SECONDS) and not self._ids:
            self._tell("it has not answered yet", is_refusal=False)

    def _run(self) -> None:
        looked, over = self._looked, self._over
        pause = FIRST_PAUSE_SECONDS
        while not over.is_set():
            try:
                if self._cache is not None and not self._ids:
                    self._ids = self._cache.read()
                if self._ids:
                    looked.set()
                self._look()
            except Exception as exc:  # noqa: BLE001 - nobody is there to catch it
                if not self._ids:
                    fault = str(exc) if isinstance(exc, RegistryError) else type(exc).__name__
                    is_refusal = not isinstance(exc, RegistryUnreachableError)
                    self._tell(fault, is_refusal=is_refusal)
                wait, pause = pause, min(2 * pause, LONGEST_PAUSE_SECONDS)
            else:
                is_complete = len(self._ids) >= len(GRAINS)
                wait, pause = REFRESH_SECONDS if is_complete else LONGEST_PAUSE_SECONDS, 1.0
            looked.set()
            # With jitter, so that the jobs of an hour do not come all at once.
            over.wait(wait * random.uniform(0.5, 1.5))  # noqa: S311

    def _look(self) -> None:
        """Ask for the ids of all grains; those that are there in place of what was known.

        A subject that the registry refuses to tell of costs no other its ids.
        """
        found: dict[tuple[str, bytes], int] = {}
        refused: RegistryRefusedError | None = None
        subjects: defaultdict[str, list[str]] = defaultdict(list)
        for grain in GRAINS:
            name = subject_name(grain, self._topic_prefix, self._access.subject_strategy)
            subjects[name].append(grain)
        with closing(RegistryClient(self._access)) as client:
            for subject, grains in subjects.items():
                try:
                    found |= _ids_of(client, subject, grains)
                except RegistryRefusedError as exc:  # noqa: PERF203 - each by itself
                    if exc.status == HTTPStatus.UNAUTHORIZED:
                        raise  # a login that is tried again and again may be locked
                    refused = exc
                    found |= {key: one for key, one in self._ids.items() if key[0] in grains}
        if refused is not None and not found:
            raise refused
        is_new = found != self._ids
        self._ids = found
        if self._cache is not None and is_new:
            self._cache.write(found)
        if refused is not None:
            self._tell(str(refused), is_refusal=True)
        elif lacking := [grain for grain in GRAINS if (grain, message_header(grain)) not in found]:
            self._tell(
                f"it has no schema of {', '.join(lacking)}, which `conformare schemas register` adds",
                is_refusal=True,
            )

    def _tell(self, why: str, *, is_refusal: bool) -> None:
        """Say that messages go without the registry's ids: once, and once more what is to be mended."""
        if is_refusal not in self._told:
            self._told.add(is_refusal)
            self._warn(
                f"schema registry {'refuses' if is_refusal else 'is silent'}",
                f"messages are sent in single-object encoding, not by the ids of the schema registry "
                f"{self._access.url}: {why}",
            )


def _ids_of(client: RegistryClient, subject: str, grains: Iterable[str]) -> Ids:
    """Return the ids that a subject has of the schemas of some grains."""
    # Of several ids of one schema the newest.
    ids = {header: schema_id for schema_id, header in released_ids(client, subject).items()}
    keys = [(grain, message_header(grain)) for grain in grains]
    return {key: ids[key[1]] for key in keys if key[1] in ids}
