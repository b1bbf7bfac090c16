"""Messages in quarantine that wait for a Schema Registry: they land as soon as it has answered."""

from __future__ import annotations

import logging

from conformare_sink.lake.lake import Lake
from conformare_sink.landing.landing import Landing
from conformare_sink.registry.resolver import ONCE_SECONDS, Resolver
from conformare_sink.stream.retry import retry_resolved, unresolved_ids

logger = logging.getLogger("conformare_sink")


class AwaitedSchemas:
    """Retries what is resolved by now; to be used by whoever lands, between batches.

    Args:
        lake: The lake, open for writing.
        landing: Lands in that lake.
        resolver: Asks the registry.
    """

    def __init__(self, lake: Lake, landing: Landing, resolver: Resolver) -> None:
        self._lake = lake
        self._landing = landing
        self._resolver = resolver
        resolver.want(unresolved_ids(lake))

    def retry(self) -> None:
        """Land what can be used by now; where there is no news, this takes no time."""
        if self._resolver.take_dropped():
            self._resolver.want(unresolved_ids(self._lake))
        if not (news := self._resolver.take_news()):
            return
        known = self._resolver.known()
        retried = retry_resolved(self._lake, self._landing, {one: known[one] for one in news})
        if retried.used or retried.unusable:
            logger.info("the schema registry has answered: %s", retried.summary())

    def finish(self) -> None:
        """Wait for answers for some seconds, and land what can be used by then."""
        self._resolver.settle(ONCE_SECONDS)
        self.retry()
