"""What brokers want of their clients: read from a file, said in two dialects, never shown."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.servers.certificates import Authority

from conformare_sink.errors import KafkaSettingsError
from conformare_sink.kafka.access import ANYBODY, KafkaAccess
from conformare_sink.kafka.java_client import as_spark_options, java_settings

AWKWARD = 'p"a\\s=s #1'
"""A password with what one dialect or the other gives a meaning to."""


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    """A file as a hosted cluster's console gives it, with an authority of its own."""
    authority = Authority(tmp_path).file
    file = tmp_path / "client.properties"
    file.write_text(
        f"# Written by hand\nsecurity.protocol=SASL_SSL\n\nsasl.mechanisms=SCRAM-SHA-512\n"
        f"sasl.username = steward\nsasl.password={AWKWARD}\nssl.ca.location={authority}\n",
        encoding="utf-8",
    )
    return file


def test_librdkafka_gets_its_own_names(settings: Path, tmp_path: Path) -> None:
    """As they stand in the file, blanks around them away."""
    assert KafkaAccess.read(settings).for_librdkafka() == {
        "security.protocol": "SASL_SSL",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": "steward",
        "sasl.password": AWKWARD,
        "ssl.ca.location": str(tmp_path / "authority.pem"),
    }


def test_java_gets_the_same_by_its_names(settings: Path, tmp_path: Path) -> None:
    """The authority as its content: an executor elsewhere has no such file."""
    found = java_settings(KafkaAccess.read(settings))
    assert found == {
        "security.protocol": "SASL_SSL",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.jaas.config": (
            "org.apache.kafka.common.security.scram.ScramLoginModule required "
            'username="steward" password="p\\"a\\\\s=s #1";'
        ),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.certificates": (tmp_path / "authority.pem").read_text(encoding="utf-8"),
    }
    assert as_spark_options(found).keys() == {f"kafka.{name}" for name in found}


def test_a_cluster_that_asks_nobody_gets_nothing() -> None:
    """Spark's own defaults stay."""
    assert java_settings(ANYBODY) == {}
    assert ANYBODY.for_librdkafka() == {"security.protocol": "PLAINTEXT"}


def test_secrets_are_not_shown(settings: Path) -> None:
    """Neither by the settings nor by what holds them."""
    shown = repr(KafkaAccess.read(settings))
    assert AWKWARD not in shown
    assert "steward" not in shown


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("sasl.password", "line 1: it is not of the form name=value"),
        ("sasl.jaas.config=hunter2", "sasl.jaas.config cannot be set here"),
        ("security.protocol=hunter2", "security.protocol must be one of"),
        ("security.protocol=SASL_SSL\nsasl.password=hunter2", "sasl.mechanism must be one of"),
        (
            "security.protocol=SASL_SSL\nsasl.mechanism=PLAIN\nsasl.password=hunter2",
            "PLAIN needs sasl.username and sasl.password",
        ),
        ("ssl.key.location=hunter2", "belong together"),
        ("security.protocol=SSL\nssl.ca.location=/not/there", "/not/there cannot be read"),
    ],
)
def test_what_is_wrong_is_told_without_the_value(tmp_path: Path, content: str, told: str) -> None:
    """A user's mistake, in one line."""
    file = tmp_path / "client.properties"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(KafkaSettingsError, match=told) as error:
        KafkaAccess.read(file)
    assert "hunter2" not in str(error.value)
    assert "\n" not in str(error.value)


TOKENS = (
    "security.protocol=SASL_SSL\nsasl.mechanism=OAUTHBEARER\nsasl.oauthbearer.method=oidc\n"
    "sasl.oauthbearer.token.endpoint.url=https://id.example.org/token\n"
    "sasl.oauthbearer.client.id=steward\nsasl.oauthbearer.client.secret=hunter2\n"
    "sasl.oauthbearer.scope=kafka\nsasl.oauthbearer.extensions=logicalCluster=lkc-1\n"
)


def test_tokens_are_asked_for_by_both_clients(tmp_path: Path) -> None:
    """Java knows the authority of the endpoint as well; nothing shows a secret."""
    authority = Authority(tmp_path).file
    file = tmp_path / "client.properties"
    file.write_text(f"{TOKENS}https.ca.location={authority}\n", encoding="utf-8")
    access = KafkaAccess.read(file)
    assert access.for_librdkafka() == {
        "security.protocol": "SASL_SSL",
        "sasl.mechanism": "OAUTHBEARER",
        "sasl.oauthbearer.method": "oidc",
        "sasl.oauthbearer.token.endpoint.url": "https://id.example.org/token",
        "sasl.oauthbearer.client.id": "steward",
        "sasl.oauthbearer.client.secret": "hunter2",
        "sasl.oauthbearer.scope": "kafka",
        "sasl.oauthbearer.extensions": "logicalCluster=lkc-1",
        "https.ca.location": str(authority),
    }
    pem = authority.read_text(encoding="utf-8").replace("\n", "\\n")
    assert java_settings(access) == {
        "security.protocol": "SASL_SSL",
        "sasl.mechanism": "OAUTHBEARER",
        "sasl.login.callback.handler.class": (
            "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginCallbackHandler"
        ),
        "sasl.oauthbearer.token.endpoint.url": "https://id.example.org/token",
        "sasl.jaas.config": (
            "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required "
            'clientId="steward" clientSecret="hunter2" scope="kafka" '
            'extension_logicalCluster="lkc-1" ssl.truststore.type="PEM" '
            f'ssl.truststore.certificates="{pem}";'
        ),
    }
    assert "hunter2" not in repr(access)
    assert "hunter2" not in access.secrets_named


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("=oidc", "=default", "sasl.oauthbearer.method must be oidc"),
        ("https://", "file://", "must begin with https:// or http://"),
        ("//id.", "//me:hunter2@id.", "must hold no password: set sasl.oauthbearer.client.id and"),
        ("=logicalCluster=", "=", "must be name=value"),
        ("client.secret=hunter2", "scope=hunter2", "OAUTHBEARER needs sasl.oauthbearer.token"),
    ],
)
def test_what_is_wrong_with_tokens_is_told(
    tmp_path: Path, before: str, after: str, told: str
) -> None:
    """Without the value, as ever."""
    file = tmp_path / "client.properties"
    assert before in TOKENS
    file.write_text(TOKENS.replace(before, after), encoding="utf-8")
    with pytest.raises(KafkaSettingsError, match=told) as error:
        KafkaAccess.read(file)
    assert "hunter2" not in str(error.value)


def test_a_file_of_another_content_is_another_setting(tmp_path: Path) -> None:
    """Under the same name: nothing else would tell that a certificate was renewed."""
    file = tmp_path / "client.properties"
    file.write_text(
        f"security.protocol=SSL\nssl.ca.location={tmp_path / 'authority.pem'}\n", encoding="utf-8"
    )
    Authority(tmp_path)
    first = KafkaAccess.read(file)
    assert KafkaAccess.read(file) == first
    Authority(tmp_path)
    assert KafkaAccess.read(file) != first
