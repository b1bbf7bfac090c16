"""Messages that anybody may have sent: good ones, damaged ones, and bytes that are none at all."""

from __future__ import annotations

from hypothesis import strategies as st

from conformare_schemas import CHILD_GRAINS, GRAINS, message_header, row_fields, topic_name
from conformare_sink.messages.message import LATEST_TIME, Message
from support.messages.wire import END, PREFIX, array, block, counts, number, row, text, value

NAMES = st.sampled_from(["r"] * 12 + ["é"] * 4 + ["[/boom]", "\x1b[31m", "\x00", "n" * 3_000, ""])
"""Of runs, pipelines and emissions; few, so that messages meet."""

ODD_NUMBERS = st.one_of(
    st.sampled_from([0, 1, -1, 64, 65, 10_000, 10_001, 2**31, 2**40, 2**62, 2**63 - 1, -(2**63)]),
    st.integers(-(2**63), 2**63 - 1),
)

KEYS = st.one_of(
    st.none(),
    NAMES.map(str.encode),
    st.binary(max_size=4),
    st.just(b"\xff"),
    st.just(b"k" * 100_000),
)

TOPICS = st.one_of(
    st.sampled_from([topic_name(grain, PREFIX) for grain in GRAINS]),
    st.sampled_from(["", "runs", "test.", "test.runs2", "other.owners"]),
)


def _mostly(good: str, *others: str) -> st.SearchStrategy[str]:
    return st.sampled_from([good] * 2 * len(others) + list(others))


@st.composite
def rows_of(draw: st.DrawFn, grain: str) -> bytes:
    """Rows of a grain: of any number, in blocks of any form, announced rightly or not."""
    fields = {}
    for field in row_fields(grain):
        if field.avro_type == "string":
            fields[field.name] = text(draw(st.sampled_from(["", "é", "text"])))
        elif isinstance(field.avro_type, dict) and field.avro_type["type"] == "array":
            fields[field.name] = array(draw(st.sampled_from([0, 0, 1, 64, 65, 300])), text("i"))
    one = row(grain, **fields)
    n_rows = draw(st.sampled_from([0, 1, 2, 3, 63, 64, 65, 200]))
    match draw(_mostly("one", "many", "with its size", "blocks", "another number")):
        case "many":
            return array(n_rows, one)
        case "with its size":
            return block(n_rows, one * n_rows, with_size=True) + END
        case "blocks":
            return block(1, one) + block(n_rows, one * n_rows, with_size=draw(st.booleans())) + END
        case "another number":
            return number(draw(ODD_NUMBERS)) + one * n_rows + END
    return array(1, one)


@st.composite
def framed(draw: st.DrawFn, grain: str, run_id: str) -> bytes:
    """A value that is framed as the messages of a grain are; most are good."""
    behind = b""
    if grain == "runs":
        others = draw(st.dictionaries(st.sampled_from(CHILD_GRAINS), st.integers(1, 3), max_size=1))
        behind = counts({"runs": 1, **others}.items())
    content = value(
        grain,
        draw(rows_of(grain)),
        behind,
        run_id=run_id,
        pipeline=draw(NAMES),
        emission_id=draw(NAMES),
        first_row=draw(st.sampled_from([0] * 9 + [1, -1, 2**31, 2**62])),
    )
    at = draw(st.integers(10, len(content) - 1))
    match draw(_mostly("none", "a bit", "cut", "bytes", "a number")):
        case "a bit":
            flipped = content[at] ^ (1 << draw(st.integers(0, 7)))
            return content[:at] + bytes([flipped]) + content[at + 1 :]
        case "cut":
            return content[:at]
        case "bytes":
            gap = draw(st.integers(0, 3))
            return content[:at] + draw(st.binary(max_size=12)) + content[at + gap :]
        case "a number":
            return content[:at] + number(draw(ODD_NUMBERS), draw(st.integers(1, 12))) + content[at:]
    return content


@st.composite
def any_message(draw: st.DrawFn) -> Message:
    """A message; its place in Kafka may be another's, too."""
    grain = draw(st.sampled_from(["runs", *GRAINS]))
    run_id = draw(NAMES)
    topic, key = topic_name(grain, PREFIX), run_id.encode()
    place = (0, draw(st.integers(0, 2)), draw(st.integers(0, 3)))
    content = draw(framed(grain, run_id))
    good = Message(key, content, topic, *place)
    match draw(_mostly("good", "value", "payload", "topic", "key", "place")):
        case "value":
            return good._replace(value=draw(st.none() | st.binary(max_size=40)))
        case "payload":
            payload = message_header(grain) + draw(st.binary(max_size=60))
            return good._replace(value=payload)
        case "topic":
            return good._replace(topic=draw(TOPICS))
        case "key":
            return good._replace(key=draw(KEYS))
        case "place":
            return good._replace(
                partition=draw(st.integers(0, 2**31 - 1)),
                offset=draw(st.integers(0, 2**63 - 1)),
                timestamp=draw(st.integers(-(2**63), LATEST_TIME)),
            )
    return good
