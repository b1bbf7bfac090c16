"""A real broker with a listener for every way in: by password, by certificate, and wrong ones."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from conformare_sink.broker import _folder as _broker_folder
from conformare_sink.broker.broker import EmbeddedBroker
from conformare_sink.broker.ports import free_port
from conformare_sink.kafka.access import KafkaAccess
from support.servers.certificates import Authority

START_SECONDS = 120
USER = "sink"
AWKWARD = 'p"a\\s=s; w#rd'
"""A password that needs quoting in Java's login configuration, and in no other place."""

PROTOCOLS = {
    "PASSWORD": "SASL_SSL",
    "OPEN_PASSWORD": "SASL_PLAINTEXT",
    "CERTIFICATE": "SSL",
    "CERTIFICATE_12": "SSL",
    "TLS": "SSL",
    "EXPIRED": "SSL",
    "FUTURE": "SSL",
    "ELSEWHERE": "SSL",
    "STRANGER": "SSL",
    "ADRIFT": "PLAINTEXT",
}
"""Listener → its protocol.

From EXPIRED to STRANGER they have a certificate that nobody may accept; ADRIFT sends its clients on
to where nobody is."""
NOWHERE = "127.0.0.1:1"
_LOGIN = "org.apache.kafka.common.security.plain.PlainLoginModule required"


@dataclass(frozen=True)
class SecuredBroker:
    """A broker that is asked for its listeners."""

    ports: dict[str, int]
    authority: Authority
    stranger: Authority
    folder: Path

    def at(self, listener: str) -> str:
        """Return the address of a listener."""
        return f"127.0.0.1:{self.ports[listener]}"

    def settings(self, **settings: str | Path) -> Path:
        """Write settings to a file; underscores in their names stand for dots."""
        file = self.folder / "client.properties"
        lines = [f"{key.replace('_', '.')}={value}\n" for key, value in settings.items()]
        file.write_text("".join(lines), encoding="utf-8")
        return file

    def password(self, password: str = AWKWARD, user: str = USER) -> KafkaAccess:
        """How a user with a password gets in at PASSWORD."""
        file = self.settings(
            security_protocol="SASL_SSL",
            sasl_mechanism="PLAIN",
            sasl_username=user,
            sasl_password=password,
            ssl_ca_location=self.authority.file,
        )
        return KafkaAccess.read(file)

    def certificate(self) -> KafkaAccess:
        """How a client with a certificate gets in at CERTIFICATE."""
        certificate, key = self.authority.certify("client")
        file = self.settings(
            security_protocol="SSL",
            ssl_ca_location=self.authority.file,
            ssl_certificate_location=certificate,
            ssl_key_location=key,
        )
        return KafkaAccess.read(file)


@contextmanager
def secured_broker(folder: Path) -> Iterator[SecuredBroker]:
    """The embedded broker with all of `PROTOCOLS`."""
    authority = Authority(folder)
    (folder / "stranger").mkdir()
    stranger = Authority(folder / "stranger", "stranger")
    wrong = {
        "EXPIRED": authority.certify("expired", begins_in_days=-10, ends_in_days=-3),
        "FUTURE": authority.certify("future", begins_in_days=3, ends_in_days=10),
        "ELSEWHERE": authority.certify("elsewhere", host="kafka.example.org"),
        "STRANGER": stranger.certify("broker"),
    }
    right = authority.certify("broker")
    ports = {name: free_port() for name in ("PLAINTEXT", *PROTOCOLS)}
    listeners = "".join(f",{name}://{{host}}:{ports[name]}" for name in PROTOCOLS)
    names = "".join(f",{name}:{protocol}" for name, protocol in PROTOCOLS.items())
    template = _broker_folder._CONFIGURATION  # nothing public has more listeners
    template = template.replace(",CONTROLLER://", f"{listeners},CONTROLLER://")
    template = template.replace(
        "advertised.listeners=PLAINTEXT://{host}:{port}",
        f"advertised.listeners=PLAINTEXT://{{host}}:{{port}}{listeners}".replace(
            f"ADRIFT://{{host}}:{ports['ADRIFT']}", f"ADRIFT://{NOWHERE}"
        ),
    )
    template = template.replace("CONTROLLER:PLAINTEXT", f"CONTROLLER:PLAINTEXT{names}")
    template += f"ssl.keystore.type=PEM\nssl.truststore.type=PEM\nssl.truststore.location={authority.file}\n"
    for name in PROTOCOLS:
        certificate, key = wrong.get(name, right)
        both = folder / f"{name}.pem"
        both.write_bytes(key.read_bytes() + certificate.read_bytes())
        template += f"listener.name.{name.lower()}.ssl.keystore.location={both}\n"
    # As Java's login configuration quotes it, and that again as a file of properties does.
    quoted = AWKWARD.replace("\\", "\\\\").replace('"', '\\"').replace("\\", "\\\\")
    for name in ("password", "open_password"):
        template += f"listener.name.{name}.sasl.enabled.mechanisms=PLAIN\n"
        template += (
            f'listener.name.{name}.plain.sasl.jaas.config={_LOGIN} user_{USER}="{quoted}";\n'
        )
    for name in ("certificate", "certificate_12"):
        template += f"listener.name.{name}.ssl.client.auth=required\n"
    template += "listener.name.certificate_12.ssl.enabled.protocols=TLSv1.2\n"
    with _running(folder, template, ports["PLAINTEXT"]):
        yield SecuredBroker(ports, authority, stranger, folder)


@dataclass(frozen=True)
class GuardedBroker:
    """A broker that lets users do only what they were given; unauthenticated ones are its stewards."""

    unguarded: str
    guarded: str
    folder: Path

    def access(self, user: str) -> KafkaAccess:
        """How a user gets in at `guarded`."""
        file = self.folder / f"{user}.properties"
        file.write_text(
            "security.protocol=SASL_PLAINTEXT\nsasl.mechanism=PLAIN\n"
            f"sasl.username={user}\nsasl.password={user}-secret\n",
            encoding="utf-8",
        )
        return KafkaAccess.read(file)


@contextmanager
def guarded_broker(folder: Path, *users: str) -> Iterator[GuardedBroker]:
    """The embedded broker with Kafka's own authorizer, and users without any right."""
    ports = [free_port(), free_port()]
    listener = f",GUARDED://{{host}}:{ports[1]}"
    template = _broker_folder._CONFIGURATION
    template = template.replace(",CONTROLLER://", f"{listener},CONTROLLER://")
    template = template.replace(
        "advertised.listeners=PLAINTEXT://{host}:{port}",
        f"advertised.listeners=PLAINTEXT://{{host}}:{{port}}{listener}",
    )
    template = template.replace(
        "CONTROLLER:PLAINTEXT", "CONTROLLER:PLAINTEXT,GUARDED:SASL_PLAINTEXT"
    )
    known = " ".join(f'user_{user}="{user}-secret"' for user in users)
    template += f"""
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS
listener.name.guarded.sasl.enabled.mechanisms=PLAIN
listener.name.guarded.plain.sasl.jaas.config={_LOGIN} {known};
"""
    with _running(folder, template, ports[0]):
        yield GuardedBroker(f"127.0.0.1:{ports[0]}", f"127.0.0.1:{ports[1]}", folder)


@contextmanager
def _running(folder: Path, configuration: str, port: int) -> Iterator[None]:
    """The embedded broker, with what it is given at its start changed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_broker_folder, "_CONFIGURATION", configuration)
        broker = EmbeddedBroker(folder / "broker", port)
        broker.start(timeout_seconds=START_SECONDS)
    try:
        yield
    finally:
        broker.stop()
