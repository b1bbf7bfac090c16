"""The files of TLS: what is wrong with one is said when they are read, and by the setting's name."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from support.servers.certificates import Authority

from conformare_sink.errors import KafkaSettingsError
from conformare_sink.kafka.access import KafkaAccess
from conformare_sink.kafka.tls import ClientFiles

PASSWORD = "hunter2"  # noqa: S105 - of a test


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Files of one client, of another, and of one whose key is encrypted."""
    authority = Authority(tmp_path)
    for name in ("own", "other"):
        authority.certify(name)
    authority.certify("locked", password=PASSWORD)
    key = serialization.load_pem_private_key((tmp_path / "own.key").read_bytes(), None)
    (tmp_path / "openssl.key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )
    )
    lines = (tmp_path / "own.pem").read_text(encoding="utf-8").splitlines(keepends=True)
    (tmp_path / "cut.pem").write_text("".join([*lines[:3], lines[-1]]), encoding="utf-8")
    lines = (tmp_path / "own.key").read_text(encoding="utf-8").splitlines(keepends=True)
    (tmp_path / "cut.key").write_text("".join([*lines[:2], lines[-1]]), encoding="utf-8")
    (tmp_path / "binary.pem").write_bytes(b"\x30\x82\xff")
    return tmp_path


def files(folder: Path, ca: str, certificate: str, key: str, password: str | None) -> ClientFiles:
    """Files of that folder."""
    return ClientFiles(folder / ca, folder / certificate, folder / key, password)


@pytest.mark.parametrize(
    ("certificate", "key", "password"),
    [("own.pem", "own.key", None), ("locked.pem", "locked.key", PASSWORD)],
)
def test_files_that_fit_are_taken(
    folder: Path, certificate: str, key: str, password: str | None
) -> None:
    """Whether their key is encrypted or not; and what the certificate says can be told."""
    client = files(folder, "authority.pem", certificate, key, password)
    client.context()
    shown = client.shown()
    assert (shown.issuer, shown.names) == ("commonName=authority", ("127.0.0.1",))


@pytest.mark.parametrize(
    ("ca", "certificate", "key", "password", "told"),
    [
        (
            "own.key",
            "own.pem",
            "own.key",
            None,
            "own.key (ssl.ca.location) has no certificate in PEM, but a key: were two files swapped?",
        ),
        ("cut.pem", "own.pem", "own.key", None, "cut.pem (ssl.ca.location) is damaged"),
        ("binary.pem", "own.pem", "own.key", None, "binary.pem cannot be read: it is not a text"),
        ("none.pem", "own.pem", "own.key", None, "none.pem cannot be read: No such file"),
        (
            "authority.pem",
            "own.key",
            "own.pem",
            None,
            (
                "own.key (ssl.certificate.location) has no certificate in PEM, but a key: were two "
                "files swapped?"
            ),
        ),
        (
            "authority.pem",
            "own.pem",
            "own.pem",
            None,
            (
                "own.pem (ssl.key.location) has no key in PEM, but a certificate: were two files "
                "swapped?"
            ),
        ),
        (
            "authority.pem",
            "own.pem",
            "other.key",
            None,
            (
                "other.key (ssl.key.location) is not the key of {folder}/own.pem "
                "(ssl.certificate.location)"
            ),
        ),
        (
            "authority.pem",
            "locked.pem",
            "locked.key",
            None,
            "locked.key (ssl.key.location) is encrypted: set ssl.key.password",
        ),
        (
            "authority.pem",
            "locked.pem",
            "locked.key",
            "wrong",
            "locked.key (ssl.key.location) cannot be decrypted: ssl.key.password is another one",
        ),
        (
            "authority.pem",
            "own.pem",
            "own.key",
            PASSWORD,
            "own.key (ssl.key.location) is not encrypted: remove ssl.key.password",
        ),
        (
            "authority.pem",
            "own.pem",
            "openssl.key",
            None,
            (
                "openssl.key (ssl.key.location) is not in PKCS #8, the form that Java reads: convert "
                "it with `openssl pkcs8 -topk8 -in {folder}/openssl.key -out …`"
            ),
        ),
        (
            "authority.pem",
            "own.pem",
            "cut.key",
            None,
            "cut.key (ssl.key.location) or {folder}/own.pem (ssl.certificate.location) is damaged",
        ),
        (
            "authority.pem",
            "cut.pem",
            "own.key",
            None,
            "own.key (ssl.key.location) or {folder}/cut.pem (ssl.certificate.location) is damaged",
        ),
    ],
)
def test_what_is_wrong_with_a_file_is_told(
    folder: Path, ca: str, certificate: str, key: str, password: str | None, told: str
) -> None:
    """In one line, before anybody is asked anything."""
    with pytest.raises(KafkaSettingsError) as error:
        files(folder, ca, certificate, key, password).context()
    line = str(error.value)
    assert line.startswith(f"{folder}/{told.format(folder=folder)}")
    assert "\n" not in line
    assert PASSWORD not in line


def test_the_files_are_looked_at_when_the_settings_are_read(folder: Path) -> None:
    """Where TLS is spoken; who does not speak it may have settings that are for later."""
    settings = folder / "client.properties"
    line = f"ssl.ca.location={folder}/own.key"
    settings.write_text(f"security.protocol=SSL\n{line}", encoding="utf-8")
    with pytest.raises(KafkaSettingsError, match="has no certificate"):
        KafkaAccess.read(settings)
    settings.write_text(line, encoding="utf-8")
    KafkaAccess.read(settings)
