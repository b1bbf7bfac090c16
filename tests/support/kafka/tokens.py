"""A token endpoint on loopback, as an identity provider has one, and the keys that brokers check by."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ssl import PROTOCOL_TLS_SERVER, SSLContext
from threading import Thread
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from support.servers.certificates import ADDRESS, Authority

AUDIENCE, ISSUER = "kafka", "https://id.example.org"
LIFE_SECONDS = 60
_KEY_ID = "of-the-tests"
_UNAUTHORIZED = 401


class TokenEndpoint:
    """Gives a token to whoever shows a client's id and its secret.

    Attributes:
        secrets: Client → its secret; a test may change it meanwhile.
        given: How many tokens each client got.
    """

    def __init__(self, authority: Authority, secrets: Mapping[str, str]) -> None:
        self.secrets = dict(secrets)
        self.given: dict[str, int] = dict.fromkeys(secrets, 0)
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        context = SSLContext(PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*authority.certify("token-endpoint"))
        handler = self._handler()
        # Brokers fetch the keys in clear: what a broker trusts is not what is tested here.
        self._servers = [ThreadingHTTPServer((ADDRESS, 0), handler) for _ in range(2)]
        self._servers[0].socket = context.wrap_socket(self._servers[0].socket, server_side=True)
        self.url = f"https://{ADDRESS}:{self._servers[0].server_port}/token"
        """Where clients ask for tokens."""
        self.keys_url = f"http://{ADDRESS}:{self._servers[1].server_port}/keys"
        """Where brokers find the keys that tokens are signed with."""

    @contextmanager
    def serving(self) -> Iterator[TokenEndpoint]:
        """Answer as long as the block runs."""
        threads = [Thread(target=one.serve_forever, daemon=True) for one in self._servers]
        for thread in threads:
            thread.start()
        try:
            yield self
        finally:
            for server in self._servers:
                server.shutdown()
                server.server_close()
            for thread in threads:
                thread.join()

    def _token(self, client: str) -> str:
        now = int(time.time())
        claims = {
            "iss": ISSUER,
            "sub": client,
            "aud": AUDIENCE,
            "iat": now,
            "exp": now + LIFE_SECONDS,
        }
        head = {"alg": "RS256", "typ": "JWT", "kid": _KEY_ID}
        signed = ".".join(_base64(json.dumps(part).encode()) for part in (head, claims))
        signature = self._key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{signed}.{_base64(signature)}"

    def _keys(self) -> dict[str, Any]:
        numbers = self._key.public_key().public_numbers()
        key = {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": _KEY_ID}
        for name, number in (("n", numbers.n), ("e", numbers.e)):
            key[name] = _base64(number.to_bytes((number.bit_length() + 7) // 8, "big"))
        return {"keys": [key]}

    def _login(self, header: str) -> str | None:
        """Return who shows the right secret; nobody if it is another one."""
        shown = base64.b64decode(header.removeprefix("Basic ")).decode()
        client, _, secret = shown.partition(":")
        return client if self.secrets.get(client) == secret else None

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer(200, endpoint._keys())

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                client = endpoint._login(self.headers.get("Authorization", ""))
                if client is None:
                    self._answer(_UNAUTHORIZED, {"error": "invalid_client"})
                    return
                endpoint.given[client] += 1
                token = endpoint._token(client)
                self._answer(
                    200,
                    {"access_token": token, "token_type": "Bearer", "expires_in": LIFE_SECONDS},
                )

            def _answer(self, status: int, content: Mapping[str, Any]) -> None:
                body = json.dumps(content).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        return Handler


def _base64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")
