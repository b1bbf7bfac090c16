"""The settings of users, for each way in: as a file for the sink, as a mapping for a job."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from conformare_sink.kafka.access import KafkaAccess
from support.kafka.cluster import MUTUAL, OAUTH, PLAIN, SCRAM, TLS, Cluster

WAYS: Mapping[str, str] = {
    "TLS": TLS,
    "MUTUAL": MUTUAL,
    "PLAIN": PLAIN,
    "SCRAM-SHA-256": SCRAM,
    "SCRAM-SHA-512": SCRAM,
    "OAUTHBEARER": OAUTH,
}
"""Way in → the listener that has it. By TLS alone, everybody is nobody."""


def client_settings(cluster: Cluster, way: str, user: str) -> dict[str, str]:
    """Return what a user needs to come in, by librdkafka's names.

    Args:
        cluster: Where to.
        way: One of `WAYS`.
        user: One that the cluster knows.
    """
    authority = str(cluster.authority.file)
    settings = {"security.protocol": "SSL", "ssl.ca.location": authority}
    if way == MUTUAL:
        certificate, key = cluster.authority.certify(f"{user}")
        settings |= {"ssl.certificate.location": str(certificate), "ssl.key.location": str(key)}
    if WAYS[way] in (PLAIN, SCRAM, OAUTH):
        settings |= {"security.protocol": "SASL_SSL", "sasl.mechanism": way}
    secret = cluster.passwords[user]
    if WAYS[way] in (PLAIN, SCRAM):
        settings |= {"sasl.username": user, "sasl.password": secret}
    if way == "OAUTHBEARER":
        settings |= {
            "sasl.oauthbearer.method": "oidc",
            "sasl.oauthbearer.token.endpoint.url": cluster.tokens.url,
            "sasl.oauthbearer.client.id": user,
            "sasl.oauthbearer.client.secret": secret,
            "https.ca.location": authority,
        }
    return settings


def settings_file(cluster: Cluster, name: str, settings: Mapping[str, str]) -> Path:
    """Write settings to a file of the cluster's folder, whole or not at all."""
    file = cluster.folder / f"{name}.properties"
    draft = file.with_suffix(".draft")
    draft.write_text("".join(f"{k}={v}\n" for k, v in settings.items()), encoding="utf-8")
    draft.replace(file)
    return file


def client_access(cluster: Cluster, way: str, user: str) -> KafkaAccess:
    """Return how a user comes in, read from a file as the sink reads it."""
    settings = client_settings(cluster, way, user)
    return KafkaAccess.read(settings_file(cluster, f"{user}-{way}", settings))
