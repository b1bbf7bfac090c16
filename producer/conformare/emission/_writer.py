"""The Kafka writer: a run is on the disk, and on its way, when `write` returns."""

from __future__ import annotations

import logging
import uuid
from datetime import datetime, timezone
from itertools import count

from conformare._delivery_stats import DeliveryStats
from conformare._errors import (
    DeliveryError,
    RunEncodingError,
    SpoolError,
    StoreConfigurationError,
)
from conformare._identity import new_emission_id
from conformare._process_lock import ProcessLock
from conformare._run_writer import RunRecord, is_declaration
from conformare.emission._courier import Courier
from conformare.emission._emission import Emission
from conformare.emission._encode import encode_emission, oversize_cause
from conformare.emission._headers import emission_headers
from conformare.emission._look_up import lake_has_run
from conformare.emission._parcel import Parcel
from conformare.emission._stats import Ledger
from conformare.emission.settings import KafkaOptions
from conformare.emission.spool import HAS_LOCKS, Spool, require_own
from conformare_schemas import SOURCE_RISKS

logger = logging.getLogger("conformare")

STRICT_TIMEOUT_SECONDS = 10.0
REMEMBERED_RUNS = 100_000
"""How many runs of its own a process remembers, for `if_run_exists="skip"`."""


class KafkaWriter:
    """Emits each record as one emission onto the grains' topics; made by `kafka_writer`.

    Args:
        options: Where and how to emit.

    Raises:
        StoreConfigurationError: Somebody else may put runs into the spool's folder.
    """

    def __init__(self, options: KafkaOptions) -> None:
        self.options = options
        self._ledger = Ledger()
        self._lock = ProcessLock()
        self._spool = self._make_spool()
        self._courier = Courier(options, self._spool, self._ledger)
        self._reset()

    def write(self, record: RunRecord) -> None:
        """Emit a record, without waiting for the broker.

        Raises:
            DeliveryError: Only with `strict=True`: not acknowledged within 10 seconds.
            RunEncodingError: Only with `strict=True`: the contract cannot carry the record.
        """
        try:
            parcel, what = self._emit(record)
        except Exception as exc:
            # The one place where a fault of the emission meets the job: it is counted, not raised.
            if self.options.strict:
                raise
            reason = "not encodable" if isinstance(exc, RunEncodingError) else "internal fault"
            detail = str(exc) if isinstance(exc, RunEncodingError) else type(exc).__name__
            self._ledger.lose(reason, detail)
            return
        if self.options.strict:
            self._require_delivery(parcel, what)

    def has_run(self, pipeline: str, run_id: str) -> bool:
        """Return whether a run is known: to this process, to the spool, or to the lake.

        A run that was sent and has not landed yet is known to none of them unless this process
        sent it; recorded again, it is still landed once.
        """
        if (pipeline, run_id) in self._recorded:
            return True
        try:
            if self._spool is not None and self._spool.holds(pipeline, run_id):
                return True
            return lake_has_run(self.options, pipeline, run_id)
        except Exception as exc:  # noqa: BLE001 - to look is no reason for a job to fail
            self._ledger.warn("no look-up", f"nobody knows of run {run_id!r}: {type(exc).__name__}")
            return False

    def flush(self, timeout_seconds: float) -> int:
        """Wait until everything that this process has recorded is acknowledged.

        Args:
            timeout_seconds: How long at most, in seconds.

        Returns:
            How many runs are still undelivered.
        """
        courier = self._courier
        courier.wait(lambda: courier.own_undelivered() == 0, timeout_seconds)
        return courier.own_undelivered()

    def stats(self) -> DeliveryStats:
        """Return what became of the runs until now."""
        return self._courier.stats()

    def close(self, timeout_seconds: float) -> None:
        """Deliver for at most so long, stop, and say what is left.

        Args:
            timeout_seconds: How long at most, in seconds.
        """
        self._courier.close(timeout_seconds)
        left = self.stats()
        if not left.waiting:
            return
        # What fell back to memory is in no file.
        spooled = self._courier.undelivered_in_spool()
        lost = left.waiting - spooled
        servers = self.options.bootstrap_servers
        if spooled and self._spool is not None:
            logger.warning(
                "conformare: %d run(s)%s for %s wait in the spool %s; the next job sends them, or "
                "`conformare spool send`",
                spooled,
                " and more" if self._spool.has_more else "",
                servers,
                self._spool.root,
            )
        if lost:
            self._ledger.lose("job ended", f"{servers} did not answer before its end", lost)

    def begin_process(self) -> None:
        """In a forked child: start afresh. What the parent has recorded, the parent delivers."""
        self._ledger.begin_process()
        self._courier.begin_process()
        self._reset()

    def _reset(self) -> None:
        # Declarations have numbers of their own: a sink of an older contract, which does not read them,
        # would take theirs for runs that are missing.
        self._numbers = {of_runs: (str(uuid.uuid4()), count(1)) for of_runs in (True, False)}
        self._recorded: dict[tuple[str, str], None] = {}

    def _make_spool(self) -> Spool | None:
        options = self.options
        if options.durability == "memory":
            return None
        try:
            if not HAS_LOCKS:
                raise RuntimeError("this platform has no file locks")  # noqa: TRY301 - one case
            folder = options.spool_folder
        except RuntimeError as exc:
            self._ledger.warn("no spool", f"runs wait in memory only: {exc}; set spool_dir")
            return None
        try:
            require_own(folder)
        except SpoolError as exc:
            raise StoreConfigurationError(
                f"the writer 'kafka' cannot be made: spool_dir: {exc}"
            ) from exc
        return Spool(folder, options.destination, options.spool_max_bytes)

    def _emit(self, record: RunRecord) -> tuple[Parcel, str]:
        """Let a record set out; return what is on its way, and what that is in words."""
        self._ledger.count("recorded")
        limit = self.options.max_message_bytes
        pipeline, run_id = _identity_of(record)
        emission_id = new_emission_id()
        producer_id, numbers = self._numbers[bool(pipeline)]
        with self._lock:
            sequence = next(numbers)
        emission = Emission(
            pipeline=pipeline,
            run_id=run_id,
            emission_id=emission_id,
            recorded_at=datetime.now(timezone.utc),
            headers=emission_headers(producer_id, sequence),
            messages=encode_emission(record, emission_id, max_message_bytes=limit),
        )
        parcel = Parcel(emission.size_bytes, emission.recorded_at, emission, None, own=True)
        cause = oversize_cause(emission.messages, max_message_bytes=limit)
        if cause is not None:
            self._reject(emission, cause)
            parcel.outcome = "rejected"
            return parcel, emission.name
        self._write_ahead(parcel, emission)
        if not self._courier.accept(parcel):
            parcel.outcome = "lost"
            self._ledger.lose(
                "memory full", f"waiting for {self.options.bootstrap_servers} without a spool"
            )
            return parcel, emission.name
        self._remember(emission)
        return parcel, emission.name

    def _write_ahead(self, parcel: Parcel, emission: Emission) -> None:
        if self._spool is None:
            return
        try:
            parcel.file = self._spool.put(emission)
        except (SpoolError, OSError) as exc:  # or what else a file system comes up with
            self._ledger.count("unspooled")
            self._ledger.warn(
                "no spool", f"runs wait in memory only, and are lost if the job dies: {exc}"
            )
        else:
            self._ledger.count("spooled")

    def _reject(self, emission: Emission, cause: str) -> None:
        if self.options.strict:
            raise RunEncodingError(cause)
        try:
            if self._spool is None:
                raise SpoolError("there is no spool")  # noqa: TRY301 - as one case
            self._spool.reject(emission, cause)
        except SpoolError as exc:
            self._ledger.lose("too large", f"{cause}; {exc}")
        else:
            self._ledger.count("rejected")
            self._ledger.warn("rejected", f"{emission.name} was rejected: {cause}")

    def _remember(self, emission: Emission) -> None:
        with self._lock:
            self._recorded[emission.pipeline, emission.run_id] = None
            if len(self._recorded) > REMEMBERED_RUNS:
                del self._recorded[next(iter(self._recorded))]

    def _require_delivery(self, parcel: Parcel, what: str) -> None:
        self._courier.wait(lambda: parcel.outcome is not None, STRICT_TIMEOUT_SECONDS)
        if parcel.outcome == "delivered":
            return
        servers = self.options.bootstrap_servers
        if parcel.outcome is not None:
            raise DeliveryError(f"{what} for {servers} was {parcel.outcome}")
        raise DeliveryError(
            f"{what} was not acknowledged by {servers} within "
            f"{STRICT_TIMEOUT_SECONDS:g} s: {self._courier.trouble or 'no answer'}"
        )


def _identity_of(record: RunRecord) -> tuple[str, str]:
    """Return the pipeline and the run of a record; no pipeline and the location of a declaration."""
    if is_declaration(record):
        return "", record[SOURCE_RISKS][0]["location"]
    run = record["runs"][0]
    return run["pipeline"], run["run_id"]
