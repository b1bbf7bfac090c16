"""Of a location its place is kept and nothing else, whatever it is written like."""

from __future__ import annotations

import random
import string

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.jobs.location_forms import FORMS, TABLE, Form

from conformare.capture import mark_not_sensitive, mark_sensitive
from conformare.capture.locations import redacted, shown_locations

ALL_FORMS = [form for forms in FORMS.values() for form in forms]
KEPT = [form for form in ALL_FORMS if form.kept]
HOLDING = [form for form in ALL_FORMS if form.places]
# What locations are made of, and what makes a parser lose its way.
SEPARATORS = [*"/@:?&;=,(){}[]#'\" %\\|+$~*!-_", "://", "//", "..", "==", "%40", ", "]
BEGINNINGS = ["", "", "", "12?", "12/", "1:2/", "h/", "a.b/", "h:1/", "h?", "x?y=", "x;y=", "@"]
MARK = "Q9Z"


@pytest.mark.parametrize("form", KEPT, ids=lambda form: form.written)
def test_of_each_form_the_place_is_kept(form: Form) -> None:
    assert redacted(form.example) == form.kept
    assert redacted(form.kept) == form.kept
    assert shown_locations(form.kept) == form.kept


def test_the_document_holds_the_table_of_forms_as_it_is() -> None:
    """`make capture-table` writes it anew."""
    document = TABLE.document
    assert document == TABLE.written(document)


def secret(draw: st.DataObject) -> str:
    """Draw a secret of which every part would be recognised."""
    parts = draw.draw(st.lists(st.sampled_from(SEPARATORS), min_size=1, max_size=5))
    beginning = draw.draw(st.sampled_from(BEGINNINGS))
    return f"{beginning}{MARK}{''.join(f'{part}{MARK}' for part in parts)}"


@settings(max_examples=600, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.usefixtures("quick_digests")
@given(st.sampled_from(HOLDING), st.data())
def test_no_part_of_a_secret_is_seen_wherever_it_stands(form: Form, data: st.DataObject) -> None:
    hidden = secret(data)
    if "email=" in form.written:
        hidden = hidden.replace("/", "").replace("\\", "")  # a value has none: they are encoded
    everywhere = data.draw(st.booleans())
    places = () if everywhere else (data.draw(st.integers(0, form.places - 1)),)
    location = form.holding(hidden, *places)
    shown = redacted(location)
    assert MARK not in shown
    assert MARK not in shown_locations(location)
    assert redacted(shown) == shown == shown_locations(shown)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.usefixtures("quick_digests")
@given(st.sampled_from([form for form in KEPT if form.places]), st.text("abcXYZ019", min_size=1))
def test_a_place_is_one_location_whatever_its_secrets_are(form: Form, hidden: str) -> None:
    assert redacted(form.holding(hidden)) == form.kept


def test_two_places_are_two_locations() -> None:
    """Those of which no text may be shown, too."""
    places = [
        *{form.kept for form in KEPT},
        "jdbc:vendor:user/secret@a",
        "jdbc:vendor:user/secret@b",
        "jdbc:vendor:<a>",
        "jdbc:vendor:<b>",
        "jdbc:other:<a>",
        "jdbc:sqlserver://h;databaseName=x y!;password=p",
        "jdbc:sqlserver://h;databaseName=x z!;password=p",
        "https://u:1/2@h/a",
        "https://u:1/2@h/b",
        "u:p@h/a",
        "u:p@h/b",
        "a;b",
        "a;c",
        "Server=(local)\\a;Pwd=p",
        "Server=(local)\\b;Pwd=p",
        "select a from t",
        "select b from t",
        "s3://b/a//b",
        "s3://b/a/b",
        "s3://B/a/b",
        "https://h/a//b",
        "https://h/a/b",
        "http://h/a/b",
        "http://h:8080/a/b",
        "file://h/a",
        "jdbc:sqlserver://h\\i;database=d",
        "jdbc:sqlserver://h\\i:1433;database=d",
        "jdbc:sqlserver://h:1444;database=d",
        "jdbc:jtds:sqlserver://h/d",
        "jdbc:jtds:sqlserver://h/d;instance=a",
        "jdbc:jtds:sqlserver://h/d;instance=b",
        "jdbc:sybase:Tds:h:5000/d?ServiceName=a",
        "jdbc:sybase:Tds:h:5000/d?ServiceName=b",
        "jdbc:as400://h;libraries=a",
        "jdbc:as400://h;libraries=b",
        "jdbc:as400://h;libraries=a b",
        "jdbc:informix-sqli://h:1/d:INFORMIXSERVER=a",
        "jdbc:informix-sqli://h:1/d:INFORMIXSERVER=b",
        "jdbc:postgresql://h/d?currentSchema=a,b",
        "jdbc:postgresql://h/d?currentSchema=b",
        "jdbc:postgresql:///d?cloudSqlInstance=p:r:a",
        "jdbc:postgresql:///d?cloudSqlInstance=p:r:b",
        "jdbc:postgresql://?service=a",
        "jdbc:postgresql://?service=b",
        "jdbc:hive2://z:2181/;zooKeeperNamespace=a",
        "jdbc:hive2://z:2181/;zooKeeperNamespace=b",
        "jdbc:mongodb://h/admin?database=a",
        "jdbc:mongodb://h/admin?database=b",
        "jdbc:solr://h:2181?collection=a",
        "jdbc:solr://h:2181?collection=b",
        "jdbc:oracle:thin:@//h/a",
        "jdbc:oracle:thin:@//h:1522/a",
        "jdbc:oracle:thin:@h:1521:a",
        "config.share#s.d.a",
        "config.share#s.d.b",
        "https://h/config.share#s.d.a",
        "https://h/config.share#s.d.b",
    ]
    assert len({redacted(place) for place in places}) == len(places)


def test_of_one_place_written_in_two_ways_there_is_one_location() -> None:
    for places in (
        ("jdbc:sqlserver://h;databaseName=d;user=u", "jdbc:sqlserver://h;password=p;database=d"),
        ("Server=h;Database=d;Uid=u;Pwd=p", "PWD=q;SERVER=h;Initial Catalog=d"),
        ("S3A://k:s@bucket/x", "s3a://bucket/x", "s3n://bucket/x/", "s3://bucket/x//"),
        ("abfs://c@A.dfs.core.windows.net/x", "ABFSS://c@a.dfs.core.windows.net//x/."),
        ("wasb://c@A.blob.core.windows.net/x", "wasbs://c@a.blob.core.windows.net/x/"),
        ("/x/y", "file:/x/y", "file:///x/y/", "file://localhost/x//y", "/x/./y", "/x/z/../y"),
        ("x/y", "x//y/", "./x/y"),
        ("C:\\x", "C:\\x\\"),
        ("/", "//", "///", "file:/", "file:///", "/."),
        ("hdfs://H:8020/x", "hdfs://h/x/", "hdfs://h:/x"),
        ("dbfs:/x", "dbfs:///x/", "dbfs:/x//"),
        ("/Volumes/c/s/v", "dbfs:/Volumes/c/s/v/"),
        ("https://Host:443/x", "https://host/x/", "HTTPS://host/x?y=z", "https://host.:443/x"),
        ("http://h:80", "http://h/"),
        ("mongodb://a,b:27018/d", "mongodb://u:p@B:27018,A:27017/d"),
        ("postgres://h:5432/d", "postgresql://h/d"),
        ("jdbc:postgresql://H:5432/d", "jdbc:postgresql://h/d", "JDBC:PostgreSQL://h/d?ssl=true"),
        (
            "jdbc:postgresql://h/d?currentSchema=s,t",
            "jdbc:postgresql://h/d?options=-c%20search_path=s,t",
            "jdbc:postgresql://h/d?options=-c+search_path%3Ds,t&password=p",
        ),
        ("jdbc:mysql://b,a:3306/d", "jdbc:mysql://a,b/d/"),
        ("jdbc:oracle:thin:@H:1521/s", "jdbc:oracle:thin:@//h/s"),
        ("jdbc:oracle:thin:@H:1521:s", "jdbc:oracle:thin:u/p@h:1521:s"),
        ("jdbc:sqlserver://H:1433;database=d", "jdbc:sqlserver://;serverName=h;databaseName=d"),
        (
            "jdbc:sqlserver://h\\I;port=1;database=d",
            "jdbc:sqlserver://h:1;instanceName=i;database=d",
        ),
        ("jdbc:sybase:Tds:H:5000/d", "jdbc:sybase:tds:h:5000/d"),
        ("Server=h,1433;Database=d", "Server=tcp:H,1433;Database=d", "host=h port=1433 dbname=d"),
        ("Endpoint=sb://H/;EntityPath=e", "EntityPath=e;Endpoint=sb://h"),
        ("jdbc:oracle:thin:u/p@h:1/s", "jdbc:oracle:thin:@//h:1/s"),
        ("jdbc:foo:u/p@h;x", "jdbc:foo:u/q@h;x"),
    ):
        assert len(set(map(redacted, places))) == 1


@pytest.mark.parametrize(
    ("location", "shown"),
    [
        ("s3a://AKIA:se/cr+et@bucket/a/b.parquet", "s3://bucket/a/b.parquet"),
        ("s3a://AKIA:1234/ab@bucket/x", "s3://bucket/x"),
        ("https://joe:p@ss@host/x?sig=q&se=w", "https://host/x"),
        ("jdbc:sqlserver://h:1433;databaseName=d;password={a;b}", "jdbc:sqlserver://h;database=d"),
        ("jdbc:oracle:thin:scott/ti@ger@h:1521:sid", "jdbc:oracle:thin:@h:1521:sid"),
        ("jdbc:oracle:thin:scott/tiger", "jdbc:oracle:thin"),
        ("jdbc:mysql://(host=h,user=u,password=a(b)c)/db", "jdbc:mysql://h/db"),
        ("jdbc:postgresql://h/d?password=a&role=rest", "jdbc:postgresql://h/d"),
        ("jdbc:postgresql://h/d?password=a&database=rest", "jdbc:postgresql://h/d"),
        ("jdbc:sqlserver://h;databaseName=d;password=a;databaseName=rest", "jdbc:sqlserver://h"),
        ("jdbc:db2://h:50000/db:password=s;user=u;", "jdbc:db2://h:50000/db"),
        ("jdbc:awsathena://PWD=s;Schema=d", "jdbc:awsathena://schema=d"),
        ("https://h/p;token=s/rest", "https://h/p"),
        ("/mnt/c%3Fsv=1%26sig=s", "/mnt/c"),
        ("/mnt/c,password=s", "/mnt/c"),
        ("/data/{day=1,day=2}/x", "/data/{day=1,day=2}/x"),
        ("/data/token=s/x", "/data/token=***/x"),
        ("/data/phone%20number=s/x", "/data/phone%20number=***/x"),
        ("C:\\a\\email=s\\x", "C:\\a\\email=***\\x"),
        ("hdfs://namenode:8020/user/a@b/x", "hdfs://namenode/user/a@b/x"),
        ("abfss://box@acct.dfs.core.windows.net/a@b.org/x", "abfss://box@acct.dfs.core.windows.net/***/x"),
        ("/data/2026-0?/part=a@b/*.csv", "/data/2026-0?/part=a@b/*.csv"),
        ("jdbc:postgresql://[::1]:5432/db", "jdbc:postgresql://[::1]/db"),
        ("jdbc:mysql://[2001:db8::1]:3306/db", "jdbc:mysql://[2001:db8::1]/db"),
        ("jdbc:mysql://[h1:1,h2:2]/db?user=u", "jdbc:mysql://h1:1,h2:2/db"),
        ("jdbc:sqlite::memory:", "jdbc:sqlite::memory:"),
        ("delta.`/mnt/x`", "delta.`/mnt/x`"),
        ("delta.`/mnt/x?sig=s`", "delta.`/mnt/x`"),
        ("hdfs://namenode/2026-01-01/x", "hdfs://namenode/2026-01-01/x"),
        ("file:///data/x", "/data/x"),
        ("(memory)", "(memory)"),
        (" jdbc:oracle:thin:scott/tiger", "jdbc:oracle:thin"),
        ("abfss://My Space@onelake.dfs.fabric.microsoft.com/x", "abfss://My Space@onelake.dfs.fabric.microsoft.com/x"),
        ("jdbc:oracle:thin:@(DESCRIPTION=(ADDRESS=(PORT=1)(HOST=a))(ADDRESS=(HOST=b)(PORT=2))(CONNECT_DATA=(SID=s)))", "jdbc:oracle:thin:@//a:1,b:2/s"),
        ("jdbc:databricks://h:443;httpPath=/sql;ConnCatalog=main;ConnSchema=s", "jdbc:databricks://h;catalog=main;schema=s"),
        ("jdbc:neo4j:bolt://u:p@h:7687", "jdbc:neo4j:bolt://h"),
        ("/data/it's/key:value", "/data/it's/key:value"),
        ("", ""),
    ],
)  # fmt: skip
def test_neighbours_of_the_forms(location: str, shown: str) -> None:
    assert redacted(location) == shown


@pytest.mark.parametrize(
    "location",
    [
        "https://u:12?56@h",
        "https://u:12/56@h",
        "https://host/x/a@b",
        "jdbc:mysql://u:12?6@h/db",
        "jdbc:mysql://(host=h)/db?password=x)/rest",
        "jdbc:mysql://[u]:pw@h/db",
        "jdbc:oracle:thin:u/p@h:1?x@y",
        "jdbc:oracle:thin:u/p@s@alias",
        "https://u:\\p",
        "AccountKey=a/b",
        "u:\\p@h\\x",
        "jdbc:foo:scott/tiger",
        "jdbc:foo:scott:tiger",
        "mongodb://u:p/q@h/db?authSource=a@b",
        "mongodb://u:p@h/db/a@b",
        "u:pw@h/p",
        "/u:pw@h/p",
        "\\\\u:pw@h\\p",
        'Module required user="u" password="p";',
        "{'user': 'u', 'password': 'p'}",
        "password: p",
        "jdbc:oracle:thin:u/x@y:1/rest@tcps://h:1522/s?a=b&c=x@y:1/rest",
        "a\nb",
        "url=jdbc:oracle:thin:scott/tiger",
    ],
)
def test_what_cannot_be_taken_apart_is_its_kind_and_a_digest(location: str) -> None:
    kind, _, digest = redacted(location).rpartition(":")
    assert kind in (
        "https",
        "jdbc:mysql",
        "jdbc:oracle",
        "jdbc:foo",
        "mongodb",
        "text",
        "connection",
    )
    assert len(digest) == 16
    assert set(digest) <= set(string.hexdigits)


def test_a_digest_does_not_cover_what_stands_before_a_host_or_in_a_parameter() -> None:
    """Whoever guesses a password finds no digest that confirms it."""
    assert redacted("u:pw@h/p") == redacted("u:other@h/p")
    assert redacted("jdbc:foo:<x>;password=a") == redacted("jdbc:foo:<x>;password=b")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.usefixtures("quick_digests")
@given(st.text(string.printable, max_size=60))
def test_redacting_twice_changes_nothing_more(text: str) -> None:
    for location in (text, f"https://{text}", f"jdbc:postgresql://{text}", f"Server={text};"):
        shown = redacted(location)
        assert redacted(shown) == shown == shown_locations(shown)


def test_a_location_of_any_length_is_looked_at_in_no_time() -> None:
    """A pattern that tries everything twice would take for ever."""
    shuffled = random.Random(9)  # noqa: S311 - no secret
    for text in (f"x{' ' * 100_000}=y", f"select {'/* ' * 30_000}", f"/* {'* ' * 50_000}"):
        redacted(text)
    redacted(f"select {''.join(f'${number}$ ' for number in range(20_000))}")
    for beginning in ("", "/", "https://", "jdbc:mysql://", "jdbc:foo:", "Server=", "s3a://"):
        for piece in ("a", "a.", "a=", "(host=a", "a@", "{", "'", "a,", "%40", "/a", "\\"):
            redacted(beginning + piece * 5_000)
        redacted(beginning + "".join(shuffled.choices(SEPARATORS, k=5_000)))


def test_several_locations_of_one_read_stay_what_they_are() -> None:
    several = ", ".join(form.kept for form in KEPT)
    assert shown_locations(several) == several


@pytest.mark.parametrize("raw", ["/data/x, s3://k:secret@b/x", "jdbc:h2:mem:x;PASSWORD=a#secret"])
def test_what_was_not_redacted_is_redacted_as_one_location(raw: str) -> None:
    assert "secret" not in shown_locations(raw)


def test_the_value_of_a_sensitive_column_is_hidden_as_the_author_has_marked_it() -> None:
    assert redacted("/x/customer=ana/email=ana") == "/x/customer=ana/email=***"
    mark_sensitive("customer")
    mark_not_sensitive("email")
    assert redacted("/x/customer=ana/email=ana") == "/x/customer=***/email=ana"
