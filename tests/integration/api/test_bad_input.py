"""Whatever is sent, the answer is a 4xx problem that says what to do, and never a 5xx."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.integration.api.problems import problem
from tests.support.door import Door

JSON = {"Content-Type": "application/json"}
SOME_ID = "01890000-0000-7000-8000-000000000000"
HUGE = "1" + "0" * 400
ENDLESS = "1" + "0" * 5000


@dataclass(frozen=True, slots=True)
class Bad:
    """One request and the refusal it must meet; `names` must be among the fields the refusal blames."""

    why: str
    body: Any
    status: int = 422
    code: str = "invalid_params"
    names: str | None = None
    headers: dict[str, str] = field(default_factory=dict)


def image(**fields: Any) -> dict[str, Any]:
    return {"kind": "image", "prompt": "a lighthouse", **fields}


def params(**values: Any) -> dict[str, Any]:
    return image(params=values)


def raw_params(text: str) -> bytes:
    return b'{"kind":"image","prompt":"x","params":{"width":' + text.encode() + b"}}"


def nested(depth: int, opening: str = "[", closing: str = "]") -> bytes:
    return raw_params(opening * depth + "1" + closing * depth)


def nested_beside_escape(depth: int) -> bytes:
    """An escape makes the reader look into every value for half characters."""
    return rb'{"kind":"image","prompt":"\u0041","labels":{},"params":{"width":' + b"[" * depth + b"]" * depth + b"}}"


VALUES = [
    Bad("no prompt", {"kind": "image"}, names="prompt"),
    Bad("an empty prompt", image(prompt=""), names="prompt"),
    Bad("a blank prompt", image(prompt=" \n\t\u3000"), names="prompt"),
    Bad("a null prompt", image(prompt=None), names="prompt"),
    Bad("a prompt of 9,000 characters", image(prompt="x" * 9_000), names="prompt"),
    Bad("a number as prompt", image(prompt=7), names="prompt"),
    Bad("a list as prompt", image(prompt=["x"]), names="prompt"),
    Bad("no kind", {"prompt": "x"}, names="kind"),
    Bad("an unknown kind", {"kind": "sculpture", "prompt": "x"}, names="kind"),
    Bad("a kind in capitals", {"kind": "IMAGE", "prompt": "x"}, names="kind"),
    Bad("a null kind", {"kind": None, "prompt": "x"}, names="kind"),
    Bad("an unknown model", image(model="procedurall"), code="unknown_model"),
    Bad("an empty model", image(model=""), code="unknown_model"),
    Bad("a model of another kind", {"kind": "video", "prompt": "x", "model": "procedural"}, code="unknown_model"),
    Bad("a number as model", image(model=1), names="model"),
    Bad("a very long model", image(model="m" * 100_000), names="model"),
    Bad("a width below the least", params(width=255), names="params.width"),
    Bad("a width above the most", params(width=2049), names="params.width"),
    Bad("a negative height", params(height=-512), names="params.height"),
    Bad("a broken width", params(width=512.5), names="params.width"),
    Bad("a text as width", params(width="512"), names="params.width"),
    Bad("true as width", params(width=True), names="params.width"),
    Bad("null as width", params(width=None), names="params.width"),
    Bad("a list as width", params(width=[512]), names="params.width"),
    Bad("an object as width", params(width={"px": 512}), names="params.width"),
    Bad("10^400 as width", raw_params(HUGE), names="params.width"),
    Bad("-10^400 as width", raw_params(f"-{HUGE}"), names="params.width"),
    Bad("1e999 as width", raw_params("1e999"), names="params.width"),
    Bad("10^400 in a list as width", raw_params(f"[{HUGE}]"), names="params.width.0"),
    Bad("a seed beyond its range", params(seed=2**31), names="params.seed"),
    Bad("a negative seed", params(seed=-1), names="params.seed"),
    Bad("no pictures at all", params(n=0), names="params.n"),
    Bad("eleven pictures", params(n=11), names="params.n"),
    Bad("an unknown format", params(format="tiff"), names="params.format"),
    Bad("an unknown parameter", params(widht=512), names="params.widht"),
    Bad("a parameter with an endless name", params(**{"w" * 50_000: 1})),
    Bad("params as list", image(params=[1, 2]), names="params"),
    Bad("params as text", image(params="width=512"), names="params"),
    Bad("params as null", image(params=None), names="params"),
    Bad("an unknown field", image(colour="red"), names="colour"),
    Bad("a field with an odd name", image(**{"$.a\n[0]": 1})),
    Bad("labels as list", image(labels=["a"]), names="labels"),
    Bad("a number as label", image(labels={"a": 1}), names="labels.a"),
    Bad("a label with capitals in its key", image(labels={"Chapter": "1"}), names="labels"),
    Bad("a label with an empty key", image(labels={"": "1"}), names="labels"),
    Bad("a label with a line break in its key", image(labels={"a\n": "1"}), names="labels"),
    Bad("a label with a key of 65 characters", image(labels={"k" * 65: "1"}), names="labels"),
    Bad("a label of 257 characters", image(labels={"a": "v" * 257}), names="labels"),
    Bad("seventeen labels", image(labels={f"k{n}": "v" for n in range(17)}), names="labels"),
    Bad("a priority of eleven", image(priority=11), names="priority"),
    Bad("a priority of minus eleven", image(priority=-11), names="priority"),
    Bad("a broken priority", image(priority=1.5), names="priority"),
    Bad("true as priority", image(priority=True), names="priority"),
    Bad("10^400 as priority", b'{"kind":"image","prompt":"x","priority":' + HUGE.encode() + b"}", names="priority"),
    Bad("a deadline of nothing", image(deadline=0), names="deadline"),
    Bad("a deadline of two days", image(deadline=172_800), names="deadline"),
    Bad("a text as deadline", image(deadline="60"), names="deadline"),
    Bad("1e999 as deadline", b'{"kind":"image","prompt":"x","deadline":1e999}', names="deadline"),
    Bad("10^400 as deadline", b'{"kind":"image","prompt":"x","deadline":' + HUGE.encode() + b"}", names="deadline"),
    Bad("a start without time zone", image(start_at="2030-01-01T00:00:00"), names="start_at"),
    Bad("a start that is no date", image(start_at="tomorrow"), names="start_at"),
    Bad("a start on the 31st of February", image(start_at="2030-02-31T00:00:00Z"), names="start_at"),
    Bad("a start as a number", image(start_at=1_900_000_000), names="start_at"),
    Bad("a start as a number in text", image(start_at="1900000000"), names="start_at"),
    Bad("a start at the end of time", image(start_at="9999-12-31T23:59:59Z"), names="start_at"),
    Bad("an endless number as start", b'{"kind":"image","prompt":"x","start_at":1e300}', names="start_at"),
    Bad("an empty Idempotency-Key", image(), headers={"Idempotency-Key": ""}),
    Bad("an Idempotency-Key of 256 characters", image(), headers={"Idempotency-Key": "k" * 256}),
    Bad("an Idempotency-Key with a NUL", image(), headers={"Idempotency-Key": "a\x00b"}),
]

ABOUT_THE_KIND = frozenset(
    {
        "no kind",
        "an unknown kind",
        "a kind in capitals",
        "a null kind",
        "a model of another kind",
        "params as null",  # there the older way to say that there are none
    }
)

UNREADABLE = [
    Bad("an empty body", b""),
    Bad("white space", b"  \n"),
    Bad("a list", b"[]"),
    Bad("a text", b'"a lighthouse"'),
    Bad("a number", b"7"),
    Bad("null", b"null"),
    Bad("true", b"true"),
    Bad("half an object", b'{"kind": "image"'),
    Bad("two objects", b'{"kind":"image","prompt":"x"}{}'),
    Bad("single quotes", b"{'kind': 'image'}"),
    Bad("a comma too many", b'{"kind":"image","prompt":"x",}'),
    Bad("NaN", raw_params("NaN")),
    Bad("Infinity", raw_params("Infinity")),
    Bad("minus Infinity", raw_params("-Infinity")),
    Bad("a number of 5,000 digits", raw_params(ENDLESS)),
    Bad("invalid UTF-8", b'{"kind":"image","prompt":"\xff\xfe"}'),
    Bad("a surrogate as UTF-8", b'{"kind":"image","prompt":"\xed\xa0\x80"}'),
    Bad("UTF-16", '{"kind":"image","prompt":"x"}'.encode("utf-16")),
    Bad("a byte order mark", b'\xef\xbb\xbf{"kind":"image","prompt":"x"}'),
    Bad("half a character in the prompt", rb'{"kind":"image","prompt":"\ud83d"}'),
    Bad("halves in the wrong order", rb'{"kind":"image","prompt":"\ude00\ud83d"}'),
    Bad("half a character as a key", rb'{"kind":"image","prompt":"x","labels":{"\udc00":"x"}}'),
    Bad("a NUL in the prompt", rb'{"kind":"image","prompt":"a\u0000b"}'),
    Bad("a NUL in a label", rb'{"kind":"image","prompt":"x","labels":{"a":"\u0000"}}'),
    Bad("a NUL in the model", rb'{"kind":"image","prompt":"x","model":"a\u0000"}'),
    Bad("a bare NUL", b'{"kind":"image","prompt":"a\x00b"}'),
    Bad("a bare line break", b'{"kind":"image","prompt":"a\nb"}'),
    Bad("the same field twice", b'{"kind":"image","prompt":"x","prompt":"y"}'),
    Bad("the same parameter twice", b'{"kind":"image","prompt":"x","params":{"n":1,"n":2}}'),
    *(Bad(f"lists nested {depth} deep", nested(depth)) for depth in (400, 900, 1_100, 5_000, 100_000)),
    *(Bad(f"objects nested {depth} deep", nested(depth, '{"a":', "}")) for depth in (400, 5_000)),
    *(Bad(f"lists nested {depth} deep, and an escape", nested_beside_escape(depth)) for depth in (400, 970, 5_000)),
    Bad("plain text", b"a lighthouse", headers={"Content-Type": "text/plain"}),
    Bad("a form", b"kind=image&prompt=x", headers={"Content-Type": "application/x-www-form-urlencoded"}),
    Bad("JSON that says it is text", json.dumps(image()).encode(), headers={"Content-Type": "text/plain"}),
    Bad("no content type", json.dumps(image()).encode(), headers={"Content-Type": ""}),
]


@pytest.mark.parametrize("bad", VALUES, ids=lambda bad: bad.why)
def test_a_job_with_a_wrong_value_is_refused_by_the_name_of_the_field(shared_door: Door, bad: Bad) -> None:
    _check_refusal(_post(shared_door, "/api/jobs", bad), bad)


def test_the_call_whose_kind_is_implied_refuses_the_same(sqlite_door: Door) -> None:
    for bad in VALUES:
        if bad.why not in ABOUT_THE_KIND:
            answer = _post(sqlite_door, "/api/jobs/image-generation", replace(bad, body=_without_kind(bad.body)))
            _check_refusal(answer, bad)


@pytest.mark.parametrize("bad", UNREADABLE, ids=lambda bad: bad.why)
def test_a_body_that_cannot_be_read_is_refused_as_such(shared_door: Door, bad: Bad) -> None:
    problem(_post(shared_door, "/api/jobs", bad), 400, "invalid_request")


def test_a_misspelt_model_is_answered_with_the_nearest_and_all_others(shared_door: Door) -> None:
    refusal = problem(shared_door.post("/api/jobs", json=image(model="procedurall")), 422, "unknown_model")
    assert refusal["did_you_mean"] == "procedural"
    assert "procedural" in refusal["supported"]
    assert "procedural" in refusal["remedy"]


def test_every_wrong_field_is_named_at_once(shared_door: Door) -> None:
    refusal = problem(shared_door.post("/api/jobs", json=image(prompt=" ", params={"width": 1, "n": 99})), 422)
    assert set(refusal["errors"]) == {"prompt", "params.width", "params.n"}


def test_a_refused_job_leaves_no_trace(sqlite_door: Door) -> None:
    for bad in VALUES[:20]:
        _post(sqlite_door, "/api/jobs", bad)
    assert sqlite_door.get("/api/jobs").json()["jobs"] == []


@pytest.mark.parametrize(
    "body",
    [
        b'{"kind":"image","prompt":"a","params":{"seed":[' + b"1e999," * 150_000 + b"1]}}",
        b'{"kind":"image","prompt":"a","params":{' + b",".join(b'"w%d":1' % n for n in range(70_000)) + b"}}",
        b'{"kind":"image","prompt":"a",' + b",".join(b'"w%d":1' % n for n in range(70_000)) + b"}",
        b'{"kind":"image","prompt":"a","labels":{' + b",".join(b'"w%d":1' % n for n in range(70_000)) + b"}}",
    ],
    ids=["entries", "parameters", "fields", "labels"],
)
def test_a_body_of_very_many_values_is_refused_in_few_words(shared_door: Door, body: bytes) -> None:
    answer = shared_door.post("/api/jobs", content=body, headers={"Content-Type": "application/json"})
    problem(answer, 400)
    assert len(answer.content) < 1_000


@pytest.mark.parametrize("field", ["params", "labels", None])
def test_of_many_wrong_values_only_some_are_named(shared_door: Door, field: str | None) -> None:
    many = {f"w{n}": 1 for n in range(2_000)}
    body = {"kind": "image", "prompt": "a", **({field: many} if field else many)}
    answer = shared_door.post("/api/jobs", json=body)
    assert len(problem(answer, 422)["errors"]) <= 20
    assert len(answer.content) < 8_000


def test_a_body_of_two_megabytes_is_refused_with_and_without_a_length(shared_door: Door) -> None:
    body = json.dumps(image(prompt="x" * 2_000_000)).encode()

    async def in_chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 65_536):
            yield body[start : start + 65_536]

    for content in (body, in_chunks()):
        refusal = problem(shared_door.post("/api/jobs", content=content, headers=JSON), 413, "too_large")
        assert "KiB" in refusal["detail"]


def test_the_refusal_of_a_large_body_reaches_a_client_that_is_still_sending(sqlite_door: Door) -> None:
    parts = [b"x" * 65_536] * 40
    with sqlite_door.listening() as base, httpx.Client(base_url=base, trust_env=False) as client:
        for content in (b"".join(parts), iter(parts)):
            problem(client.post("/api/jobs", content=content, headers=JSON), 413, "too_large")


def test_a_large_body_that_is_small_enough_is_read(shared_door: Door) -> None:
    body = json.dumps(image(prompt="x" * 900_000)).encode()
    assert problem(shared_door.post("/api/jobs", content=body, headers=JSON), 422)["errors"].keys() == {"prompt"}


@pytest.mark.parametrize("length", ["-1", "abc", "9" * 5_000, "\u00b2", "1e3", ""])
def test_an_odd_content_length_harms_nobody(shared_door: Door, length: str) -> None:
    headers = httpx.Headers([(b"Content-Type", b"application/json"), (b"Content-Length", length.encode("latin-1"))])
    assert shared_door.post("/api/jobs", content=b"[]", headers=headers).status_code in (400, 413)


@pytest.mark.parametrize(
    "job_id",
    [
        SOME_ID,
        "6f9619ff-8b86-4d01-b42d-00cf4fc964ff",
        SOME_ID.upper().replace("7000", "7ABC"),
        f"{{{SOME_ID}}}",
        SOME_ID.replace("-", ""),
        f"{SOME_ID}%0A",
        f"%20{SOME_ID}",
        "..%2f..%2fetc%2fpasswd",
        "1",
        "-1",
        "null",
        "%F0%9F%92%A1",
        "%ff%fe",
        "%ED%A0%80",
        "\u0661\u0662\u0663",
        "\uff10189000-0000-7000-8000-000000000000",
        "x" * 8_000,
        "%27%20OR%201=1--",
    ],
)
def test_an_odd_id_is_simply_not_found(shared_door: Door, job_id: str) -> None:
    for method, path in [
        ("GET", f"/api/jobs/{job_id}"),
        ("GET", f"/api/jobs/{job_id}/events"),
        ("POST", f"/api/jobs/{job_id}/cancel"),
    ]:
        answer = shared_door.request(method, path)
        problem(answer, 404, "not_found")
    refused = shared_door.get(f"/api/assets/{job_id}")
    problem(refused, 404 if "%2f" in job_id else 403)


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=-1",
        "limit=201",
        "limit=ten",
        "limit=",
        "limit=1.5",
        "limit=1e2",
        f"limit={HUGE}",
        f"limit={ENDLESS}",
        "limit=\u0661",
        "cursor=x",
        "cursor=" + "a" * 101,
        "cursor=====",
        "cursor=ag",
        "cursor=ai0x",
        "cursor=ajA",
        "cursor=" + "ajk5OTk5OTk5OTk5OTk5OTk5OTk5",
        "cursor=%F0%9F%92%A1",
        "cursor=asKy",
        "status=done",
        "status=PENDING",
        "status=",
        "kind=batch2",
        "kind=",
        "model=" + "m" * 201,
        "since=yesterday",
        "since=2030-01-01",
        "since=2030-01-01T00:00:00",
        "since=1e400",
        "since=1900000000",
    ],
)
def test_a_list_with_a_wrong_filter_is_refused(shared_door: Door, query: str) -> None:
    name = query.partition("=")[0]
    assert name in problem(shared_door.get(f"/api/jobs?{query}"), 422, "invalid_params")["errors"]


@pytest.mark.parametrize("query", ["dryrun=true", "Status=failed", "label=1", "n" * 300 + "=1", "=1", "🌊=1&b=2"])
def test_a_parameter_that_a_call_does_not_know_is_refused_and_nothing_is_done(shared_door: Door, query: str) -> None:
    before = shared_door.get("/api/jobs").json()
    for answer in (shared_door.post(f"/api/jobs?{query}", json=image()), shared_door.get(f"/api/jobs?{query}")):
        errors = problem(answer, 422, "invalid_params")["errors"]
        assert list(errors) == [part.partition("=")[0][:200] for part in query.split("&")]
        assert all(texts == ["is not a parameter of this call"] for texts in errors.values())
    assert shared_door.get("/api/jobs").json() == before


def test_every_call_refuses_parameters_that_it_does_not_know(shared_door: Door) -> None:
    described = shared_door.get("/openapi.json").json()["paths"]
    for path, method in [(path, method) for path, calls in described.items() for method in calls]:
        address = re.sub(r"{\w+}", SOME_ID, path)
        answer = shared_door.request(method.upper(), f"{address}?nonsense=1&exp=1&sig=1&limit=1")
        expected = 400 if path.startswith("/v1/") else 422  # OpenAI has one status for whatever is wrong
        assert answer.status_code == expected, path
        assert "nonsense" in answer.text, path


@pytest.mark.parametrize(
    "address",
    [
        "/api/jobs/%00",
        "/api/jobs/a%00b/events",
        "/api/jobs?model=%00",
        "/api/jobs?status=%00",
        "/api/jobs?cursor=a%00b",
        "/api/jobs?%00=1",
        f"/api/assets/{SOME_ID}?exp=1&sig=%00",
        "/static/%00",
        "/%00",
    ],
)
def test_an_address_with_a_nul_is_refused(shared_door: Door, address: str) -> None:
    problem(shared_door.get(address), 400, "invalid_request")


@pytest.mark.parametrize("since", ["0001-01-01T00:00:00%2B23:59", "0001-01-01T00:00:00Z", "8999-12-30T23:59:59-23:59"])
def test_a_list_since_the_edge_of_time_is_a_list(shared_door: Door, since: str) -> None:
    assert shared_door.get(f"/api/jobs?since={since}").status_code == 200


@pytest.mark.parametrize("cursor", ["x", "-1", "1.5", "1e3", "\u00b2", "\u00b9", "9" * 21, "9" * 4_500, "a\x00", " "])
def test_an_odd_last_event_id_is_refused_or_taken_as_none(shared_door: Door, cursor: str) -> None:
    job_id = shared_door.submit()["id"]
    headers = httpx.Headers([(b"Last-Event-ID", cursor.encode("latin-1"))])
    problem(shared_door.get(f"/api/jobs/{job_id}/events", headers=headers), 422, "invalid_params")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/api/jobs", {"GET", "HEAD", "POST"}),
        ("PUT", "/api/jobs", {"GET", "HEAD", "POST"}),
        ("PATCH", f"/api/jobs/{SOME_ID}", {"DELETE", "GET", "HEAD"}),
        ("POST", f"/api/jobs/{SOME_ID}", {"DELETE", "GET", "HEAD"}),
        ("GET", f"/api/jobs/{SOME_ID}/cancel", {"POST"}),
        ("HEAD", f"/api/jobs/{SOME_ID}/cancel", {"POST"}),
        ("POST", f"/api/jobs/{SOME_ID}/events", {"GET", "HEAD"}),
        ("POST", "/api/models", {"GET", "HEAD"}),
        ("PUT", f"/api/assets/{SOME_ID}", {"DELETE", "GET", "HEAD"}),
        ("OPTIONS", "/api/jobs", {"GET", "HEAD", "POST"}),
        ("TRACE", "/api/live", {"GET", "HEAD"}),
        ("BREW", "/api/live", {"GET", "HEAD"}),
        ("POST", "/", {"GET", "HEAD"}),
        ("POST", "/static/index.html", {"GET", "HEAD"}),
        ("POST", "/openapi.json", {"GET", "HEAD"}),
    ],
)
def test_a_method_that_an_address_does_not_have_is_refused_with_those_it_has(
    shared_door: Door, method: str, path: str, allowed: set[str]
) -> None:
    answer = shared_door.request(method, path)
    assert set(answer.headers["Allow"].split(", ")) == allowed
    if method != "HEAD":
        problem(answer, 405, "invalid_request")


@pytest.mark.parametrize(
    "path",
    [
        "/api",
        "/api/",
        "/api/nothing",
        "/nowhere",
        "/static/nothing.js",
        "/static/../../pyproject.toml",
        "/static/%2e%2e/%2e%2e/app.py",
        "/static/..%5c..%5capp.py",
        "/static/" + "x" * 5_000,
        "/%ff",
        "/api/jobs/" + SOME_ID + "/nothing",
    ],
)
def test_an_address_where_nothing_is_says_so(shared_door: Door, path: str) -> None:
    problem(shared_door.get(path), 404, "not_found")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
fields = st.sampled_from(["kind", "prompt", "model", "params", "labels", "priority", "deadline", "start_at", "width"])
nearly_jobs = st.dictionaries(fields, json_values, max_size=5).map(lambda given: {**image(), **given})
calm = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@calm
@given(body=json_values | nearly_jobs | nearly_jobs.map(lambda job: image(params=job)))
def test_no_json_whatever_makes_the_server_fail(shared_door: Door, body: Any) -> None:
    for path in ("/api/jobs", "/api/jobs/image-generation"):
        answer = shared_door.post(path, content=json.dumps(body).encode(), headers=JSON)
        assert answer.status_code < 500, answer.text


@calm
@given(body=st.binary(max_size=60))
def test_no_bytes_whatever_make_the_server_fail(shared_door: Door, body: bytes) -> None:
    assert 400 <= shared_door.post("/api/jobs", content=body, headers=JSON).status_code < 500


@calm
@given(query=st.dictionaries(st.sampled_from(["limit", "cursor", "status", "kind", "model", "since"]), st.text()))
def test_no_query_whatever_makes_the_server_fail(shared_door: Door, query: dict[str, str]) -> None:
    printable = {name: text.encode("utf-8", "replace").decode() for name, text in query.items()}
    assert shared_door.get("/api/jobs", params=printable).status_code < 500


def _post(door: Door, path: str, bad: Bad) -> httpx.Response:
    content = bad.body if isinstance(bad.body, bytes) else json.dumps(bad.body).encode()
    return door.post(path, content=content, headers={**JSON, **bad.headers})


def _check_refusal(answer: httpx.Response, bad: Bad) -> None:
    refusal = problem(answer, bad.status, bad.code)
    assert bad.names is None or bad.names in refusal["errors"], refusal
    assert bad.code != "unknown_model" or "procedural" in refusal["supported"] or "video" in refusal["detail"], refusal


def _without_kind(body: Any) -> Any:
    if isinstance(body, bytes):
        return body.replace(b'"kind":"image",', b"")
    return {name: value for name, value in body.items() if name != "kind"}
