"""An authority, and what it has certified: for brokers and clients that know each other by it."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DAY = timedelta(days=1)
ADDRESS = "127.0.0.1"


class Authority:
    """A certificate authority of a test's own.

    Args:
        folder: Where certificates and keys are written, as PEM files.
        name: Its name.
    """

    def __init__(self, folder: Path, name: str = "authority") -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name(name)
        certificate = self._certificate(self._name, self._key.public_key(), authority=True)
        self.file = folder / "authority.pem"
        """Its own certificate."""
        self.file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))

    def certify(
        self,
        name: str,
        *,
        host: str = ADDRESS,
        begins_in_days: int = -1,
        ends_in_days: int = 1,
        password: str | None = None,
    ) -> tuple[Path, Path]:
        """Return the files of a certificate and of its key, in PKCS #8.

        Args:
            name: Its subject, and the beginning of the files' names.
            host: The name or the address that it is for.
            begins_in_days: When it becomes valid.
            ends_in_days: When it is no longer valid.
            password: What the key is encrypted with; None for not at all.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._certificate(
            _name(name),
            key.public_key(),
            authority=False,
            host=host,
            days=(begins_in_days, ends_in_days),
        )
        encryption: serialization.KeySerializationEncryption = serialization.NoEncryption()
        if password is not None:
            encryption = serialization.BestAvailableEncryption(password.encode())
        files = self._folder / f"{name}.pem", self._folder / f"{name}.key"
        files[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        files[1].write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption
            )
        )
        return files

    def _certificate(
        self,
        name: x509.Name,
        key: ec.EllipticCurvePublicKey,
        *,
        authority: bool,
        host: str = ADDRESS,
        days: Sequence[int] = (-1, 1),
    ) -> x509.Certificate:
        now = datetime.now(timezone.utc)
        begin, end = (now + number * DAY for number in days)
        return (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(begin)
            .not_valid_after(end)
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([_host(host)]), critical=False)
            .sign(self._key, hashes.SHA256())
        )


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
