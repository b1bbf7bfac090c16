"""Topics that a cluster refuses to create: a sink goes on where runs do not need them."""

from __future__ import annotations

from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.cimpl import NewTopic

from conformare_schemas import RUN_GRAINS, SOURCE_RISKS
from conformare_sink.errors import TopicCreationError
from conformare_sink.kafka.topics import Topics


class RefusingCluster:
    """Creates topics, but for some; others than the first are known two questions later."""

    def __init__(self, *refused: str) -> None:
        self._refused = refused
        self._topics: list[str] = []
        self.questions = 0

    def create(self, topics: list[NewTopic]) -> dict[str, Future[None]]:
        """Return what tells of each whether it is there."""
        futures: dict[str, Future[None]] = {one.topic: Future() for one in topics}
        for name, future in futures.items():
            if name in self._refused:
                future.set_exception(KafkaException(KafkaError(KafkaError.POLICY_VIOLATION)))
            else:
                future.set_result(None)
                self._topics.append(name)
        self.questions = 0
        return futures

    def metadata(self, _timeout_seconds: float) -> Any:
        """Return what the brokers have heard of so far."""
        self.questions += 1
        known = self._topics if self.questions > 2 else self._topics[:1]
        return SimpleNamespace(topics={name: SimpleNamespace(partitions=[0, 1]) for name in known})


def topics_of(monkeypatch: pytest.MonkeyPatch, cluster: RefusingCluster) -> Topics:
    """The topics, on such a cluster."""
    monkeypatch.setattr("conformare_sink.kafka.topics.Cluster", lambda *_: cluster)
    return Topics("b", "")


def test_a_sink_goes_on_without_the_topic_of_declarations(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """With all others there, whatever is refused first and however late brokers hear of them."""
    topics = topics_of(monkeypatch, RefusingCluster(SOURCE_RISKS))
    assert sorted(topics.create_those_of_runs()) == sorted(RUN_GRAINS)
    assert topics.partitions().keys() == {*RUN_GRAINS}
    assert "declared risks are not read until the next start: b refused to create" in caplog.text
    assert topics.create_those_of_runs() == []


@pytest.mark.parametrize("refused", RUN_GRAINS)
def test_without_a_topic_of_runs_nothing_goes_on(
    monkeypatch: pytest.MonkeyPatch, refused: str
) -> None:
    """Whether that of declarations is refused, too."""
    topics = topics_of(monkeypatch, RefusingCluster(SOURCE_RISKS, refused))
    with pytest.raises(TopicCreationError, match=f"refused to create the topic {refused}: "):
        topics.create_those_of_runs()


def test_who_asks_for_all_topics_is_told_of_any_that_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The others are there."""
    topics = topics_of(monkeypatch, RefusingCluster(SOURCE_RISKS))
    with pytest.raises(TopicCreationError, match=f"refused to create the topic {SOURCE_RISKS}: "):
        topics.create()
    assert topics.partitions().keys() == {*RUN_GRAINS}
