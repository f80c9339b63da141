"""What a job starts from: named in four ways, checked against the model, and brought in before the job is made."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from safelight.net.guarded import Guarded
from safelight.services import uploads
from safelight.testing.pictures import SIDE_PX, tiny_png
from tests.integration.api.problems import problem
from tests.integration.api.test_uploads import SOME_ID, change_uploads, collect, files, upload
from tests.support.door import BASE, Door
from tests.unit.net.places import PUBLIC, Handler, Names, Network, Seen, answering, ok, redirect, serving

CATALOG = """
[[models]]
id = "painter"
title = "Painter"
kind = "image"
typical_s = 1
price = { per = "image", credits = 1 }
inputs = { image = { need = "optional", most = 2 }, mask = "optional" }
routes = [{ provider = "procedural", model = "procedural" }]

[[models]]
id = "enlarger"
title = "Enlarger"
kind = "upscale"
typical_s = 1
price = { per = "image", credits = 1 }
inputs = { image = "required" }
routes = [{ provider = "procedural", model = "procedural" }]

[models.parameters.scale]
type = "integer"
minimum = 2
maximum = 4
default = 2
"""
CATALOG += f"""
[[models]]
id = "small-enlarger"
title = "One for small pictures"
kind = "upscale"
typical_s = 1
price = {{ per = "image", credits = 1 }}
inputs = {{ image = "required" }}
limits = {{ max_input_pixels = {SIDE_PX * SIDE_PX}, max_pixels = {4 * SIDE_PX * SIDE_PX} }}
routes = [{{ provider = "procedural", model = "procedural" }}]

[models.parameters.scale]
type = "integer"
minimum = 2
maximum = 4
default = 2
"""
URL = "http://files.test/picture.png"
DATA = f"data:image/png;base64,{base64.b64encode(tiny_png()).decode()}"


@pytest.fixture
def house(tmp_path: Path, database_url: str) -> Iterator[Door]:
    """An installation whose models take pictures, once on each database."""
    yield from _opened(tmp_path, database_url)


@pytest.fixture
def one_house(tmp_path: Path, sqlite_url: str) -> Iterator[Door]:
    yield from _opened(tmp_path, sqlite_url)


def _opened(folder: Path, database_url: str) -> Iterator[Door]:
    (folder / "own.toml").write_text(CATALOG)
    (folder / "safelight.toml").write_text('catalog = "own.toml"\n')
    door = Door(folder, database_url)
    yield door
    door.close()


def submit(door: Door, *inputs: dict[str, Any], key: str | None = None, **fields: Any) -> Any:
    body = {"kind": "image", "model": "painter", "prompt": "a pier", "inputs": list(inputs), **fields}
    return door.post("/api/jobs", json=body, headers={"Idempotency-Key": key} if key else {})


@contextmanager
def world(door: Door, handler: Handler, names: Names | None = None) -> Iterator[tuple[Network, Seen]]:
    """The internet of this installation while the block lasts: one server, behind a public address."""
    network, stack = Network(), ExitStack()
    guarded = Guarded(look_up=names or Names(files_test=[[PUBLIC]]), network=network)
    object.__setattr__(door.safelight.desk.intake, "guarded", guarded)
    serve = serving(handler, network)

    async def enter() -> Seen:
        return await serve.__aenter__()

    async def leave() -> None:
        await serve.__aexit__(None, None, None)

    seen = door.run(enter())
    stack.callback(lambda: door.run(leave()))
    with stack:
        yield network, seen


def test_an_upload_is_what_a_job_starts_from_and_is_shown_with_it(house: Door) -> None:
    upload_id = upload(house).json()["id"]
    body = submit(house, {"upload": upload_id}).json()
    size = {"width": SIDE_PX, "height": SIDE_PX, "bytes": len(tiny_png())}
    (shown,) = body["inputs"]
    assert shown == {"role": "image", "upload": upload_id, "mime": "image/png", **size, "url": shown["url"]}
    assert house.show(body["id"])["inputs"] == body["inputs"]


def test_the_pictures_of_a_job_that_starts_from_them_are_seen_at_their_addresses(house: Door) -> None:
    upload_id = upload(house).json()["id"]
    (brought,) = submit(house, {"upload": upload_id}).json()["inputs"]
    answer = house.get(brought["url"])
    assert (answer.status_code, answer.headers["Content-Type"], answer.content) == (200, "image/png", tiny_png())
    address, _, signature = brought["url"].partition("?")
    for wrong in (address, f"{address}?{signature[:-1]}", f"{address.replace(upload_id, SOME_ID)}?{signature}"):
        problem(house.get(wrong), 403, "forbidden")
    with house.working():
        asset = house.until_ended(submit(house, {"upload": upload_id}).json()["id"])["assets"][0]
    (delivered,) = submit(house, {"asset": asset["id"]}).json()["inputs"]
    assert delivered["url"] == asset["url"]


def test_the_address_of_an_upload_that_was_taken_back_leads_nowhere(house: Door) -> None:
    upload_id = upload(house).json()["id"]
    url = house.safelight.links_for("http://127.0.0.1").upload(upload_id)
    assert house.get(url).status_code == 200
    assert house.request("DELETE", f"/api/uploads/{upload_id}").status_code == 204
    problem(house.get(url), 404, "not_found")


def test_a_picture_may_stand_in_the_request_and_is_not_echoed(house: Door) -> None:
    answer = submit(house, {"data_uri": DATA})
    assert answer.status_code == 202
    assert "base64" not in answer.text
    (shown,) = answer.json()["inputs"]
    assert house.get(f"/api/uploads/{shown['upload']}").json()["bytes"] == len(tiny_png())


def test_a_url_is_fetched_once_when_the_job_is_submitted(house: Door) -> None:
    with world(house, answering(ok(tiny_png(), "Content-Type: image/png"))) as (network, seen):
        body = submit(house, {"url": URL}, {"role": "mask", "url": URL}).json()
    assert network.dialled == [(PUBLIC, 80)]
    assert len(seen.heads) == 1
    assert [shown["role"] for shown in body["inputs"]] == ["image", "mask"]
    assert len({shown["upload"] for shown in body["inputs"]}) == 1


@pytest.mark.parametrize(
    "url",
    [
        *("http://127.0.0.1:1/a.png", "http://169.254.169.254/latest/meta-data/", "http://[::1]/a.png"),
        *("http://2130706433/", "http://0177.0.0.1/", "http://localhost:9/", "ftp://files.test/a.png"),
        *("http://user:pw@files.test/a.png", "file:///etc/passwd", "nonsense", "http://files.test:0/"),
    ],
)
def test_no_url_leads_into_this_network(one_house: Door, url: str) -> None:
    answer = problem(submit(one_house, {"url": url}), 422, "invalid_params")
    assert list(answer["errors"]) == ["inputs[0].url"]
    assert one_house.get("/api/jobs").json()["jobs"] == []


def test_a_redirect_into_this_network_is_not_followed(one_house: Door) -> None:
    with world(one_house, answering(redirect("http://127.0.0.1/"))):
        answer = problem(submit(one_house, {"url": URL}), 422)
    assert list(answer["errors"]) == ["inputs[0].url"]


@pytest.mark.parametrize(
    "body",
    [
        ok(b"<html>", "Content-Type: text/html"),
        ok(tiny_png(), "Content-Type: text/html"),
        ok(tiny_png(), "Content-Type: image/jpeg"),
        ok(tiny_png()[:-20]),
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n" + tiny_png(),
        b"HTTP/1.1 404 Gone\r\nContent-Length: 0\r\n\r\n",
        b"nonsense\r\n\r\n",
    ],
)
def test_what_a_url_gives_must_be_the_picture_it_is_said_to_be(one_house: Door, body: bytes) -> None:
    with world(one_house, answering(body)):
        answer = problem(submit(one_house, {"url": URL}), 422, "invalid_params")
    assert list(answer["errors"]) == ["inputs[0].url"]
    assert files(one_house) == []


@pytest.mark.parametrize(
    "uri",
    [
        *("data:image/jpeg;base64," + DATA.split(",")[1], "data:image/png;base64,!!!!", "data:image/png,abc", "data:"),
        *("data:text/html;base64,PGh0bWw+", "data:image/png;base64,", DATA[:-40], "http://files.test/"),
    ],
)
def test_a_data_uri_must_be_the_picture_it_is_said_to_be(one_house: Door, uri: str) -> None:
    answer = problem(submit(one_house, {"data_uri": uri}), 422, "invalid_params")
    assert list(answer["errors"]) == ["inputs[0].data_uri"]


def test_a_file_of_an_earlier_job_is_an_input_by_its_id_and_by_its_url(house: Door) -> None:
    with house.working():
        first = house.until_ended(submit(house).json()["id"])
    (asset,) = first["assets"]
    for named in (
        {"asset": asset["id"]},
        {"url": asset["url"]},
        {"url": asset["url"].replace("127.0.0.1", "localhost")},
    ):
        (shown,) = submit(house, named).json()["inputs"]
        assert (shown["asset"], shown["width"], shown["bytes"]) == (asset["id"], asset["width"], asset["bytes"])
    assert files(house) == []


def test_other_addresses_of_this_installation_are_not_fetched(one_house: Door) -> None:
    for path in ("/api/health", f"/api/assets/{SOME_ID}", "/api/assets/../jobs", f"/api/uploads/{SOME_ID}", "/"):
        answer = problem(submit(one_house, {"url": f"{BASE}{path}"}), 422, "invalid_params")
        assert list(answer["errors"]) == ["inputs[0].url"]


def test_other_peoples_pictures_are_not_there(house: Door) -> None:
    with house.working():
        job = house.until_ended(submit(house).json()["id"])
    upload_id, asset_id = upload(house).json()["id"], job["assets"][0]["id"]
    house.give_away(job["id"])
    change_uploads(house, user_id="somebody")
    answer = problem(submit(house, {"upload": upload_id}, {"asset": asset_id}), 422, "invalid_params")
    unknown = problem(submit(house, {"upload": SOME_ID}, {"asset": SOME_ID}), 422, "invalid_params")
    assert answer["errors"] == unknown["errors"]
    assert list(answer["errors"]) == ["inputs[0].upload", "inputs[1].asset"]


def test_the_model_says_what_it_takes(one_house: Door) -> None:
    image = {"data_uri": DATA}
    wrong = [
        ([{"role": "first_frame", **image}], "inputs[0].role"),
        ([image, image, image], "inputs"),
        ([image, {"role": "frame", **image}], "inputs[1].role"),
        ([{}], "inputs[0]"),
        ([{"upload": SOME_ID, "asset": SOME_ID}], "inputs[0]"),
        ([{"upload": 7}], "inputs[0].upload"),
        ([{**image, "x": 1}], "inputs[0].x"),
        ([image] * 99, "inputs"),
        ("nonsense", "inputs"),
    ]
    for inputs, path in wrong:
        body = {"kind": "image", "model": "painter", "prompt": "a pier", "inputs": inputs}
        answer = problem(one_house.post("/api/jobs", json=body), 422, "invalid_params")
        assert list(answer["errors"]) == [path], inputs
    answer = problem(submit(one_house, image, model="procedural"), 422, "invalid_params")
    assert "no inputs" in answer["errors"]["inputs[0].role"][0]
    assert files(one_house) == []  # nothing was brought in for a request that is refused anyway


def test_a_model_that_needs_a_picture_is_not_run_without(one_house: Door) -> None:
    answer = problem(one_house.post("/api/jobs/image-upscale", json={"model": "enlarger"}), 422, "invalid_params")
    assert answer["errors"] == {"inputs": ["this model needs one of role 'image'"]}


def test_older_bodies_of_upscale_mean_the_same_job(one_house: Door) -> None:
    new = one_house.post(
        "/api/jobs/image-upscale", json={"model": "enlarger", "inputs": [{"data_uri": DATA}], "params": {"scale": 3}}
    ).json()
    old = one_house.post("/api/jobs/image-upscale", json={"model": "enlarger", "imageUrl": DATA, "scale": 3}).json()
    for name in ("kind", "model", "params", "inputs", "prompt"):
        assert old[name] == new[name]
    assert (old["kind"], old["params"], old["jobId"]) == ("upscale", {"scale": 3}, old["id"])
    with world(one_house, answering(ok(tiny_png()))):
        body = one_house.post("/api/jobs/image-upscale", json={"model": "enlarger", "imageUrl": URL}).json()
    assert body["inputs"] == new["inputs"]


def test_two_names_for_the_same_thing_are_refused(one_house: Door) -> None:
    body = {"model": "enlarger", "imageUrl": DATA, "inputs": [{"data_uri": DATA}], "scale": 2, "params": {"scale": 2}}
    answer = problem(one_house.post("/api/jobs/image-upscale", json=body), 422, "invalid_params")
    assert list(answer["errors"]) == ["imageUrl", "scale"]


def test_routes_of_the_kinds_take_inputs_too(one_house: Door) -> None:
    body = {"model": "painter", "prompt": "a pier", "inputs": [{"data_uri": DATA}]}
    assert one_house.post("/api/jobs/image-generation", json=body).json()["inputs"][0]["mime"] == "image/png"


def test_items_of_a_batch_have_their_own_inputs_or_those_of_the_batch(house: Door) -> None:
    upload_id = upload(house, tiny_png(5)).json()["id"]
    items = [{"prompt": "a"}, {"prompt": "b", "inputs": [{"upload": upload_id}]}, {"prompt": "c", "inputs": []}]
    body = {"model": "painter", "items": items, "inputs": [{"data_uri": DATA}]}
    batch = house.post("/api/jobs/batch-generation", json=body).json()
    made = house.get(f"/api/jobs/{batch['id']}/items").json()["jobs"]
    named = [[shown["upload"] for shown in job["inputs"]] for job in made]
    assert named[1:] == [[upload_id], []]
    assert len(named[0]) == 1
    assert named[0] != [upload_id]


def test_every_input_of_a_batch_that_is_wrong_is_named(one_house: Door) -> None:
    items = [
        {"prompt": "a", "inputs": [{"upload": SOME_ID}]},
        {"prompt": "b", "inputs": [{"data_uri": DATA}]},
        {"prompt": "c", "inputs": [{"asset": SOME_ID}]},
    ]
    answer = problem(one_house.post("/api/jobs/batch-generation", json={"model": "painter", "items": items}), 422)
    assert list(answer["errors"]) == ["items[0].inputs[0].upload", "items[2].inputs[0].asset"]


def test_one_request_does_not_fetch_without_end(one_house: Door) -> None:
    items = [{"prompt": "a", "inputs": [{"url": f"{URL}?{n}"}]} for n in range(30)]
    with world(one_house, answering(ok(tiny_png()))) as (network, _):
        answer = problem(one_house.post("/api/jobs/batch-generation", json={"model": "painter", "items": items}), 422)
    assert len(answer["errors"]) == 10
    assert network.dialled == []


def test_the_same_key_gives_the_same_job_and_fetches_nothing_again(house: Door) -> None:
    with world(house, answering(ok(tiny_png()))) as (network, _):
        first = submit(house, {"url": URL}, key="k")
        again = submit(house, {"url": URL}, key="k")
    assert again.json()["id"] == first.json()["id"]
    assert again.headers["Idempotency-Replayed"] == "true"
    assert len(network.dialled) == 1
    problem(submit(house, {"url": f"{URL}?other"}, key="k"), 422, "idempotency_mismatch")
    problem(submit(house, key="k"), 422, "idempotency_mismatch")
    assert submit(house, {"data_uri": DATA}, key="d").status_code == 202
    assert submit(house, {"data_uri": DATA}, key="d").status_code == 202
    other = f"data:image/png;base64,{base64.b64encode(tiny_png(3)).decode()}"
    problem(submit(house, {"data_uri": other}, key="d"), 422, "idempotency_mismatch")


def test_what_a_job_names_stays_and_is_not_taken_back(house: Door) -> None:
    upload_id = upload(house).json()["id"]
    submit(house, {"upload": upload_id})
    assert upload(house).json()["expires_at"] is None
    change_uploads(house, expires_at=1.0)  # as if it had been let go just before
    assert collect(house) == 0
    problem(house.request("DELETE", f"/api/uploads/{upload_id}"), 409, "conflict")
    assert len(files(house)) == 1


def test_used_pictures_do_not_count_against_the_limit_of_unused_ones(house: Door) -> None:
    rules = house.safelight.desk.intake.rules
    object.__setattr__(rules, "quota_bytes", len(tiny_png()) + 10)
    submit(house, {"upload": upload(house).json()["id"]})
    assert upload(house, tiny_png(3)).status_code == 201
    problem(upload(house, tiny_png(4)), 429)


def test_a_job_is_made_again_from_the_same_picture(house: Door) -> None:
    with house.working():
        first = house.until_ended(submit(house, {"data_uri": DATA}).json()["id"])
        again = house.post(f"/api/jobs/{first['id']}/replay", json={"mode": "rerun"}).json()
        assert house.until_ended(again["id"])["status"] == "completed"
    assert again["inputs"] == first["inputs"]


def test_an_upload_that_went_between_the_look_and_the_submit_is_refused(house: Door) -> None:
    """The look finds it, then its owner takes it back, then the job is stored."""
    upload_id = upload(house).json()["id"]
    desk, remove = house.safelight.desk, uploads.remove_upload

    async def race() -> None:
        from safelight.services.inputs import InputRef
        from safelight.services.prepare import Caller, JobRequest

        request = JobRequest("image", "a pier", "painter", inputs=(InputRef("image", "upload", upload_id),))
        prepared = await desk.prepared(request, Caller("local", None, "key"))
        await house.safelight.database.write(remove, upload_id, "local")
        await desk.store(prepared, Caller("local", None, "key"))

    with pytest.raises(Exception, match="no longer there"):
        house.run(race())
    assert house.get("/api/jobs").json()["jobs"] == []
    assert submit(house, key="key").status_code == 202  # the refusal left no trace under its key


def test_submits_and_removals_at_the_same_time_never_leave_a_job_without_its_picture(house: Door) -> None:
    for shade in range(6):
        upload_id = upload(house, tiny_png(100 + shade)).json()["id"]

        async def both(upload_id: str = upload_id) -> list[Any]:
            body = {"kind": "image", "model": "painter", "prompt": "a pier", "inputs": [{"upload": upload_id}]}
            client = house._client
            submitted = client.post("/api/jobs", json=body)
            removed = client.request("DELETE", f"/api/uploads/{upload_id}")
            return await asyncio.gather(submitted, removed)

        submitted, removed = house.run(both())
        assert (submitted.status_code, removed.status_code) in ((202, 409), (422, 204), (422, 404))


def test_a_picture_that_is_too_large_to_be_made_larger_is_refused_at_submit(one_house: Door) -> None:
    def enlarged(**params: int) -> str:
        body = {"model": "small-enlarger", "inputs": [{"data_uri": DATA}], "params": params}
        answer = one_house.post("/api/jobs/image-upscale", json=body)
        if answer.status_code == 202:
            return "taken"
        (text,) = problem(answer, 422, "invalid_params")["errors"]["inputs[0]"]
        return str(text)

    assert enlarged(scale=2) == "taken"
    side = 3 * SIDE_PX
    assert enlarged(scale=3).startswith(f"the result would be too large: at most 0.0 megapixels, got {side} by {side}")
    jobs = [{"kind": "upscale", "model": "small-enlarger", "params": {"scale": scale}} for scale in (2, 3)]
    batch = {"kind": "batch", "items": [{**job, "inputs": [{"data_uri": DATA}]} for job in jobs]}
    refused = problem(one_house.post("/api/jobs", json=batch), 422, "invalid_params")
    assert list(refused["errors"]) == ["items[1].inputs[0]"]


def test_openapi_says_how(one_house: Door) -> None:
    described = one_house.get("/openapi.json").json()
    form = described["paths"]["/api/uploads"]["post"]["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert form["properties"]["file"]["format"] == "binary"
    assert set(described["components"]["schemas"]["Input"]["properties"]) == {
        "role",
        "upload",
        "asset",
        "url",
        "data_uri",
    }
