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
    """Root of everything that the job's side raises on purpose."""

    exit_code = 1
    """What a command ends with that raises it; the command line tells it in one line."""


class StoreConfigurationError(ConformareError, ValueError):
    """The store's writer or one of its options does not exist or does not fit."""


class StoreNotConfiguredError(ConformareError, RuntimeError):
    """A run was to be recorded, but nobody said where to."""


class RunEncodingError(ConformareError, ValueError):
    """A record cannot be carried by the contract, such as one row beyond the message limit."""


class SpoolError(ConformareError):
    """The spool's folder cannot be used; `record_run` goes on without it."""


class SpoolFileError(ConformareError, ValueError):
    """A file of the spool is damaged, of a later release, or none of ours."""


class DeliveryError(ConformareError, RuntimeError):
    """With `strict=True`: the run was not acknowledged in time."""


class FleetError(ConformareError, ValueError):
    """A store of runs cannot be read, or has no answer to a question."""


class UpstreamRiskWarning(UserWarning):
    """Locations that are read carry risks, as recorded runs or declarations say."""
