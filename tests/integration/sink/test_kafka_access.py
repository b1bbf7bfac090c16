"""A broker that asks who is there: by password and by certificate, on a real one over TLS."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from confluent_kafka import Producer
from pyspark.sql import SparkSession
from support.certificates import Authority
from support.produce import messages_of
from support.records import make_record

from conformare_schemas import topic_name
from conformare_sink.broker import _folder as _broker_folder
from conformare_sink.broker.broker import EmbeddedBroker, free_port
from conformare_sink.errors import BrokerRefusedError
from conformare_sink.kafka.access import KafkaAccess
from conformare_sink.kafka.topics import Topics
from conformare_sink.landing.report import BatchReport
from conformare_sink.messages.emission import Decision
from conformare_sink.options import SinkOptions
from conformare_sink.stream.replay import Selection, replay
from conformare_sink.stream.stream import SinkStream

START_SECONDS = 120
PATIENCE_SECONDS = 3.0
AWKWARD = 'p"a\\s=s; w#rd'
"""A password that needs quoting in Java's login configuration, and in no other place."""


@dataclass(frozen=True)
class Secured:
    """A broker with two listeners that ask: one for a password, one for a certificate."""

    by_password: str
    by_certificate: str
    authority: Authority
    folder: Path

    def access(self, name: str, **settings: str) -> KafkaAccess:
        """Write settings to a file and read it."""
        file = self.folder / f"{name}.properties"
        settings["ssl_ca_location"] = str(self.authority.file)
        lines = [f"{key.replace('_', '.')}={value}\n" for key, value in settings.items()]
        file.write_text("".join(lines), encoding="utf-8")
        return KafkaAccess.read(file)

    def password(self, password: str = AWKWARD) -> KafkaAccess:
        """How a user with a password gets in."""
        return self.access(
            f"by password {len(password)}",
            security_protocol="SASL_SSL",
            sasl_mechanism="PLAIN",
            sasl_username="sink",
            sasl_password=password,
        )

    def certificate(self) -> KafkaAccess:
        """How a client with a certificate gets in."""
        certificate, key = self.authority.certify("client")
        return self.access(
            "by certificate",
            security_protocol="SSL",
            ssl_certificate_location=str(certificate),
            ssl_key_location=str(key),
        )


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    """The embedded broker, with what it is given at its start changed."""
    folder = tmp_path_factory.mktemp("secured")
    authority = Authority(folder)
    certificate, key = authority.certify("broker")
    both = folder / "broker-with-key.pem"
    both.write_bytes(key.read_bytes() + certificate.read_bytes())
    ports = {"PASSWORD": free_port(), "CERTIFICATE": free_port()}
    listeners = "".join(f",{name}://{{host}}:{port}" for name, port in ports.items())
    # As Java's login configuration quotes it, and that again as a file of properties does.
    quoted = AWKWARD.replace("\\", "\\\\").replace('"', '\\"').replace("\\", "\\\\")
    login = "org.apache.kafka.common.security.plain.PlainLoginModule required"
    template = _broker_folder._CONFIGURATION  # nothing public has more listeners
    template = template.replace(",CONTROLLER://", f"{listeners},CONTROLLER://")
    template = template.replace(
        "advertised.listeners=PLAINTEXT://{host}:{port}",
        f"advertised.listeners=PLAINTEXT://{{host}}:{{port}}{listeners}",
    )
    template = template.replace(
        "CONTROLLER:PLAINTEXT", "CONTROLLER:PLAINTEXT,PASSWORD:SASL_SSL,CERTIFICATE:SSL"
    )
    template += f"""
ssl.keystore.type=PEM
ssl.keystore.location={both}
ssl.truststore.type=PEM
ssl.truststore.location={authority.file}
listener.name.password.sasl.enabled.mechanisms=PLAIN
listener.name.password.plain.sasl.jaas.config={login} user_sink="{quoted}";
listener.name.certificate.ssl.client.auth=required
"""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_broker_folder, "_CONFIGURATION", template)
        broker = EmbeddedBroker(folder / "broker", free_port())
        broker.start(timeout_seconds=START_SECONDS)
    yield Secured(
        f"127.0.0.1:{ports['PASSWORD']}",
        f"127.0.0.1:{ports['CERTIFICATE']}",
        authority,
        folder,
    )
    broker.stop()


def landed(reports: list[BatchReport]) -> int:
    """How many runs landed, over all batches."""
    return sum(report.emissions[Decision.LAND] for report in reports)


@pytest.mark.parametrize("way", ["password", "certificate"])
def test_runs_land_from_a_broker_that_asks(
    spark: SparkSession,
    secured: Secured,
    lake: str,
    way: str,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Through librdkafka and Java both; then a replay; and the password is nowhere to be read."""
    caplog.set_level(logging.DEBUG)
    servers = secured.by_password if way == "password" else secured.by_certificate
    access: KafkaAccess = getattr(secured, way)()
    options = SinkOptions(
        bootstrap_servers=servers, access=access, lake=lake, topic_prefix=f"by-{way}."
    )
    Topics(servers, options.topic_prefix, access).create()
    config: dict[str, str] = {"bootstrap.servers": servers, **access.for_librdkafka()}
    producer = Producer(config)
    for message in messages_of(make_record("run-1"), "first"):
        topic = topic_name(message.grain, options.topic_prefix)
        producer.produce(topic, key=message.key, value=message.value)
    assert producer.flush(60) == 0

    reports: list[BatchReport] = []
    SinkStream(spark, options, reports.append).run_once()
    assert landed(reports) == 1
    again = replay(spark, options, Selection(), dry_run=True, on_batch=lambda _: None)
    assert (again.landed, again.repeated) == (0, 1)

    written = [path.read_bytes() for path in Path(lake).rglob("*") if path.is_file()]
    seen = [caplog.text, *capfd.readouterr(), repr(options)]
    assert not [text for text in seen if AWKWARD in text or 'p\\"a' in text]
    assert not [content for content in written if b'p"a' in content or b'p\\"a' in content]


def test_a_wrong_password_is_refused(secured: Secured) -> None:
    """A broker that lets nobody in does not let them in a moment later."""
    topics = Topics(secured.by_password, "wrong.", secured.password("wrong"))
    with pytest.raises(BrokerRefusedError, match=r"(?i)authentication") as error:
        topics.partitions(PATIENCE_SECONDS)
    assert "wrong." not in str(error.value)


def test_an_unknown_authority_is_refused(secured: Secured, tmp_path: Path) -> None:
    """Somebody else's broker, or somebody between."""
    stranger = Secured(secured.by_password, "", Authority(tmp_path), tmp_path)
    topics = Topics(secured.by_password, "wrong.", stranger.password())
    with pytest.raises(BrokerRefusedError, match=r"(?i)certificate"):
        topics.partitions(PATIENCE_SECONDS)
