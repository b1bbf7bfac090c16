"""Kafka brokers of any release, one or several, that ask who is there and keep to ACLs.

Each broker is a controller as well, as in the smallest cluster that survives the loss of one.
"""

from __future__ import annotations

import signal
import subprocess
import time
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._acl import AclBinding, AclBindingFilter
from confluent_kafka.admin._scram import (
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

from conformare_sink.broker._folder import java_options
from conformare_sink.broker.ports import free_port
from conformare_sink.spark.jars import resolve_jars
from conformare_sink.spark.java import find_java
from support.kafka.tokens import AUDIENCE, ISSUER, TokenEndpoint
from support.kafka.versions import TESTED, Kafka
from support.servers.certificates import ADDRESS, Authority

SECONDS = 120
HEAP = "320m"

OPEN, TLS, MUTUAL, PLAIN, SCRAM, OAUTH = "OPEN", "TLS", "MUTUAL", "PLAIN", "SCRAM", "OAUTH"
PROTOCOLS = {
    OPEN: "PLAINTEXT",
    TLS: "SSL",
    MUTUAL: "SSL",
    PLAIN: "SASL_SSL",
    SCRAM: "SASL_SSL",
    OAUTH: "SASL_SSL",
}
"""Listener → its protocol. Whoever comes by OPEN or TLS is nobody, and may do everything."""

REAUTHENTICATION_MS = 3000
"""How long a password counts that was shown once: a new one is asked for as soon as that."""

_SECURITY = "org.apache.kafka.common.security"


@dataclass
class Cluster:
    """Brokers that are asked for their listeners.

    Attributes:
        folder: Where their files are, and those of their clients.
        kafka: Their release.
        authority: Who has certified them.
        tokens: Whose tokens they accept.
        passwords: User → password.
    """

    folder: Path
    kafka: Kafka
    authority: Authority
    tokens: TokenEndpoint
    passwords: Mapping[str, str]
    brokers: list[Broker] = field(default_factory=list)

    def at(self, listener: str) -> str:
        """Return the addresses of a listener, of all brokers."""
        return ",".join(f"{ADDRESS}:{broker.ports[listener]}" for broker in self.brokers)

    @cached_property
    def admin(self) -> AdminClient:
        """A client that may do everything; answers that are under way end with it."""
        return AdminClient({"bootstrap.servers": self.at(OPEN), "log_level": 0})

    def allow(self, acls: Iterable[AclBinding]) -> None:
        """Give rights to users."""
        for given in self.admin.create_acls(list(acls)).values():
            given.result(SECONDS)

    def forbid(self, acl: AclBinding) -> None:
        """Take one right away."""
        which = AclBindingFilter(
            acl.restype,
            acl.name,
            acl.resource_pattern_type,
            acl.principal,
            acl.host,
            acl.operation,
            acl.permission_type,
        )
        (taken,) = self.admin.delete_acls([which]).values()
        assert len(taken.result(SECONDS)) == 1

    def set_password(self, user: str, password: str) -> None:
        """Give a user a password for SCRAM; the one from before counts no more."""
        for mechanism in _SCRAM_MECHANISMS:
            info = ScramCredentialInfo(ScramMechanism[mechanism], 4096)
            change = UserScramCredentialUpsertion(user, info, password.encode())
            (changed,) = self.admin.alter_user_scram_credentials([change]).values()
            changed.result(SECONDS)


_SCRAM_MECHANISMS = ("SCRAM_SHA_256", "SCRAM_SHA_512")


class Broker:
    """One broker of a cluster: its process, and its files, which outlive it."""

    def __init__(self, folder: Path, jars: tuple[Path, ...], options: Sequence[str]) -> None:
        self.ports = {name: free_port() for name in (*PROTOCOLS, "CONTROLLER")}
        self.folder = folder
        self._command = [str(find_java()), *java_options(jars, HEAP), *options]
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir()

    @property
    def configuration(self) -> Path:
        """The file of its settings."""
        return self.folder / "server.properties"

    def format(self, cluster_id: str) -> None:
        """Make an empty storage, for a cluster whose id may begin with a dash."""
        arguments = ["format", f"--cluster-id={cluster_id}", "--config", str(self.configuration)]
        done = subprocess.run(
            [*self._command, "kafka.tools.StorageTool", *arguments],
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def start(self) -> None:
        """Start it, and return at once."""
        with (self.folder / "broker.log").open("ab") as log:
            self._process = subprocess.Popen(
                [*self._command, "kafka.Kafka", str(self.configuration)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def kill(self) -> None:
        """End it at once, as a machine ends that loses its power."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it in order."""
        self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> None:
        if self._process is None:
            return
        self._process.send_signal(how)
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def log(self) -> str:
        """Return what it has logged."""
        return (self.folder / "broker.log").read_text(encoding="utf-8", errors="replace")


@contextmanager
def cluster(
    folder: Path,
    passwords: Mapping[str, str],
    *,
    brokers: int = 1,
    kafka: Kafka = TESTED,
) -> Iterator[Cluster]:
    """Brokers with every listener, without any topic or right.

    Args:
        folder: Where their files go.
        passwords: User → password, for every way to log in.
        brokers: How many.
        kafka: Their release.
    """
    authority = Authority(folder)
    with TokenEndpoint(authority, passwords).serving() as tokens:
        made = Cluster(folder, kafka, authority, tokens, passwords)
        allowed = f"-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls={tokens.keys_url}"
        jars = resolve_jars(kafka.jars)
        made.brokers += [Broker(folder / f"{n}", jars, [allowed]) for n in range(1, brokers + 1)]
        cluster_id = urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        for number, broker in enumerate(made.brokers, 1):
            broker.configuration.write_text(_configuration(made, broker, number), encoding="utf-8")
            broker.format(cluster_id)
        try:
            for broker in made.brokers:
                broker.start()
            await_brokers(made, brokers)
            if kafka.keeps_passwords:
                for user, password in passwords.items():
                    made.set_password(user, password)
            yield made
        finally:
            for broker in made.brokers:
                broker.kill()


def await_brokers(cluster: Cluster, number: int) -> None:
    """Wait until a cluster knows of so many brokers."""
    deadline = time.monotonic() + SECONDS
    admin = cluster.admin
    while time.monotonic() < deadline:
        if len(admin.list_topics(timeout=SECONDS).brokers) == number:
            return
        time.sleep(0.1)
    raise AssertionError(cluster.brokers[0].log()[-2000:])


def _configuration(cluster: Cluster, broker: Broker, number: int) -> str:
    replicas = len(cluster.brokers)
    both = broker.folder / "keystore.pem"
    certificate, key = cluster.authority.certify(f"broker-{number}")
    both.write_bytes(key.read_bytes() + certificate.read_bytes())
    ports = broker.ports
    listeners = ",".join(f"{name}://{ADDRESS}:{ports[name]}" for name in PROTOCOLS)
    voters = ",".join(
        f"{n}@{ADDRESS}:{other.ports['CONTROLLER']}" for n, other in enumerate(cluster.brokers, 1)
    )
    protocols = ",".join(f"{name}:{protocol}" for name, protocol in PROTOCOLS.items())
    settings = {
        "process.roles": "broker,controller",
        "node.id": number,
        "controller.quorum.voters": voters,
        "listeners": f"{listeners},CONTROLLER://{ADDRESS}:{ports['CONTROLLER']}",
        "advertised.listeners": listeners,
        "listener.security.protocol.map": f"{protocols},CONTROLLER:PLAINTEXT",
        "inter.broker.listener.name": OPEN,
        "controller.listener.names": "CONTROLLER",
        "log.dirs": broker.folder / "data",
        "auto.create.topics.enable": "false",
        "broker.session.timeout.ms": 3000,
        "broker.heartbeat.interval.ms": 500,
        "group.initial.rebalance.delay.ms": 0,
        "default.replication.factor": replicas,
        "min.insync.replicas": min(2, replicas),
        "offsets.topic.replication.factor": replicas,
        "offsets.topic.num.partitions": 3,
        "transaction.state.log.replication.factor": replicas,
        "transaction.state.log.min.isr": 1,
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": "User:ANONYMOUS",
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": both,
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": cluster.authority.file,
        # The user of a certificate is its common name.
        "ssl.principal.mapping.rules": "RULE:^CN=([^,]+).*$/$1/",
        **_ways_in(cluster),
    }
    return "".join(f"{name}={value}\n" for name, value in settings.items())


def _ways_in(cluster: Cluster) -> dict[str, str]:
    known = " ".join(f'user_{user}="{secret}"' for user, secret in cluster.passwords.items())
    # Releases before 4.0 have it in a package of its own.
    package = f"{_SECURITY}.oauthbearer{'.secured' if cluster.kafka.is_3 else ''}"
    plain, scram, oauth = (f"listener.name.{name.lower()}" for name in (PLAIN, SCRAM, OAUTH))
    ways = {
        f"listener.name.{MUTUAL.lower()}.ssl.client.auth": "required",
        f"{plain}.sasl.enabled.mechanisms": "PLAIN",
        f"{plain}.plain.sasl.jaas.config": f"{_SECURITY}.plain.PlainLoginModule required {known};",
        f"{oauth}.sasl.enabled.mechanisms": "OAUTHBEARER",
        f"{oauth}.oauthbearer.sasl.jaas.config": (
            f"{_SECURITY}.oauthbearer.OAuthBearerLoginModule required;"
        ),
        f"{oauth}.oauthbearer.sasl.server.callback.handler.class": (
            f"{package}.OAuthBearerValidatorCallbackHandler"
        ),
        "sasl.oauthbearer.jwks.endpoint.url": cluster.tokens.keys_url,
        "sasl.oauthbearer.expected.audience": AUDIENCE,
        "sasl.oauthbearer.expected.issuer": ISSUER,
        f"{scram}.sasl.enabled.mechanisms": "SCRAM-SHA-256,SCRAM-SHA-512",
        f"{scram}.connections.max.reauth.ms": str(REAUTHENTICATION_MS),
    }
    for name in ("scram-sha-256", "scram-sha-512"):
        ways[f"{scram}.{name}.sasl.jaas.config"] = f"{_SECURITY}.scram.ScramLoginModule required;"
    return ways
