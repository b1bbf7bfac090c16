"""A run appears on an open page as a real sink lands it."""

from __future__ import annotations

import uuid

import pytest
from playwright.sync_api import Page, expect
from pyspark.sql import SparkSession
from support.fleet.served import served
from support.lakes.store import Store
from support.messages.produce import Topic, emission_of
from support.messages.records import make_record

from conformare.fleet import Fleet
from conformare.fleet.stores import open_store
from conformare_sink.broker.broker import EmbeddedBroker
from conformare_sink.kafka.topics import Topics
from conformare_sink.options import SinkOptions

from .conftest import Watched

APPEARS_MILLISECONDS = 2_000


@pytest.fixture
def store(
    broker: EmbeddedBroker, spark: SparkSession, tmp_path_factory: pytest.TempPathFactory
) -> Store:
    """Topics and a lake."""
    prefix = f"test-{uuid.uuid4().hex[:12]}."
    lake = str(tmp_path_factory.mktemp("lake"))
    options = SinkOptions(
        bootstrap_servers=broker.bootstrap_servers, lake=lake, topic_prefix=prefix
    )
    Topics(broker.bootstrap_servers, prefix).create()
    return Store(spark, options, Topic(broker.bootstrap_servers, prefix))


def test_a_run_appears_within_two_seconds_of_landing_without_a_reload(
    store: Store, page: Page, watched: Watched
) -> None:
    """On the overview, on the page of its pipeline, and under a filter that it fits."""
    store.topic.send(emission_of(make_record("first-run", pipeline="orders")).messages)
    store.catch_up()
    with served(Fleet(open_store(store.lake))) as url:
        windows = [page, page.context.new_page(), page.context.new_page()]
        for window, path in zip(windows, ("/", "/pipeline?name=orders", "/?q=bills"), strict=True):
            window.goto(f"{url}{path}")
            window.wait_for_selector("#state.live")
            window.evaluate("window.isTheSame = true")
        expect(windows[2].get_by_text("No pipeline fits.")).to_be_visible()

        store.topic.send(emission_of(make_record("second-run", pipeline="orders")).messages)
        store.topic.send(emission_of(make_record("a-bill", pipeline="bills")).messages)
        store.catch_up()

        for window, seen in (
            (windows[0], "2 pipelines"),
            (windows[1], "second-run"),
            (windows[2], "bills"),
        ):
            found = window.locator("main").get_by_text(seen).first
            expect(found).to_be_visible(timeout=APPEARS_MILLISECONDS)
            assert window.evaluate("window.isTheSame")
        for window in windows[1:]:
            window.close()
    assert watched.faults == []
