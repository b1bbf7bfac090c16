"""A broker that asks who is there: by password and by certificate, on a real one over TLS."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
import typer
from confluent_kafka import Producer
from pyspark.sql import SparkSession
from support.messages.produce import messages_of
from support.messages.records import make_record
from support.servers.secured_broker import AWKWARD, NOWHERE, USER, SecuredBroker, secured_broker
from typer.testing import CliRunner

from conformare_schemas import topic_name
from conformare_sink.cli.sink import sink
from conformare_sink.errors import BrokerRefusedError, BrokerUnreachableError
from conformare_sink.kafka.access import KafkaAccess
from conformare_sink.kafka.diagnosis import diagnose
from conformare_sink.kafka.listener import addresses
from conformare_sink.kafka.topics import Topics
from conformare_sink.landing.report import BatchReport
from conformare_sink.messages.emission import Decision
from conformare_sink.options import SinkOptions
from conformare_sink.stream.replay import Selection, replay
from conformare_sink.stream.stream import SinkStream

PATIENCE_SECONDS = 1.0


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredBroker]:
    """A broker that asks."""
    with secured_broker(tmp_path_factory.mktemp("secured")) as broker:
        yield broker


def landed(reports: list[BatchReport]) -> int:
    """How many runs landed, over all batches."""
    return sum(report.emissions[Decision.LAND] for report in reports)


@pytest.mark.parametrize("way", ["password", "certificate"])
def test_runs_land_from_a_broker_that_asks(
    spark: SparkSession,
    secured: SecuredBroker,
    lake: str,
    way: str,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Through librdkafka and Java both; then a replay; and the password is nowhere to be read."""
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, "py4j")
    servers = secured.at(way.upper())
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
    assert "Command to send" in caplog.text  # what Java is told is in the log, but for secrets
    secrets = re.compile(rb'p\\*"a\\*s|BEGIN (ENCRYPTED )?PRIVATE KEY')
    everywhere = [*(text.encode() for text in seen), *written]
    assert not [found[0] for content in everywhere if (found := secrets.search(content))]


TLS = {"security_protocol": "SSL", "ssl_ca_location": "{folder}/authority.pem"}
LOGIN = {"sasl_mechanism": "PLAIN", "sasl_username": USER, "sasl_password": AWKWARD}
OLD = {"ssl_certificate_location": "{folder}/old.pem", "ssl_key_location": "{folder}/old.key"}
STRANGERS = {
    "ssl_certificate_location": "{folder}/stranger/strange.pem",
    "ssl_key_location": "{folder}/stranger/strange.key",
}
SASL_SSL = {**TLS, **LOGIN, "security_protocol": "SASL_SSL"}
SASL_PLAINTEXT = {**LOGIN, "security_protocol": "SASL_PLAINTEXT"}


@pytest.mark.parametrize(
    ("listener", "settings", "told"),
    [
        ("TLS", {}, "{at} speaks TLS: set security.protocol=SSL in {file}"),
        (
            "CERTIFICATE",
            {},
            (
                "{at} speaks TLS and wants its clients' certificates: set security.protocol=SSL, "
                "ssl.certificate.location, ssl.key.location in {file}"
            ),
        ),
        (
            "PASSWORD",
            {},
            (
                "{at} speaks TLS: set security.protocol=SASL_SSL, sasl.mechanism (it offers PLAIN), "
                "sasl.username, sasl.password in {file}"
            ),
        ),
        ("PASSWORD", SASL_PLAINTEXT, "{at} speaks TLS: set security.protocol=SASL_SSL in {file}"),
        (
            "OPEN_PASSWORD",
            {},
            (
                "{at} asks for a user's name and password: set security.protocol=SASL_PLAINTEXT, "
                "sasl.mechanism (it offers PLAIN), sasl.username, sasl.password in {file}"
            ),
        ),
        (
            "PASSWORD",
            TLS,
            (
                "{at} asks for a user's name and password: set security.protocol=SASL_SSL, "
                "sasl.mechanism (it offers PLAIN), sasl.username, sasl.password in {file}"
            ),
        ),
        ("TLS", SASL_SSL, "{at} asks for no password: set security.protocol=SSL in {file}"),
        (
            "PLAINTEXT",
            SASL_PLAINTEXT,
            "{at} asks for no password: set security.protocol=PLAINTEXT in {file}",
        ),
        ("PLAINTEXT", TLS, "{at} does not speak TLS: set security.protocol=PLAINTEXT in {file}"),
        (
            "OPEN_PASSWORD",
            SASL_SSL,
            "{at} does not speak TLS: set security.protocol=SASL_PLAINTEXT in {file}",
        ),
        (
            "OPEN_PASSWORD",
            {**SASL_PLAINTEXT, "sasl_mechanism": "SCRAM-SHA-512"},
            "{at} does not offer sasl.mechanism=SCRAM-SHA-512: set one of PLAIN in {file}",
        ),
        (
            "CERTIFICATE",
            TLS,
            (
                "{at} wants its clients' certificates: set ssl.certificate.location and "
                "ssl.key.location in {file}"
            ),
        ),
        (
            "CERTIFICATE_12",
            TLS,
            (
                "{at} wants its clients' certificates: set ssl.certificate.location and "
                "ssl.key.location in {file}"
            ),
        ),
        (
            "CERTIFICATE",
            {**TLS, **STRANGERS},
            (
                "{at} does not accept the certificate in {folder}/stranger/strange.pem "
                "(ssl.certificate.location): its truststore has to have the authority, "
                "commonName=stranger"
            ),
        ),
        (
            "CERTIFICATE_12",
            {**TLS, **OLD},
            (
                "the certificate in {folder}/old.pem (ssl.certificate.location) expired at *: renew "
                "it, or correct this machine's clock, which says *"
            ),
        ),
        (
            "EXPIRED",
            TLS,
            (
                "the certificate of {at} expired at *: renew it on the broker, or correct this "
                "machine's clock, which says *"
            ),
        ),
        (
            "FUTURE",
            TLS,
            (
                "the certificate of {at} is valid only from *: wait, or correct this machine's clock, "
                "which says *"
            ),
        ),
        (
            "ELSEWHERE",
            TLS,
            (
                "the certificate of {at} is for kafka.example.org, not for 127.0.0.1: name the broker "
                "as its certificate does, in --bootstrap-servers and, on the broker, in "
                "advertised.listeners"
            ),
        ),
        (
            "STRANGER",
            TLS,
            (
                "the certificate of {at} is signed by commonName=stranger, which is not in "
                "{folder}/authority.pem: add it to that file (ssl.ca.location)"
            ),
        ),
        (
            "TLS",
            {"security_protocol": "SSL"},
            (
                "the certificate of {at} is signed by commonName=authority, which this machine does "
                "not know: set ssl.ca.location in {file}"
            ),
        ),
    ],
)
def test_a_wrong_setting_is_named(
    secured: SecuredBroker, listener: str, settings: dict[str, str], told: str
) -> None:
    """In one line that says what to set."""
    secured.authority.certify("old", begins_in_days=-10, ends_in_days=-3)
    secured.stranger.certify("strange")
    folder = str(secured.folder)
    file = secured.settings(**{k: v.replace("{folder}", folder) for k, v in settings.items()})
    server = secured.at(listener)
    found = diagnose(addresses(server), KafkaAccess.read(file))
    assert re.sub(r"\d{4}-\d\d-\d\dT[\d:]+Z", "*", str(found)) == told.format(
        at=server, file=file, folder=folder
    )


@pytest.mark.parametrize(
    ("listener", "settings"),
    [("PLAINTEXT", {}), ("PASSWORD", SASL_SSL), ("TLS", TLS), ("OPEN_PASSWORD", SASL_PLAINTEXT)],
)
def test_right_settings_have_nothing_wrong(
    secured: SecuredBroker, listener: str, settings: dict[str, str]
) -> None:
    """Whoever gets no answer with these waits for the broker."""
    folder = str(secured.folder)
    file = secured.settings(**{k: v.replace("{folder}", folder) for k, v in settings.items()})
    assert diagnose(addresses(secured.at(listener)), KafkaAccess.read(file)) is None


@pytest.mark.parametrize(
    ("listener", "lines", "told"),
    [
        ("TLS", [], "error: {at} speaks TLS: set security.protocol=SSL in {file}"),
        (
            "OPEN_PASSWORD",
            [
                "security.protocol=SASL_PLAINTEXT",
                "sasl.mechanism=PLAIN",
                f"sasl.username={USER}",
                "sasl.password=wrong",
            ],
            (
                "error: {at} does not accept sasl.username and sasl.password (Authentication failed: "
                "Invalid username or password)"
            ),
        ),
    ],
)
def test_a_sink_that_is_refused_ends_with_one_line(
    secured: SecuredBroker, tmp_path: Path, listener: str, lines: list[str], told: str
) -> None:
    """And with exit code 1, before Java is started: what is wrong is no better a moment later."""
    file = tmp_path / "client.properties"
    file.write_text("\n".join(lines), encoding="utf-8")
    at = secured.at(listener)
    app = typer.Typer()
    app.command()(sink)
    arguments = ["--bootstrap-servers", at, "--lake", str(tmp_path), "--kafka-settings", str(file)]
    done = CliRunner().invoke(app, arguments)
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.splitlines() == [told.format(at=at, file=file)]


def test_a_server_of_http_is_no_broker() -> None:
    """Whichever protocol it is asked by."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        at = f"127.0.0.1:{server.server_port}"
        with pytest.raises(
            BrokerRefusedError, match=f"{at} is an HTTP server and not a Kafka broker"
        ):
            Topics(at, "wrong.").partitions(PATIENCE_SECONDS)
    finally:
        server.shutdown()
        server.server_close()


def test_a_broker_that_sends_clients_nowhere_is_told_apart_from_one_that_is_away(
    secured: SecuredBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is the commonest fault of a broker in a container; waited for, as it may be on its way."""
    monkeypatch.setattr("conformare_sink.kafka.cluster.ANSWER_SECONDS", PATIENCE_SECONDS)
    Topics(secured.at("PLAINTEXT"), "adrift.").create()
    at = secured.at("ADRIFT")
    told = f"{at} answers, but no broker at {NOWHERE}, to where it sends clients"
    with pytest.raises(BrokerUnreachableError, match=re.escape(told)):
        Topics(at, "adrift.").ends()
