"""Reading jobs: pages, filters, whose they are, how many are ahead."""

from __future__ import annotations

import pytest

from safelight.services import read_jobs
from safelight.services.calls import CallOutcome
from safelight.services.cancel import cancel
from safelight.services.claim import claim
from safelight.services.finish import finish
from safelight.services.job_pages import PageRequest, job_page
from safelight.services.read_jobs import job_details
from safelight.services.submit import submit
from safelight.store.database import Database
from safelight.store.tx import Tx
from tests.integration.services.scene import claimed, complete, delivery, job, pause, running, scene, submitted, wish


def pages(tx: Tx, limit: int, **filters: object) -> list[list[str]]:
    """Every page of Ann's jobs, as ids."""
    found, request = [], PageRequest("ann", limit, **filters)  # type: ignore[arg-type]
    while True:
        page, more = job_page(tx, request)
        found.append([details.job.id for details in page])
        if more is None:
            return found
        request = request._replace(before=more)


def test_pages_go_from_the_newest_to_the_oldest_and_miss_nothing(shared: Database) -> None:
    with scene(shared, users=("ann", "bob")) as tx:
        for n in range(7):
            submitted(tx, f"a{n}")
            submitted(tx, f"b{n}", user="bob")
        assert pages(tx, 3) == [["a6", "a5", "a4"], ["a3", "a2", "a1"], ["a0"]]
        assert pages(tx, 7) == [[f"a{n}" for n in reversed(range(7))]]


def test_jobs_that_come_while_one_reads_move_no_page(shared: Database) -> None:
    with scene(shared) as tx:
        submitted(tx, *"abcd")
        page, more = job_page(tx, PageRequest("ann", 2))
        assert [details.job.id for details in page] == ["d", "c"]
        assert more is not None
        submitted(tx, "e")
        page, more = job_page(tx, PageRequest("ann", 2, before=more))
        assert [details.job.id for details in page] == ["b", "a"]
        assert more is None


def test_an_empty_list_is_one_empty_page(shared: Database) -> None:
    with scene(shared) as tx:
        assert pages(tx, 3) == [[]]
        assert job_page(tx, PageRequest("nobody", 3)) == ([], None)


def test_a_page_can_be_narrowed_by_status_kind_model_and_time(shared: Database) -> None:
    with scene(shared) as tx:
        submitted(tx, "film", kind="video", model="film-1", queue="video")
        submitted(tx, "waits", "gone")
        (done,) = claimed(tx, "done", priority=9)
        complete(tx, done)
        cancel(tx, "gone", "ann")
        assert pages(tx, 9, status="pending") == [["waits", "film"]]
        assert pages(tx, 9, status="completed") == [["done"]]
        assert pages(tx, 9, kind="video") == [["film"]]
        assert pages(tx, 9, model="fake", status="canceled") == [["gone"]]
        assert pages(tx, 9, model="nothing") == [[]]
        assert pages(tx, 9, since=tx.now + 1) == [[]]
        assert pages(tx, 9, since=job(tx, "film").created_at) == [["done", "gone", "waits", "film"]]


def test_nobody_sees_other_peoples_jobs_but_the_system_sees_all(shared: Database) -> None:
    with scene(shared) as tx:
        submitted(tx, "a")
        assert job_details(tx, "a", "ann") is not None
        assert job_details(tx, "a", None) is not None
        assert job_details(tx, "a", "bob") is None
        assert job_details(tx, "nothing", "ann") is None


def test_a_waiting_job_knows_how_many_are_ahead_of_it(shared: Database) -> None:
    with scene(shared, users=("ann", "bob")) as tx:
        submit(tx, [wish(f"a{n}") for n in range(5)])
        submit(tx, [wish("b", "bob"), wish("urgent", priority=3), wish("other", queue="video")])
        submitted(tx, "later", start_at=tx.now + 60)

        def ahead(name: str) -> int | None:
            details = job_details(tx, name, None)
            assert details is not None
            return details.ahead

        assert [ahead(name) for name in ("urgent", "a0", "b", "a1", "a4", "other", "later")] == [0, 1, 2, 3, 6, 0, None]
        claim(tx, "w1", ["image"], 3)
        assert [ahead(name) for name in ("a0", "a1", "a4")] == [None, 0, 3]


@pytest.mark.parametrize("limit", [3])
def test_a_long_queue_is_counted_only_so_far(shared: Database, limit: int) -> None:
    with scene(shared, credits=10**6) as tx:
        submit(tx, [wish(f"a{n}") for n in range(read_jobs.COUNT_AHEAD + limit)])
        last = job_details(tx, f"a{read_jobs.COUNT_AHEAD + limit - 1}", None)
        assert last is not None
        assert last.ahead == read_jobs.COUNT_AHEAD


def test_a_job_that_waits_behind_a_pause_says_so(shared: Database) -> None:
    with scene(shared) as tx:
        submit(tx, [wish("a"), wish("b", queue="video")])
        pause(tx)
        paused = [details and details.queue_paused for details in (job_details(tx, name, None) for name in "ab")]
        assert paused == [True, False]


def test_a_delivered_job_comes_with_its_assets_in_order_and_what_it_cost(shared: Database) -> None:
    with scene(shared) as tx:
        taken = running(tx, "a", outputs=3)
        finish(tx, [delivery(taken, pictures=3, call=CallOutcome("call-a", "succeeded", 0.25))])
        details = job_details(tx, "a", "ann")
        assert details is not None
        assert [asset.id for asset in details.assets] == [f"a-1-{n}" for n in range(3)]
        assert details.cost_usd == 0.25
        (listed,), _ = job_page(tx, PageRequest("ann", 5))
        assert listed == details
        file = read_jobs.asset_file(tx, "a-1-1")
        assert file is not None
        assert (file.key, file.job_id, file.kind) == ("assets/a-1-1.png", "a", "image")
        assert read_jobs.asset_file(tx, "nothing") is None
