"""Every error that the sink's side raises for a person to read.

The tree:

    SinkError
    ├── JavaNotFoundError             no Java, or one that Spark cannot run on
    ├── JarResolutionError            the jars could not be fetched
    ├── ClassArchiveError             Java made no archive of Spark's classes
    ├── SparkStartError               Spark's Java process ended before it was ready
    ├── PackError                     no archive of this environment could be made
    ├── KafkaSettingsError            what brokers want of their clients cannot be read
    ├── BrokerUnreachableError        no Kafka broker answers
    ├── BrokerRefusedError            a Kafka broker answers, and refuses
    ├── TopicCreationError            the cluster refused a topic
    ├── TopicsMissingError            the cluster does not have the topics
    ├── NoLakeError                   there is no lake to read
    ├── LakeRefusedError              the lake's folder holds something else, or its tables are elsewhere
    ├── LakeBusyError                 another process writes to the lake
    ├── StorageError                  the store of the lake refuses, or does not answer
    ├── DamagedError                  a file of this machine is not as the sink wrote it
    ├── CheckpointRefusedError        the checkpoint is something else's, or another lake's
    ├── TableReadError                a table of the lake could not be read
    ├── TableWriteError               a table of the lake could not be written
    │   └── TableAlteredError         somebody has altered it since it was opened
    ├── ViewError                     the views over a lake cannot be made
    ├── RetentionTooShortError        Delta keeps files for longer
    ├── ContinuityError               going on would leave something out that was never read
    ├── StreamFailedError             the streaming query ended with an error
    ├── EndpointError                 the metrics cannot be served where they should be
    ├── OutputError                   what a command prints cannot be written, mostly to a full disk
    └── BrokerError                   the embedded broker
        ├── BrokerAlreadyRunningError
        ├── BrokerNotRunningError
        ├── BrokerPortTakenError
        ├── BrokerDirectoryError      the folder holds something that is not a broker's
        └── BrokerStartError          it ended, or did not answer in time

A message is one line that says what is wrong and what to do; the command line prints it as it is.
"""

from __future__ import annotations

from pathlib import Path


class SinkError(Exception):
    """Root of the errors that are told in one line, without a traceback."""


class JavaNotFoundError(SinkError):
    """No Java was found, or one of a version that Spark does not support."""


class JarResolutionError(SinkError):
    """A jar set could not be fetched.

    Attributes:
        coordinates: What was asked for, as group:artifact:version.
        log_file: Where the resolver wrote what it did.
    """

    def __init__(self, coordinates: tuple[str, ...], log_file: Path, cause: str) -> None:
        self.coordinates = coordinates
        self.log_file = log_file
        super().__init__(
            f"could not fetch {', '.join(coordinates)}: {cause} (the whole story: {log_file})"
        )


class ClassArchiveError(SinkError):
    """No archive of Spark's classes could be made; Spark starts without it, only later.

    Attributes:
        place: The log of the attempt, or the folder in which there could be none.
    """

    def __init__(self, place: Path, cause: str) -> None:
        self.place = place
        super().__init__(f"no archive of Spark's classes was made: {cause} (look at {place})")


class SparkStartError(SinkError):
    """Spark's Java process ended before it was ready."""


class PackError(SinkError):
    """No archive of this environment could be made for Spark's executors."""

    def __init__(self, cause: str) -> None:
        super().__init__(f"the environment was not packed: {cause}")


class BrokerError(SinkError):
    """Root of the embedded broker's errors."""


class BrokerAlreadyRunningError(BrokerError):
    """A broker already runs on this folder.

    Attributes:
        directory: The folder.
        pid: The running broker's process, or None while it is being started.
        port: The port it listens on, or None while it is being started.
    """

    def __init__(self, directory: Path, pid: int | None, port: int | None) -> None:
        self.directory = directory
        self.pid = pid
        self.port = port
        who = "it is just being started" if pid is None else f"process {pid}, port {port}"
        super().__init__(f"a broker already runs on {directory} ({who})")


class BrokerNotRunningError(BrokerError):
    """No broker runs on this folder."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        super().__init__(f"no broker runs on {directory}")


class BrokerPortTakenError(BrokerError):
    """The port cannot be listened on, mostly because another program does."""

    def __init__(self, port: int, cause: str) -> None:
        self.port = port
        super().__init__(f"port {port} on 127.0.0.1 is not free ({cause}): choose another one")


class BrokerDirectoryError(BrokerError):
    """The folder cannot be a broker's."""


class BrokerStartError(BrokerError):
    """The broker ended while starting, or did not answer in time.

    Attributes:
        log_file: The broker's log.
    """

    def __init__(self, what: str, log_file: Path, last_line: str) -> None:
        self.log_file = log_file
        super().__init__(f"the broker {what}; {log_file} ends with: {last_line}")


class KafkaSettingsError(SinkError):
    """What the brokers want of their clients cannot be read, or is not consistent."""


class BrokerUnreachableError(SinkError):
    """No Kafka broker answered in time.

    Args:
        bootstrap_servers: The brokers to begin with.
        waited_seconds: How long an answer was waited for.
        named: Where those that do answer tell clients to go on, and where nobody does.
    """

    def __init__(self, bootstrap_servers: str, waited_seconds: float, named: str = "") -> None:
        told = f"no Kafka broker answers at {bootstrap_servers}"
        if named:
            told = (
                f"{bootstrap_servers} answers, but no broker at {named}, to where it sends clients "
                "(advertised.listeners)"
            )
        super().__init__(f"{told} (waited {waited_seconds:g} s)")


class BrokerRefusedError(SinkError):
    """A Kafka broker answered, and refused what was asked.

    Attributes:
        at_login: Whether it lets nobody in with these settings; else a user lacks a right.
    """

    def __init__(self, told: str, *, at_login: bool = False) -> None:
        self.at_login = at_login
        super().__init__(told)


class TopicCreationError(SinkError):
    """The cluster refused to create a topic."""


class TopicsMissingError(SinkError):
    """The cluster does not have the topics that are to be read."""


class NoLakeError(SinkError):
    """There is no lake to read."""


class LakeRefusedError(SinkError):
    """The lake's folder holds something that is not ours, or its tables are elsewhere."""


class StorageError(SinkError):
    """The store of the lake refuses, or does not answer; the message names the setting to change."""


class LakeBusyError(SinkError):
    """Another process writes to the lake."""


class CheckpointRefusedError(SinkError):
    """The checkpoint's folder holds something else, or belongs to another lake."""


class DamagedError(SinkError):
    """A file in which the sink keeps something on this machine is not as it was written.

    What was in it is read again; a person is told only where that comes to nothing.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        super().__init__(f"{file} is not as it was written: look at the disk, or delete the file")


class TableReadError(SinkError):
    """A table of the lake could not be read.

    Attributes:
        lake: The lake's folder.
        tables: The tables that were asked.
    """

    def __init__(self, lake: str, tables: str, cause: str) -> None:
        self.lake = lake
        self.tables = tables
        super().__init__(f"{lake}: the tables {tables} cannot be read: {cause}")


class TableWriteError(SinkError):
    """A table of the lake could not be written.

    Attributes:
        location: The table's folder.
    """

    def __init__(self, location: str, cause: str) -> None:
        self.location = location
        super().__init__(f"{location} cannot be written: {cause}")


class TableAlteredError(TableWriteError):
    """Somebody has altered a table since it was opened, and it takes no files any more.

    Attributes:
        location: The table's folder.
    """

    def __init__(self, location: str) -> None:
        super().__init__(
            location, "somebody has altered it meanwhile; start again, and what it wants is heeded"
        )


class ViewError(SinkError):
    """The views over a lake cannot be made."""


class RetentionTooShortError(SinkError):
    """Files were to be deleted earlier than Delta allows.

    Attributes:
        table: Name of the table.
        hours: The retention that was asked for.
    """

    def __init__(self, table: str, hours: int) -> None:
        self.table = table
        self.hours = hours
        super().__init__(
            f"a retention of {hours} h is shorter than Delta allows for the table {table!r}: choose a "
            "longer one, or change the table's property delta.deletedFileRetentionDuration"
        )


class ContinuityError(SinkError):
    """Going on would leave something out that was never read, and a person has to know.

    Attributes:
        found: What was found, such as "topic re-created".
        lost: Topic, partition, the first offset that is lost and the one after the last, which is
            None where nobody can know it.
        code: What `--accept-loss` takes to accept exactly this.
    """

    def __init__(
        self,
        told: str,
        found: tuple[str, ...],
        lost: tuple[tuple[str, int, int, int | None], ...],
        code: str,
    ) -> None:
        self.found = found
        self.lost = lost
        self.code = code
        super().__init__(told)


class StreamFailedError(SinkError):
    """The streaming query ended with an error."""


class EndpointError(SinkError):
    """The metrics endpoint cannot listen, mostly because another program does.

    Attributes:
        host: The address that was wanted.
        port: The port that was wanted.
    """

    def __init__(self, host: str, port: int, cause: str) -> None:
        self.host = host
        self.port = port
        super().__init__(
            f"cannot serve metrics on {host}, port {port} ({cause}): choose another "
            "--metrics-host or --metrics-port"
        )


class OutputError(SinkError):
    """What a command prints cannot be written, mostly because a disk is full."""

    def __init__(self, cause: str) -> None:
        super().__init__(f"the output cannot be written: {cause}")


def first_line(fault: BaseException) -> str:
    """Return what an error of Python, Spark or Java says, without its trace."""
    told = getattr(fault, "java_exception", fault)
    return (str(told).strip() or type(fault).__name__).splitlines()[0]
