"""librdkafka's producer settings: every one is ours, refused, bounded or free.

What is in none of these tables is not passed on: librdkafka also has settings that it does not list.
A test compares the tables with what the installed librdkafka knows.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import NamedTuple

NEEDED = "it is needed for the delivery"

OURS: Mapping[str, str] = {
    "bootstrap.servers": "set bootstrap_servers",
    "metadata.broker.list": "set bootstrap_servers",
    "message.max.bytes": "set max_message_bytes",
    "delivery.report.only.error": NEEDED,
    "dr_cb": NEEDED,
    "dr_msg_cb": NEEDED,
    "error_cb": NEEDED,
    "log.queue": NEEDED,
    "log_cb": NEEDED,
    "logger": NEEDED,
    "on_delivery": NEEDED,
}
"""What we set ourselves, and what to set in place of it."""

_NO_TRANSACTION = "no transaction is ever begun, so no run would be sent"
_PLUGIN = "a plugin can alter or drop what is sent"
_HOLDS_UP = "a function of the job's would run on the thread that sends, and can stop it"
_OLD_BROKER = "a broker that old takes no idempotent producer, so no run would be sent"
_DIRECTLY = "give its settings directly"
_NOT_IN_PYTHON = "Python cannot set it"

REFUSED: Mapping[str, str] = {
    "api.version.fallback.ms": _OLD_BROKER,
    "background_event_cb": _HOLDS_UP,
    "broker.version.fallback": _OLD_BROKER,
    "closesocket_cb": _NOT_IN_PYTHON,
    "connect_cb": _NOT_IN_PYTHON,
    "default.topic.config": _DIRECTLY,
    "default_topic_conf": _DIRECTLY,
    "enabled_events": "refusals would come as events that nobody reads, and count as deliveries",
    "interceptors": _PLUGIN,
    "internal.termination.signal": "it takes a signal away from the job",
    "msg_order_cmp": _NOT_IN_PYTHON,
    "oauthbearer_token_refresh_cb": "set oauth_cb",
    "opaque": _NOT_IN_PYTHON,
    "open_cb": _NOT_IN_PYTHON,
    "partitioner_cb": _NOT_IN_PYTHON,
    "plugin.library.paths": _PLUGIN,
    "resolve_cb": _NOT_IN_PYTHON,
    "socket_cb": _NOT_IN_PYTHON,
    "ssl.certificate.verify_cb": _NOT_IN_PYTHON,
    "ssl_ca": "set ssl.ca.location or ssl.ca.pem",
    "ssl_certificate": "set ssl.certificate.location or ssl.certificate.pem",
    "ssl_engine_callback_data": _NOT_IN_PYTHON,
    "ssl_key": "set ssl.key.location or ssl.key.pem",
    "stats_cb": _HOLDS_UP,
    "throttle_cb": _HOLDS_UP,
    "topic.blacklist": "the topics that it hides would get no run",
    "transaction.timeout.ms": _NO_TRANSACTION,
    "transactional.id": _NO_TRANSACTION,
}
"""What cannot be set at all, and why."""


class Bound(NamedTuple):
    """What a setting may be.

    Attributes:
        values: All of it, as a pattern; librdkafka reads `0x0` and `00` as 0, so nothing else is.
        must: The same in words.
        why: What would happen otherwise.
    """

    values: re.Pattern[str]
    must: str
    why: str


def _bound(values: str, must: str, why: str) -> Bound:
    return Bound(re.compile(values, re.IGNORECASE | re.ASCII), must, why)


# librdkafka cuts a larger one down to 32 bits, and takes what is left of it.
_POSITIVE = "[1-9][0-9]{0,8}|1[0-9]{9}|2147483647"

_ALL_REPLICAS = _bound(
    "all|-1", "all", "a run that counts as delivered could be lost with the broker that took it"
)
_SOME_RETRIES = _bound(_POSITIVE, "1 to 2147483647", "one short fault would fail a message")
_NO_TIMEOUT = _bound("0", "0", "a run waits for its broker for as long as that takes")
_IDEMPOTENCE = "the idempotent producer needs it"
_FEW_IN_FLIGHT = _bound("[1-5]", "1 to 5", _IDEMPOTENCE)

BOUNDED: Mapping[str, Bound] = {
    "acks": _ALL_REPLICAS,
    "request.required.acks": _ALL_REPLICAS,
    "api.version.request": _bound("true|t|1", "true", _OLD_BROKER),
    "delivery.timeout.ms": _NO_TIMEOUT,
    "message.timeout.ms": _NO_TIMEOUT,
    "enable.gapless.guarantee": _bound(
        "false|f|0", "false", "each message that is taken back to be sent again would stop the rest"
    ),
    "enable.idempotence": _bound(
        "true|t|1", "true", "retries could land twice, in another order, and some get lost"
    ),
    "max.in.flight": _FEW_IN_FLIGHT,
    "max.in.flight.requests.per.connection": _FEW_IN_FLIGHT,
    "message.send.max.retries": _SOME_RETRIES,
    "retries": _SOME_RETRIES,
    "partitioner": _bound(
        "consistent|consistent_random|murmur2|murmur2_random|fnv1a|fnv1a_random",
        "one that goes by the key",
        "all messages of a run go to one partition of each topic",
    ),
    "queue.buffering.backpressure.threshold": _bound("1", "1", _IDEMPOTENCE),
    "queue.buffering.max.kbytes": _bound(
        _POSITIVE, "a number that holds max_message_bytes", "larger messages would be rejected"
    ),
    "queuing.strategy": _bound("fifo", "fifo", "the last message of a run would be sent first"),
}
"""What can only be set to what keeps runs safe."""

QUEUE_KBYTES = "queue.buffering.max.kbytes"
"""Bounded by another option of ours as well: a message that does not fit an empty queue is rejected."""

FREE = frozenset(
    [
        "allow.auto.create.topics",
        "api.version.request.timeout.ms",
        "batch.num.messages",
        "batch.size",
        "broker.address.family",
        "broker.address.ttl",
        "builtin.features",
        "client.dns.lookup",
        "client.id",
        "client.rack",
        "compression.codec",
        "compression.level",
        "compression.type",
        "connections.max.idle.ms",
        "debug",
        "enable.metrics.push",
        "enable.random.seed",
        "enable.sasl.oauthbearer.unsecure.jwt",
        "enable.ssl.certificate.verification",
        "https.ca.location",
        "https.ca.pem",
        "linger.ms",
        "log.connection.close",
        "log.thread.name",
        "log_level",
        "message.copy.max.bytes",
        "metadata.max.age.ms",
        "metadata.recovery.rebootstrap.trigger.ms",
        "metadata.recovery.strategy",
        "oauth_cb",
        "produce.offset.report",
        "queue.buffering.max.messages",
        "queue.buffering.max.ms",
        "receive.message.max.bytes",
        "reconnect.backoff.jitter.ms",
        "reconnect.backoff.max.ms",
        "reconnect.backoff.ms",
        "request.timeout.ms",
        "retry.backoff.max.ms",
        "retry.backoff.ms",
        "sasl.kerberos.keytab",
        "sasl.kerberos.kinit.cmd",
        "sasl.kerberos.min.time.before.relogin",
        "sasl.kerberos.principal",
        "sasl.kerberos.service.name",
        "sasl.mechanism",
        "sasl.mechanisms",
        "sasl.oauthbearer.assertion.algorithm",
        "sasl.oauthbearer.assertion.claim.aud",
        "sasl.oauthbearer.assertion.claim.exp.seconds",
        "sasl.oauthbearer.assertion.claim.iss",
        "sasl.oauthbearer.assertion.claim.jti.include",
        "sasl.oauthbearer.assertion.claim.nbf.seconds",
        "sasl.oauthbearer.assertion.claim.sub",
        "sasl.oauthbearer.assertion.file",
        "sasl.oauthbearer.assertion.jwt.template.file",
        "sasl.oauthbearer.assertion.private.key.file",
        "sasl.oauthbearer.assertion.private.key.passphrase",
        "sasl.oauthbearer.assertion.private.key.pem",
        "sasl.oauthbearer.client.credentials.client.id",
        "sasl.oauthbearer.client.credentials.client.secret",
        "sasl.oauthbearer.client.id",
        "sasl.oauthbearer.client.secret",
        "sasl.oauthbearer.config",
        "sasl.oauthbearer.extensions",
        "sasl.oauthbearer.grant.type",
        "sasl.oauthbearer.metadata.authentication.type",
        "sasl.oauthbearer.method",
        "sasl.oauthbearer.scope",
        "sasl.oauthbearer.sub.claim.name",
        "sasl.oauthbearer.token.endpoint.url",
        "sasl.password",
        "sasl.username",
        "security.protocol",
        "socket.blocking.max.ms",
        "socket.connection.setup.timeout.ms",
        "socket.keepalive.enable",
        "socket.max.fails",
        "socket.nagle.disable",
        "socket.receive.buffer.bytes",
        "socket.send.buffer.bytes",
        "socket.timeout.ms",
        "ssl.ca.certificate.stores",
        "ssl.ca.location",
        "ssl.ca.pem",
        "ssl.certificate.location",
        "ssl.certificate.pem",
        "ssl.cipher.suites",
        "ssl.crl.location",
        "ssl.curves.list",
        "ssl.endpoint.identification.algorithm",
        "ssl.engine.id",
        "ssl.engine.location",
        "ssl.key.location",
        "ssl.key.password",
        "ssl.key.pem",
        "ssl.keystore.location",
        "ssl.keystore.password",
        "ssl.providers",
        "ssl.sigalgs.list",
        "statistics.interval.ms",
        "sticky.partitioning.linger.ms",
        "topic.metadata.propagation.max.ms",
        "topic.metadata.refresh.fast.cnt",
        "topic.metadata.refresh.fast.interval.ms",
        "topic.metadata.refresh.interval.ms",
        "topic.metadata.refresh.sparse",
    ]
)
"""How brokers are found and logged in to, how soon and in which batches is sent: all is allowed."""

FOR_TESTS = frozenset({"test.mock.num.brokers", "test.mock.broker.rtt"})
"""A broker within the process, of librdkafka's own: what it takes is on no topic."""

_KNOWN = FREE | FOR_TESTS | OURS.keys() | REFUSED.keys() | BOUNDED.keys()


def why_refused(name: str, text: str) -> str | None:
    """Return why a setting cannot be passed on, None if it can; its value is not quoted.

    Args:
        name: What it is called; not quoted either where it is unknown, for it may be a secret.
        text: Its value, as librdkafka gets it.
    """
    if name in OURS:
        return f"{name} cannot be passed through: {OURS[name]}"
    if name in REFUSED:
        return f"{name} cannot be set: {REFUSED[name]}"
    if name in BOUNDED and not BOUNDED[name].values.fullmatch(text):
        return f"{name} must be {BOUNDED[name].must}: {BOUNDED[name].why}"
    if name not in _KNOWN:
        meant = get_close_matches(name, _KNOWN, n=1)
        hint = f"; did you mean {meant[0]}?" if meant else ""
        return f"No such configuration property of a producer: one of the names{hint}"
    return None
