"""What the job's side raises for wrong use; delivery raises nothing unless asked to.

ConformareError
├── StoreConfigurationError (ValueError)   a writer or an option that does not exist or fit
├── StoreNotConfiguredError (RuntimeError) a run is recorded before a store was named
├── RunEncodingError        (ValueError)   a record that the contract cannot carry
├── SpoolError                             the spool's folder cannot be used
├── FleetError              (ValueError)   a question that a store of runs cannot answer
├── SpoolFileError          (ValueError)   a file of the spool is damaged, or none of ours
└── DeliveryError           (RuntimeError) only with strict=True: a run was not acknowledged

UpstreamRiskWarning (UserWarning) is no error: a location that is read carries recorded risks.
"""


class ConformareError(Exception):
    """Root of all errors that conformare raises on purpose in a job."""

    exit_code = 1
    """What a command ends with that raises it; the command line tells it in one line."""


class StoreConfigurationError(ConformareError, ValueError):
    """The writer or one of its options is unknown or invalid."""


class StoreNotConfiguredError(ConformareError, RuntimeError):
    """A run cannot be recorded, because no store is configured."""


class RunEncodingError(ConformareError, ValueError):
    """A record does not fit the contract, for example because one row exceeds the message limit."""


class SpoolError(ConformareError):
    """The spool's folder cannot be used. `record_run` continues without it."""


class SpoolFileError(ConformareError, ValueError):
    """A file of the spool is damaged, of a later release, or none of ours."""


class DeliveryError(ConformareError, RuntimeError):
    """With `strict=True`: Kafka did not acknowledge the run in time."""


class FleetError(ConformareError, ValueError):
    """A store of runs cannot be read, or has no answer to a question."""


class UpstreamRiskWarning(UserWarning):
    """Locations that the job reads carry risks, according to recorded runs or declarations."""
