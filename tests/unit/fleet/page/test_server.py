"""What the server answers, asked without a network."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient
from support.fleet.shop import NOW, small_fleet

from conformare._errors import FleetError
from conformare.fleet import Fleet, RowStore
from conformare.fleet.page._guard import COOKIE, Guard
from conformare.fleet.page._live import LiveFleet
from conformare.fleet.page.server import application, serve
from conformare.fleet.stores import Changes

TOKEN = "a token that is long"  # noqa: S105 - of a test
PATHS = [
    "/",
    "/findings",
    "/pipeline?name=orders.clean",
    "/run?id=orders-clean-prod-0003",
    "/owner?name=growth",
    "/owners",
    "/drift",
    "/expectations",
    "/risks",
    "/sensitive",
    "/lineage?pipeline=orders.clean",
    "/impact?pipeline=orders.clean",
]


class FragileStore(RowStore):
    """A store that can fail, and keeps what is acknowledged."""

    fault: Exception | None = None

    def changes(self) -> Changes | None:
        """Return nothing new, or fail."""
        if self.fault is not None:
            raise self.fault
        return super().changes()


@pytest.fixture
def kept() -> list[dict[str, Any]]:
    """What was acknowledged."""
    return []


@pytest.fixture
def store(kept: list[dict[str, Any]]) -> FragileStore:
    """The store that is served."""
    return FragileStore("the shop's lake", small_fleet(), kept.append)


@pytest.fixture
def client(store: FragileStore) -> Iterator[TestClient]:
    """Asks a server that needs no token."""
    app = application(LiveFleet(Fleet(store, now=NOW), 0.01), Guard(None))
    with TestClient(app, base_url="http://localhost", follow_redirects=False) as client:
        yield client


@pytest.fixture
def guarded(store: FragileStore) -> Iterator[TestClient]:
    """Asks a server that needs a token."""
    app = application(LiveFleet(Fleet(store, now=NOW), 60), Guard(TOKEN))
    with TestClient(app, base_url="http://localhost", follow_redirects=False) as client:
        yield client


def form_token(client: TestClient) -> str:
    """Return what a form of the drift page carries."""
    found = re.search(r'name="form_token" value="([^"]+)"', client.get("/drift").text)
    assert found is not None
    return found[1]


@pytest.mark.parametrize("path", PATHS)
def test_every_page_is_there_with_a_strict_policy(client: TestClient, path: str) -> None:
    """No inline script, no inline style, and no handler in an attribute."""
    answer = client.get(path)
    assert answer.status_code == 200
    policy = answer.headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "same-origin"
    assert not re.search(r"<style|\bstyle=|\bon[a-z]+=", answer.text)
    assert not re.search(r"<script(?![^>]*(src=|application/json))", answer.text)


@pytest.mark.parametrize("path", ["/none", "/pipeline?name=none", "/run?id=%00%FF", "/?since=soon"])
def test_what_is_not_there_is_a_page_with_one_line(client: TestClient, path: str) -> None:
    """And the policy is on it too."""
    answer = client.get(path)
    assert answer.status_code == 404
    assert "<h1><bdi>No answer</bdi></h1>" in answer.text
    assert "content-security-policy" in answer.headers


@pytest.mark.parametrize(
    "query",
    [
        "page=99999999999999999999",
        f"page={'9' * 5000}",
        "page=-1&hops=x",
        f"hops={'9' * 5000}&pipeline=orders.clean",
        "&".join(["pipeline=orders.clean", *["also=pipeline:prod:orders.clean"] * 2000]),
        "self=1&ask=2&name=3&path=4&cls=5",
        "%ED%A0%80=%ED%A0%80",
        "q=" + "a" * 10_000,
        "tag=a=b&tag=c=d&tag=",
    ],
)
@pytest.mark.parametrize("path", ["/", "/lineage", "/owners"])
def test_whatever_a_url_asks_for_is_answered(client: TestClient, path: str, query: str) -> None:
    """With a page."""
    answer = client.get(f"{path}?{query}")
    assert answer.status_code == 200
    assert "<h1>" in answer.text


@pytest.mark.parametrize("path", PATHS)
def test_every_table_is_csv_too(client: TestClient, path: str) -> None:
    """Its link is beside its heading."""
    links = re.findall(r'class="csv" href="([^"]+)"', client.get(path).text)
    assert links
    for link in links:
        answer = client.get(link.replace("&amp;", "&"))
        assert answer.headers["content-type"] == "text/csv; charset=utf-8"
        assert len(answer.text.splitlines()) > 1
    answer = client.get(f"{path}{'&' if '?' in path else '?'}format=csv&table=none")
    assert answer.status_code == 404
    assert answer.text.startswith("There is no table 'none' here: take one of ")


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", ""])
def test_a_name_of_somebody_else_is_not_answered(client: TestClient, host: str) -> None:
    """It may have been rebound to this machine."""
    answer = client.get("/", headers={"host": host})
    assert answer.status_code == 421
    assert "orders" not in answer.text


def test_a_server_with_a_token_shows_nothing_before(guarded: TestClient) -> None:
    """A browser is sent to the form, a program is told."""
    answer = guarded.get("/drift?env=prod", headers={"accept": "text/html"})
    assert (answer.status_code, answer.headers["location"]) == (
        303,
        "/login?next=%2Fdrift%3Fenv%3Dprod",
    )
    for path in [*PATHS, "/events", "/none"]:
        assert guarded.get(path).status_code == 401
    assert guarded.post("/acknowledge").status_code == 401
    assert guarded.get("/", headers={"authorization": f"Bearer {TOKEN}"}).status_code == 200


def test_a_log_in_sets_a_cookie_that_scripts_and_other_sites_do_not_have(
    guarded: TestClient,
) -> None:
    """It leads to where one wanted to go."""
    assert guarded.post("/login", data={"token": "wrong"}).status_code == 403
    answer = guarded.post("/login", data={"token": TOKEN, "next": "/drift?env=prod"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/drift?env=prod")
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"{COOKIE}=")
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert TOKEN not in cookie
    assert guarded.get("/").status_code == 200


@pytest.mark.parametrize(
    "wanted", ["//evil.example", "/\\evil.example", "https://evil.example", "/\n/evil", ""]
)
def test_a_log_in_leads_nowhere_else(guarded: TestClient, wanted: str) -> None:
    """To another site, least of all."""
    answer = guarded.post("/login", data={"token": TOKEN, "next": wanted})
    assert answer.headers["location"] == "/"


DRIFT = {
    "run_id": "orders-clean-prod-0027",
    "pipeline": "orders.clean",
    "context_label": "read and check",
    "by": "Ada",
    "note": "only renamed",
}
OWN = {"origin": "http://localhost"}


def test_a_drift_is_acknowledged_by_its_form(
    client: TestClient, kept: list[dict[str, Any]]
) -> None:
    """It is gone from the list at once."""
    data = {**DRIFT, "form_token": form_token(client)}
    answer = client.post("/acknowledge", data=data, headers=OWN)
    assert (answer.status_code, answer.headers["location"]) == (303, "/drift?acknowledged=1")
    assert [(row["run_id"], row["acknowledged_by"], row["note"]) for row in kept] == [
        ("orders-clean-prod-0027", "Ada", "only renamed")
    ]
    page = client.get(answer.headers["location"]).text
    assert "Acknowledged." in page
    assert "orders-clean-prod-0027" not in page


@pytest.mark.parametrize(
    ("headers", "changed"),
    [
        (OWN, {"form_token": "wrong"}),
        (OWN, {"form_token": ""}),
        ({}, {}),
        ({"origin": "http://evil.example"}, {}),
        ({"sec-fetch-site": "cross-site"}, {}),
    ],
)
def test_a_form_of_another_site_changes_nothing(
    client: TestClient,
    kept: list[dict[str, Any]],
    headers: dict[str, str],
    changed: dict[str, str],
) -> None:
    """Nor does one without the token of this process."""
    data = {**DRIFT, "form_token": form_token(client), **changed}
    assert client.post("/acknowledge", data=data, headers=headers).status_code == 403
    assert kept == []


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"run_id": "none"}, "has no run"),
        ({"context_label": "none"}, "has no drift in the context"),
        ({"by": " "}, "needs a name"),
    ],
)
def test_an_acknowledgement_of_nothing_is_told_in_one_line(
    client: TestClient, kept: list[dict[str, Any]], changed: dict[str, str], said: str
) -> None:
    """And nothing is kept."""
    data = {**DRIFT, "form_token": form_token(client), **changed}
    answer = client.post("/acknowledge", data=data, headers=OWN)
    assert answer.status_code == 400
    assert said in answer.text
    assert kept == []


def test_get_changes_nothing(client: TestClient, kept: list[dict[str, Any]]) -> None:
    """A form is taken by POST alone, and no page takes one."""
    query = {**DRIFT, "form_token": form_token(client)}
    assert client.get("/acknowledge", params=query, headers=OWN).status_code == 405
    assert [client.post(path).status_code for path in PATHS] == [405] * len(PATHS)
    assert kept == []


def test_a_form_of_megabytes_is_not_read(client: TestClient) -> None:
    """Nobody types that much."""
    data = {**DRIFT, "form_token": form_token(client), "note": "x" * 100_000}
    assert client.post("/acknowledge", data=data, headers=OWN).status_code == 403


def test_a_fault_of_the_store_is_a_banner_above_the_last_answers(
    client: TestClient, store: FragileStore
) -> None:
    """It goes once the store can be read again."""

    def wait_for(has_banner: bool) -> str:
        while ('role="alert"' in (page := client.get("/").text)) is not has_banner:
            pass
        return page

    store.fault = OSError("disk\non <b>fire</b>")
    page = wait_for(has_banner=True)
    assert "Not read since 2026-11-29 07:30: disk on &lt;b&gt;fire&lt;/b&gt;" in page
    assert "customers.deduplicate" in page
    store.fault = None
    assert "customers.deduplicate" in wait_for(has_banner=False)


def test_a_file_of_ours_is_kept_for_ever_and_its_url_changes_with_it(client: TestClient) -> None:
    """And nothing else is served from there."""
    (url,) = re.findall(r'href="(/static/[^"]+page\.css)"', client.get("/").text)
    answer = client.get(url)
    assert answer.headers["content-type"].startswith("text/css")
    assert "immutable" in answer.headers["cache-control"]
    digest = url.split("/")[2]
    for path in (
        f"/static/{digest}/page.js",
        f"/static/{digest}/../server.py",
        "/static/x/page.css",
    ):
        assert client.get(path).status_code == 404


def test_a_port_in_use_is_told_in_one_line(shop: Fleet) -> None:
    """With what to do."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(
            FleetError, match=f"127.0.0.1:{port} .*in use.*name another one by --port"
        ):
            serve(shop, port=port)


def test_a_server_that_others_reach_needs_a_token(shop: Fleet) -> None:
    """Before it listens."""
    with pytest.raises(FleetError, match="can be reached by others: give it a token"):
        serve(shop, host="0.0.0.0", port=0)  # noqa: S104 - it is refused
