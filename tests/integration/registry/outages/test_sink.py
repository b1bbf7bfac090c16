"""A sink and its registry: hung, killed, slow, guarded, full of others. It stops for nothing."""

from __future__ import annotations

import json
import threading
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager

import pytest
from pyspark.sql import SparkSession
from support.lakes.checker import check, read_table, waiting_runs
from support.lakes.store import Store
from support.messages.framed import sent_by_id
from support.messages.produce import messages_of
from support.messages.records import make_declaration, make_record
from support.servers.registry import Registry, door, running_registry, silent_server, wait_for

from conformare.cli import main
from conformare.emission import Message
from conformare_schemas import GRAINS, confluent_header, message_schema
from conformare_schemas.registry import released_ids, subject_name
from conformare_sink.lake.tables.tables import select_rows
from conformare_sink.messages.emission import Decision
from conformare_sink.messages.framing import NO_REGISTRY, NOT_OURS, NOT_RESOLVED
from conformare_sink.options import CatalogOptions, Engine
from conformare_sink.stream.replay import Selection
from conformare_sink.stream.stream import SinkStream

pytestmark = pytest.mark.long

MakeStore = Callable[..., Store]
PATIENCE_SECONDS = 60
ROWS = {"contexts": 2, "risks": 3}


def login(pair: str) -> dict[str, str]:
    """What a guarded registry wants."""
    return {"basic.auth.user.info": pair}


def ids_of(registry: Registry, topic_prefix: str) -> dict[str, int]:
    """The ids of our schemas."""
    with closing(registry.client()) as client:
        return {
            grain: max(released_ids(client, subject_name(grain, topic_prefix, "TopicName")))
            for grain in GRAINS
        }


@pytest.fixture
def ids(registry: Registry, registered: str, topic_prefix: str) -> Mapping[str, int]:
    """The ids of our schemas."""
    assert registered
    return ids_of(registry, topic_prefix)


@contextmanager
def running(store: Store) -> Iterator[None]:
    """A sink that runs beside the test."""
    stream = SinkStream(store.spark, store.options, lambda _: None)
    faults: list[BaseException] = []

    def run() -> None:
        try:
            stream.run("100 milliseconds")
        except BaseException as exc:  # noqa: BLE001 - the test raises it
            faults.append(exc)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        stream.stop()
        thread.join(PATIENCE_SECONDS)
    assert faults == []


def causes(store: Store) -> Counter[str]:
    """How many messages are in quarantine, by their cause."""
    return Counter(row["cause"] for row in read_table(store.lake, "quarantine"))


def landed(store: Store) -> set[str]:
    """The runs that readers see."""
    try:
        return {row["run_id"] for row in read_table(store.lake, "runs")}
    except Exception:  # noqa: BLE001 - there is no lake yet
        return set()


def test_what_waits_for_a_hung_registry_lands_when_it_answers(
    make_store: MakeStore, registry: Registry, ids: Mapping[str, int]
) -> None:
    """In the same running sink, which meanwhile lands all others, and half of a run waits."""
    store = make_store(registry.url)
    by_id, mixed, plain = (make_record(name, rows=ROWS) for name in ("by-id", "mixed", "plain"))
    halves = messages_of(mixed, "e-mixed")
    registry.hang()
    try:
        with running(store):
            store.topic.send(sent_by_id(messages_of(by_id, "e-by-id"), ids))
            store.topic.send([*halves[:1], *sent_by_id(halves[1:], ids)])
            store.topic.send(messages_of(plain, "e-plain"))
            wait_for(lambda: landed(store) == {"plain"}, PATIENCE_SECONDS)
            wait_for(lambda: causes(store) == {NOT_RESOLVED: 5}, PATIENCE_SECONDS)
            registry.go_on()
            wait_for(lambda: landed(store) == {"plain", "by-id", "mixed"}, PATIENCE_SECONDS)
            wait_for(lambda: causes(store) == {}, PATIENCE_SECONDS)
    finally:
        registry.go_on()
    assert check(store.lake, [by_id, mixed, plain]).is_sound
    assert waiting_runs(store.lake) == set()


def test_what_came_without_a_registry_lands_with_the_first_start_that_has_one(
    make_store: MakeStore, registry: Registry, ids: Mapping[str, int]
) -> None:
    """None given, a dead one, a silent one: the sink ends well, and loses nothing."""
    store = make_store()
    records = [make_record(f"run-{n}", rows=ROWS) for n in range(3)]
    with silent_server() as silent:
        for record, url in zip(records, (None, "http://127.0.0.1:1", silent), strict=True):
            store.topic.send(sent_by_id(messages_of(record, record["runs"][0]["run_id"]), ids))
            make_store(url).catch_up()
    assert causes(store) == {NO_REGISTRY: 3, NOT_RESOLVED: 6}
    make_store(registry.url).catch_up()
    assert causes(store) == {}
    assert check(store.lake, records).is_sound


def test_a_registry_that_is_killed_leaves_what_is_known(
    make_store: MakeStore, topic_prefix: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Ids that were told land on; the others wait until it is there again."""
    with running_registry(tmp_path_factory.mktemp("mortal")) as mortal:
        command = ["--schema-registry-url", mortal.url, "--topic-prefix", topic_prefix]
        assert main(["schemas", "register", *command]) == 0
        ids = ids_of(mortal, topic_prefix)
        store = make_store(mortal.url)
        records = [make_record(f"run-{n}", rows=ROWS) for n in range(3)]
        sent = [sent_by_id(messages_of(one, f"e-{n}"), ids) for n, one in enumerate(records)]
        with running(store):
            store.topic.send(sent[0])
            wait_for(lambda: landed(store) == {"run-0"}, PATIENCE_SECONDS)
            mortal.kill()
            store.topic.send(sent[1])
            wait_for(lambda: landed(store) == {"run-0", "run-1"}, PATIENCE_SECONDS)
        with running(store):
            store.topic.send(sent[2])
            wait_for(lambda: causes(store) == {NOT_RESOLVED: 3}, PATIENCE_SECONDS)
            mortal.start()
            assert main(["schemas", "register", *command]) == 0
            assert ids_of(mortal, topic_prefix) == ids
            wait_for(lambda: causes(store) == {}, PATIENCE_SECONDS)
        assert check(store.lake, records).is_sound


def test_a_slow_and_guarded_registry_is_asked_once_for_each_id(
    make_store: MakeStore, registry: Registry, ids: Mapping[str, int]
) -> None:
    """With a wrong password nothing is resolved and nothing lost; the sink lands what has no id."""
    record, plain = make_record("by-id", rows=ROWS), make_record("plain", rows=ROWS)
    with door(registry) as guarded:
        guarded.wanted = "Basic dXNlcjpwYXNz"
        wrong = make_store(guarded.url, registry_settings=login("user:wrong"))
        wrong.topic.send(sent_by_id(messages_of(record, "e"), ids))
        wrong.topic.send(messages_of(plain, "e-plain"))
        wrong.catch_up()
        assert landed(wrong) == {"plain"}
        assert causes(wrong) == {NOT_RESOLVED: 3}
        guarded.asked.clear()
        guarded.seconds = 0.5
        right = make_store(guarded.url, registry_settings=login("user:pass"))
        with running(right):
            wait_for(lambda: causes(right) == {}, PATIENCE_SECONDS)
    assert max(Counter(guarded.asked).values()) == 1
    assert check(right.lake, [record, plain]).is_sound


@pytest.mark.parametrize("engine", [Engine.DRIVER, Engine.EXECUTORS])
def test_hostile_ids_in_a_registry_full_of_others_land_nowhere(
    make_store: MakeStore, registry: Registry, ids: Mapping[str, int], engine: Engine
) -> None:
    """Schemas of others, of another grain, of no kind, ids that there are not; runs land beside."""
    registry.fill(50)
    with closing(registry.client()) as client:
        others = [client.versions(f"other-{n}-value")[0].schema_id for n in range(50)]
    record = make_record("by-id", rows=ROWS)
    sent = messages_of(record, "e")
    payload = sent[-1].value[10:]
    unknown = [2**31 - 1, 2**31, 2**32 - 1, 900_000]
    with door(registry) as watched:
        store = make_store(watched.url, engine=engine)
        store.topic.send(sent_by_id(sent[:2], ids) + sent[2:])
        store.topic.send(sent_by_id([make_sent_declaration()], ids))
        store.topic.send(
            [
                *(Message("runs", b"by-id", confluent_header(one) + payload) for one in others),
                *(Message("runs", b"x", b"\0" + one.to_bytes(4, "big") + b"y") for one in unknown),
                Message("runs", b"by-id", confluent_header(ids["risks"]) + payload),
                Message("runs", b"by-id", confluent_header(ids["runs"])),
                Message("runs", b"by-id", confluent_header(ids["runs"]) + b"\xff" * 30),
                Message("runs", b"by-id", b"\0\0"),
            ]
        )
        store.catch_up()
        found = causes(store)
        assert found.pop(NOT_OURS) == 50
        assert found.pop(NOT_RESOLVED) == 4
        kinds = Counter(cause.partition(":")[0] for cause in found.elements())
        assert kinds == {"unknown schema": 1, "undecodable": 2, "not framed": 1}
        by_id = [path for path in watched.asked if "/schemas/ids/" in path]
        assert len([path for path in by_id if path.rpartition("/")[2] in map(str, others)]) == 50
        # Nothing is done again by reading again, and the true causes stay.
        assert store.catch_up()[Decision.LAND] == 0
        assert sum(causes(store).values()) == 58
    assert check(store.lake, [record]).is_sound
    assert len(read_table(store.lake, "source_risks")) == 2


def make_sent_declaration() -> Message:
    """A declaration as it is sent."""
    (message,) = messages_of(make_declaration("a.table"), "e-declared")
    return message


def test_both_framings_of_one_run_land_by_executors_and_by_a_replay(
    make_store: MakeStore, registry: Registry, ids: Mapping[str, int]
) -> None:
    """Each message in one of them; some of a run come later."""
    records = [make_record(f"run-{n}", rows=ROWS) for n in range(20)]
    store = make_store(registry.url, engine=Engine.EXECUTORS)
    late: list[Message] = []
    for n, record in enumerate(records):
        sent = messages_of(record, f"e-{n}", max_message_bytes=2_500)
        framed = [*sent_by_id(sent[::2], ids), *sent[1::2]]
        store.topic.send(framed[1:] if n % 3 else framed)
        late += framed[:1] if n % 3 else []
    store.catch_up()
    store.topic.send(late)
    store.catch_up()
    assert check(store.lake, records).is_sound
    assert causes(store) == {}
    again = make_store(registry.url, lake=f"{store.lake}-again")
    assert again.again(Selection()).landed == len(records)
    assert check(again.lake, records).is_sound


@pytest.mark.parametrize("engine", [Engine.DRIVER, Engine.EXECUTORS])
def test_a_replay_waits_for_ids_of_subjects_that_others_have_named(
    make_store: MakeStore, registry: Registry, engine: Engine
) -> None:
    """It asks for them when their messages come; also a dry run tells what would land."""
    with closing(registry.client()) as client:
        ids = {grain: client.register(f"named-{grain}", named(grain)) for grain in GRAINS}
    records = [make_record(f"run-{n}", rows=ROWS) for n in range(3)]
    store = make_store(registry.url, engine=engine, max_messages_per_batch=4)
    store.topic.send(messages_of(records[0], "e-0"))
    store.catch_up()
    for n, record in enumerate(records[1:], 1):
        sent = messages_of(record, f"e-{n}")
        store.topic.send([*sent_by_id(sent[:-1], ids), *sent[-1:]])
    rehearsed = store.again(Selection(), dry_run=True)
    assert (rehearsed.landed, rehearsed.quarantined) == (2, 0)
    replayed = store.again(Selection())
    assert (replayed.landed, replayed.quarantined, replayed.incomplete) == (2, 0, 0)
    assert check(store.lake, records).is_sound
    assert causes(store) == {}


def test_what_a_replay_lands_first_leaves_quarantine_with_the_next_sink(
    make_store: MakeStore, registry: Registry, ids: Mapping[str, int]
) -> None:
    """Each run once, in whichever order its id becomes known to them."""
    dead = make_store("http://127.0.0.1:1")
    records = [make_record(f"run-{n}", rows=ROWS) for n in range(2)]
    sent = [messages_of(one, f"e-{n}") for n, one in enumerate(records)]
    dead.topic.send([*sent_by_id(sent[0], ids), *sent[1][:1], *sent_by_id(sent[1][1:], ids)])
    dead.catch_up()
    assert causes(dead) == {NOT_RESOLVED: 5}
    alive = make_store(registry.url)
    assert alive.again(Selection()).landed == 2
    assert check(alive.lake, records).is_sound
    assert alive.catch_up()[Decision.LAND] == 0
    assert causes(alive) == {}
    assert waiting_runs(alive.lake) == set()
    assert check(alive.lake, records).is_sound


def named(grain: str) -> str:
    """A grain's schema, with a comment that no other has: so it has an id of its own."""
    return json.dumps({**message_schema(grain), "doc": uuid.uuid4().hex})


def test_tables_in_a_catalog_wait_for_a_registry_too(
    make_store: MakeStore, spark: SparkSession, registry: Registry, ids: Mapping[str, int]
) -> None:
    """There, Spark's SQL finds what has an id, and gives it another cause."""
    schema = f"registry_{uuid.uuid4().hex[:8]}"
    spark.sql(f"CREATE SCHEMA {schema}")
    try:
        catalog = CatalogOptions(schema_name=schema)
        dead = make_store("http://127.0.0.1:1", catalog=catalog)
        record = make_record("by-id", rows=ROWS)
        registry.fill(1)
        with closing(registry.client()) as client:
            other = client.versions("other-0-value")[0].schema_id
        dead.topic.send(sent_by_id(messages_of(record, "e"), ids))
        dead.topic.send([Message("runs", b"by-id", confluent_header(other) + b"payload")])
        dead.catch_up()
        found = select_rows(dead.tables, "SELECT cause FROM quarantine", "quarantine")
        assert Counter(row["cause"] for row in found) == {NOT_RESOLVED: 4}
        alive = make_store(registry.url, catalog=catalog)
        alive.catch_up()
        found = select_rows(alive.tables, "SELECT cause FROM quarantine", "quarantine")
        assert [row["cause"] for row in found] == [NOT_OURS]
        runs = select_rows(alive.tables, "SELECT run_id FROM runs", "runs")
        assert [row["run_id"] for row in runs] == ["by-id"]
    finally:
        spark.sql(f"DROP SCHEMA {schema} CASCADE")


def test_a_retry_by_hand_asks_the_registry_too(
    make_store: MakeStore,
    registry: Registry,
    ids: Mapping[str, int],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The command takes the sink's options."""
    store = make_store()
    record = make_record("by-id", rows=ROWS)
    store.topic.send(sent_by_id(messages_of(record, "e"), ids))
    store.catch_up()
    command = ["--lake", store.lake, "--topic-prefix", store.options.topic_prefix]
    assert main(["quarantine", "retry", *command]) == 0
    assert "3 message(s) still unusable" in capsys.readouterr().out
    url = ["--schema-registry-url", registry.url]
    assert main(["quarantine", "retry", *command, *url]) == 0
    assert "3 message(s) taken out of quarantine: 1 run(s) landed" in capsys.readouterr().out
    assert check(store.lake, [record]).is_sound
