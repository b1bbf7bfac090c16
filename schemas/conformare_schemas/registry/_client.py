"""Confluent's API of a Schema Registry: the few calls that we need, each of bounded time and size."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote, urlsplit

from conformare_schemas._framing import LARGEST_SCHEMA_ID
from conformare_schemas.registry._errors import (
    RegistryError,
    RegistryRefusedError,
    RegistryUnreachableError,
)
from conformare_schemas.registry._time_limit import TimeLimit

if TYPE_CHECKING:
    from conformare_schemas.registry._access import RegistryAccess

CONNECT_SECONDS = 3.0
READ_SECONDS = 5.0
"""How long the next byte may take; `doctor` ends every look after ten seconds."""
ANSWER_SECONDS = 30.0
"""How long all of an answer may take."""
MOST_BYTES = 2**22
MOST_VERSIONS = 50
"""Of a subject: the newest are looked at."""

_JSON = "application/vnd.schemaregistry.v1+json"
_AVRO = "AVRO"
_NOT_THERE = range(40400, 40500)
"""What a registry says of a subject, a version or an id that it lacks; of a path it says 404."""
_READ_ONLY = 42205


class Registered(NamedTuple):
    """A schema of a subject."""

    schema_id: int
    text: str
    """Empty where it is no Avro schema by itself."""


class RegistryClient:
    """A Schema Registry; to be used by one thread.

    Args:
        access: Where it is, and how to log in.

    Raises:
        RegistrySettingsError: A file of TLS cannot be used.
        RegistryError: What is needed is not installed.
    """

    def __init__(self, access: RegistryAccess) -> None:
        try:
            import urllib3
        except ModuleNotFoundError:
            raise RegistryError(
                'a schema registry needs urllib3: pip install "conformare-stream[registry]"'
            ) from None
        self._url = access.url
        self._headers = {"Accept": f"{_JSON}, application/json", "Content-Type": _JSON}
        if (authorization := access.authorization()) is not None:
            self._headers["Authorization"] = authorization
        secure: dict[str, Any] = {}
        if access.url.startswith("https:"):
            secure["ssl_context"] = access.tls()
        self._faults = (urllib3.exceptions.HTTPError, OSError, ValueError)
        self._timeouts = (urllib3.exceptions.TimeoutError, TimeoutError)
        self._insecure = urllib3.exceptions.SSLError
        self._refusals = (urllib3.exceptions.NewConnectionError, ConnectionError)
        self._limit = TimeLimit(READ_SECONDS)
        self._path = urlsplit(access.url).path
        self._pool = urllib3.connection_from_url(
            access.url,
            retries=False,
            timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS),
            maxsize=1,
            **secure,
        )
        self._pool.ConnectionCls = self._limit.held_by(self._pool.ConnectionCls)

    def close(self) -> None:
        """Close its connection."""
        self._pool.close()

    def versions(self, subject: str) -> list[Registered]:
        """Return the schemas of a subject, oldest first; none where it does not exist.

        Raises:
            RegistryError: The registry does not answer, or refuses.
        """
        path = f"/subjects/{quote(subject, safe='')}/versions"
        numbers = self._ask("GET", path)
        if numbers is None:
            return []
        if not isinstance(numbers, list) or not all(type(one) is int for one in numbers):
            raise self._strange()
        found = []
        for number in sorted(numbers)[-MOST_VERSIONS:]:
            one = self._ask("GET", f"{path}/{number}")
            if one is not None:
                found.append(Registered(self._id(one), self._text(one)))
        return found

    def schema(self, schema_id: int) -> str | None:
        """Return the text of the schema that has an id; None where none has it.

        Args:
            schema_id: From 0 to `LARGEST_SCHEMA_ID`.

        Returns:
            An empty text where it is no Avro schema by itself.

        Raises:
            RegistryError: The registry does not answer, or refuses.
        """
        found = self._ask("GET", f"/schemas/ids/{schema_id:d}")
        return None if found is None else self._text(found)

    def register(self, subject: str, text: str) -> int:
        """Add a schema to a subject, and return its id; one that is there keeps its own.

        Raises:
            RegistryError: The registry does not answer, or refuses.
        """
        path = f"/subjects/{quote(subject, safe='')}/versions"
        try:
            found = self._ask("POST", path, {"schema": text})
        except RegistryRefusedError as exc:
            if exc.status != HTTPStatus.CONFLICT:
                raise
            told = f"{self._url}: {subject} holds something that the schema does not go with"
            raise RegistryRefusedError(told, exc.status) from exc
        if found is None:
            raise self._strange()
        return self._id(found)

    def is_compatible(self, subject: str, text: str) -> bool:
        """Return whether a subject would take a schema.

        Raises:
            RegistryError: The registry does not answer, or refuses.
        """
        path = f"/compatibility/subjects/{quote(subject, safe='')}/versions/latest"
        found = self._ask("POST", path, {"schema": text})
        if found is None:
            return True  # there is no version yet
        if not isinstance(found, dict) or not isinstance(found.get("is_compatible"), bool):
            raise self._strange()
        return bool(found["is_compatible"])

    def _ask(self, method: str, path: str, body: Mapping[str, str] | None = None) -> Any:
        """Return what the registry answers; None where it does not know what was asked for."""
        try:
            status, content = self._request(method, path, body)
        except self._refusals as exc:  # before the next: to urllib3, they are time-outs
            raise RegistryUnreachableError(f"nobody answers at {self._url}") from exc
        except self._timeouts as exc:
            raise RegistryUnreachableError(f"{self._url} does not answer in time") from exc
        except self._insecure as exc:
            raise RegistryUnreachableError(
                f"{self._url} does not answer by TLS: look at ssl.ca.location and "
                "ssl.certificate.location"
            ) from exc
        except self._faults as exc:
            cause = type(exc).__name__
            raise RegistryUnreachableError(f"{self._url} does not answer ({cause})") from exc
        try:
            answer = json.loads(content)
        except (ValueError, RecursionError):
            answer = None
        code = answer.get("error_code") if isinstance(answer, dict) else None
        if status == HTTPStatus.NOT_FOUND and code in _NOT_THERE:
            return None
        if status != HTTPStatus.OK:
            raise self._refused(status, code)
        if answer is None:
            raise self._strange()
        return answer

    def _request(self, method: str, path: str, body: Mapping[str, str] | None) -> tuple[int, bytes]:
        self._limit.begin(ANSWER_SECONDS)
        response = self._pool.request(
            method,
            f"{self._path}{path}",
            body=None if body is None else json.dumps(body).encode(),
            headers=self._headers,
            redirect=False,
            preload_content=False,
            decode_content=False,  # nothing is compressed for us, and a little may become a lot
        )
        content = bytearray()
        try:
            while chunk := response.read1(2**16):
                content += chunk
                if len(content) > MOST_BYTES:
                    raise self._strange()
            response.release_conn()
        finally:
            response.close()
        return response.status, bytes(content)

    def _refused(self, status: int, code: object) -> RegistryRefusedError:
        if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            told = (
                f"{self._url} does not let us in (HTTP {status}): look at basic.auth.user.info, "
                "bearer.auth.token or ssl.certificate.location"
            )
        elif status == HTTPStatus.NOT_FOUND:
            told = f"{self._url} has no Schema Registry's API: look at the path of the URL"
        elif status in range(300, 400):
            told = f"{self._url} leads elsewhere (HTTP {status}): name the URL that it leads to"
        elif code == _READ_ONLY:
            told = f"{self._url} takes no schemas: it is in READONLY mode"
        elif type(code) is int and code != status:
            told = f"{self._url} refuses (HTTP {status}, error {code})"
        else:
            told = f"{self._url} refuses (HTTP {status})"
        return RegistryRefusedError(told, status)

    def _strange(self) -> RegistryUnreachableError:
        return RegistryUnreachableError(f"{self._url} does not answer as a Schema Registry does")

    def _id(self, answer: Any) -> int:
        found = answer.get("id") if isinstance(answer, dict) else None
        if type(found) is not int or not 0 <= found <= LARGEST_SCHEMA_ID:
            raise self._strange()
        return found

    def _text(self, answer: Any) -> str:
        if not isinstance(answer, dict) or not isinstance(answer.get("schema"), str):
            raise self._strange()
        is_avro = (answer.get("schemaType") or _AVRO) == _AVRO and not answer.get("references")
        return str(answer["schema"]) if is_avro else ""
