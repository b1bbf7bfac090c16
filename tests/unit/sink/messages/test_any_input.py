"""Whatever is sent: nothing raises, each message is used or rejected with a cause, rows are bounded."""

from __future__ import annotations

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st
from support.messages.hostile import any_message
from support.messages.wire import PREFIX

from conformare_schemas import MAX_ROWS_PER_MESSAGE, RUN_GRAINS, SOURCE_RISKS, topic_name
from conformare_sink.messages.assembly import assemble, emission, table_rows
from conformare_sink.messages.decode import decode
from conformare_sink.messages.emission import Decision, RunKey, decide
from conformare_sink.messages.message import Message
from conformare_sink.messages.parts import announced_rows, in_parts

some_messages = st.lists(any_message(), max_size=12)


@given(messages=some_messages)
@settings(max_examples=100)
def test_every_message_is_used_or_rejected(messages: list[Message]) -> None:
    """Exactly once, as itself; a cause is one printable line."""
    decoded = decode(messages, PREFIX)
    used = [e.message for e in decoded.envelopes] + [r.message for r in decoded.rejected]
    left = Counter(messages) - Counter(used)
    assert not Counter(used) - Counter(messages)
    declared = {*decoded.declared.column("emission_id").to_pylist()}
    assert declared == {emission_of(message) for message in left}
    for rejected in decoded.rejected:
        assert rejected.cause
        assert rejected.cause.isprintable()


def emission_of(message: Message) -> str:
    """The declaration that a message has, by itself."""
    assert message.topic == topic_name(SOURCE_RISKS, PREFIX)
    (emission_id,) = {*decode([message], PREFIX).declared.column("emission_id").to_pylist()}
    return str(emission_id)


@given(messages=some_messages)
@settings(max_examples=100)
def test_no_message_has_more_rows_than_it_announces(messages: list[Message]) -> None:
    """By that parts are cut; whatever is in several blocks, or announces what it has not."""
    decoded = decode(messages, PREFIX)
    for message, most in zip(messages, announced_rows(messages, PREFIX).tolist(), strict=True):
        alone = decode([message], PREFIX)
        rows = [*alone.rows.values(), alone.declared]
        assert sum(table.num_rows for table in rows) <= most <= MAX_ROWS_PER_MESSAGE
    for envelope in decoded.envelopes:
        assert 1 <= envelope.n_rows <= MAX_ROWS_PER_MESSAGE
        assert envelope.at + envelope.n_rows <= decoded.rows[envelope.grain].num_rows


@given(messages=some_messages, known=st.booleans())
@settings(max_examples=100)
def test_whatever_is_complete_lands_whole(messages: list[Message], known: bool) -> None:
    """Rows are those that its `runs` counts; no run lands twice, or when it is known."""
    decoded = decode(messages, PREFIX)
    parts = assemble(decoded.envelopes)
    emissions = [emission(key, of_emission) for key, of_emission in parts.items()]
    runs = {one.key.run for one in emissions} if known else set[RunKey]()
    decided = decide(emissions, runs)
    assert sum(map(len, decided.values())) == len(emissions)
    landing = decided[Decision.LAND]
    assert not (known and landing)
    assert len({one.key.run for one in landing}) == len(landing)
    rows = table_rows(decoded, [parts[one.key] for one in landing])
    expected: Counter[str] = Counter()
    for one in landing:
        expected.update(one.row_counts)
    assert {grain: rows[grain].num_rows for grain in rows} == dict(expected)
    assert rows.keys() <= set(RUN_GRAINS)


@given(messages=some_messages, most_rows=st.integers(1, 400))
@settings(max_examples=100)
def test_parts_are_the_messages_and_keep_keys_together(
    messages: list[Message], most_rows: int
) -> None:
    """Unless a key alone has too many rows; then it is dealt out as it arrived."""
    parts = list(in_parts(messages, PREFIX, most_rows))
    rows = announced_rows(messages, PREFIX).tolist()
    assert Counter(m for part in parts for m in part) == Counter(messages)
    assert all(parts) or parts == [[]]
    for part in parts:
        assert len(part) == 1 or announced_rows(part, PREFIX).sum() <= most_rows
    of_key: Counter[bytes | None] = Counter()
    for message, n_rows in zip(messages, rows, strict=True):
        of_key[message.key] += n_rows
    for key, n_rows in of_key.items():
        those = [[m for m in part if m.key == key] for part in parts]
        if n_rows <= most_rows:
            assert sum(map(bool, those)) == 1
        else:
            dealt = [m.arrival for part in those for m in part]
            assert dealt == sorted(dealt) or len(parts) == 1
