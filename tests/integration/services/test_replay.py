"""Resume: what an ended job's call made is fetched by a new job, once at a time, and not paid for twice."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from safelight.domain.errors import Conflict, InsufficientCredits
from safelight.domain.jobs import Status
from safelight.services import aftercare
from safelight.services.calls import Accepted, CallOutcome, accepted
from safelight.services.claim import claim
from safelight.services.credits import balance_of
from safelight.services.finish import Ending, finish
from safelight.services.job_pages import PageRequest, job_page
from safelight.services.late import Late, keep_late
from safelight.services.originals import original
from safelight.services.read_jobs import job_details
from safelight.services.refund import Refund, refund
from safelight.services.replay import Resume, resume, source_of
from safelight.services.submission import Answer, Replayed, Submitted
from safelight.store.database import Database
from safelight.store.tx import Tx
from safelight.testing.books import assert_books_balance
from tests.integration.services.scene import (
    all_jobs,
    an_asset,
    assets_of,
    calls_of,
    delivery,
    fund,
    go_on,
    is_at_rest,
    job,
    ledger_of,
    pause,
    running,
    scene,
    set_scene,
    tag_of,
    told,
    wish,
)
from tests.integration.services.test_concurrency import PATIENCE_S, processes


def failed(tx: Tx, name: str = "a", *, late: bool = False, **given: Any) -> Any:
    """A job that failed while its provider went on; with `late`, the result came afterwards."""
    taken = running(tx, name, repeatable=False, **given)
    accepted(tx, [Accepted(f"call-{name}", f"remote-{name}")])
    assert finish(tx, [Ending(taken.number, taken.fence, Status.FAILED, error="{}")]) == [True]
    if late:
        bring_late(tx, name)
    return job(tx, name)


def bring_late(tx: Tx, name: str = "a") -> bool:
    files = [an_asset(f"{name}-late-{n}", n)._replace(call_id=f"call-{name}") for n in range(2)]
    (kept,) = keep_late(tx, [Late(job(tx, name).number, CallOutcome(f"call-{name}", "succeeded", 0.02), files)])
    return kept


def fail_to_resume(tx: Tx) -> None:
    """A job `b` that resumes `a` and has failed; the provider may still have the result."""
    resumed(tx, "a", "b")
    (taken,) = claim(tx, "w1", ["image"], 1)
    assert finish(tx, [Ending(taken.number, taken.fence, Status.FAILED, error="{}")]) == [True]


def asked(tx: Tx, name: str, new: str, **given: Any) -> Resume:
    first = original(tx, name, "ann")
    assert first is not None
    source = source_of(tx, first.number)
    assert source is not None
    wanted = wish(new, outputs=first.outputs, replay_of=first.number, resumed_call=source.id, price=99, **given)
    return Resume(first, source, wanted, f"call-{new}")


def resumed(tx: Tx, name: str, new: str, **given: Any) -> Answer:
    return resume(tx, asked(tx, name, new, **given))


def test_a_resumed_job_waits_with_an_open_call_of_its_own_for_the_same_remote_id(shared: Database) -> None:
    with scene(shared) as tx:
        first = failed(tx)
        assert resumed(tx, "a", "b") == Submitted("b")
        made = job(tx, "b")
        assert (made.status, made.ready, made.resumes, made.replay_of) == ("pending", True, False, first.number)
        (call,) = calls_of(tx, made.number)
        assert (call.state, call.remote_id, call.provider, call.model) == ("accepted", "remote-a", "fake", "m")
        assert (call.repeatable, call.cost_usd, call.worker_id) == (False, 0.0, "")


def test_it_takes_its_turn_and_delivers_like_any_job(shared: Database) -> None:
    with scene(shared) as tx:
        failed(tx, price=30)
        resumed(tx, "a", "b")
        pause(tx)
        assert claim(tx, "w1", ["image"], 5) == [], "or its user could pass all others by free resumes"
        go_on(tx)
        (taken,) = claim(tx, "w1", ["image"], 5)
        assert (taken.id, taken.resumed_call) == ("b", "call-a")
        assert finish(tx, [delivery(taken, call=CallOutcome("call-b", "succeeded"))]) == [True]
        assert job(tx, "b").captured == 30


def test_nobody_looks_after_the_first_call_any_more(shared: Database) -> None:
    with scene(shared) as tx:
        first = failed(tx)
        assert aftercare.any_due(tx, ["fake"])
        resumed(tx, "a", "b")
        (call,) = calls_of(tx, first.number)
        assert (call.state, call.check_at, call.error) == ("failed", None, "resumed by job b")
        assert not aftercare.any_due(tx, ["fake"])
        assert not bring_late(tx)


def test_a_resume_of_what_was_not_paid_for_costs_what_the_first_did(shared: Database) -> None:
    with scene(shared, credits=30) as tx:
        failed(tx, price=30)
        resumed(tx, "a", "b")
        assert job(tx, "b").price == 30
        assert balance_of(tx, "ann").available == 0


def test_a_resume_of_what_was_paid_for_is_free_until_all_of_it_was_given_back(shared: Database) -> None:
    with scene(shared) as tx:
        taken = running(tx, "a", repeatable=False, price=30)
        accepted(tx, [Accepted("call-a", "remote-a")])
        finish(tx, [delivery(taken, call=CallOutcome("call-a", "succeeded"))])
        refund(tx, Refund("a", 10, "r1"))
        resumed(tx, "a", "b")
        assert job(tx, "b").price == 0
        (again,) = claim(tx, "w1", ["image"], 1)
        finish(tx, [Ending(again.number, again.fence, Status.FAILED, error="{}", call=CallOutcome("call-b", "failed"))])
        refund(tx, Refund("a", None, "r2"))
        resumed(tx, "a", "c")
        assert job(tx, "c").price == 30


def test_a_resume_of_a_free_resume_costs_what_was_given_back(shared: Database) -> None:
    with scene(shared) as tx:
        taken = running(tx, "a", repeatable=False, price=30)
        accepted(tx, [Accepted("call-a", "remote-a")])
        finish(tx, [delivery(taken, call=CallOutcome("call-a", "succeeded"))])
        resumed(tx, "a", "b")
        (taken,) = claim(tx, "w1", ["image"], 1)
        finish(tx, [delivery(taken, call=CallOutcome("call-b", "succeeded"))])
        assert job(tx, "b").price == 0
        refund(tx, Refund("a", None, "r"))
        resumed(tx, "b", "c")
        assert job(tx, "c").price == 30


@pytest.mark.parametrize("late", [False, True])
def test_what_one_resume_paid_for_the_next_one_has_for_nothing(shared: Database, late: bool) -> None:
    with scene(shared) as tx:
        failed(tx, price=30, late=late)
        resumed(tx, "a", "b")
        if not late:
            (taken,) = claim(tx, "w1", ["image"], 1)
            finish(tx, [delivery(taken, call=CallOutcome("call-b", "succeeded"))])
        assert job(tx, "b").captured == 30
        resumed(tx, "a", "c")
        assert job(tx, "c").price == 0
        (again,) = claim(tx, "w1", ["image"], 1)
        finish(tx, [Ending(again.number, again.fence, Status.FAILED, error="{}", call=CallOutcome("call-c", "failed"))])
        refund(tx, Refund("b", None, "r"))
        resumed(tx, "a", "d")
        assert job(tx, "d").price == 30


def test_only_one_live_job_resumes_a_call(shared: Database) -> None:
    with scene(shared) as tx:
        failed(tx)
        resumed(tx, "a", "b")
        refused = resumed(tx, "a", "c", key="k")
        assert isinstance(refused, Conflict)
        assert refused.evidence == {"job_id": "b"}
        (taken,) = claim(tx, "w1", ["image"], 1)
        finish(tx, [Ending(taken.number, taken.fence, Status.FAILED, error="{}", call=CallOutcome("call-b", "failed"))])
        assert resumed(tx, "a", "c", key="k") == Submitted("c")


def test_a_call_and_a_resume_of_it_are_not_resumed_side_by_side_for_both_would_be_paid(shared: Database) -> None:
    with scene(shared) as tx:
        failed(tx)
        fail_to_resume(tx)
        assert resumed(tx, "a", "c") == Submitted("c")
        refused = resumed(tx, "b", "d", key="k")
        assert isinstance(refused, Conflict)
        assert refused.evidence == {"job_id": "c"}
        (taken,) = claim(tx, "w1", ["image"], 1)
        assert finish(tx, [delivery(taken, call=CallOutcome("call-c", "succeeded"))]) == [True]
        assert resumed(tx, "b", "d", key="k") == Submitted("d")
        assert job(tx, "d").price == 0


def test_a_resume_that_is_not_covered_leaves_no_trace(shared: Database) -> None:
    with scene(shared, credits=30) as tx:
        first = failed(tx, price=30)
        running(tx, "busy", price=1)
        tag = tag_of(tx, "ann")
        refused = resumed(tx, "a", "b", key="k")
        assert isinstance(refused, InsufficientCredits)
        assert [row.id for row in all_jobs(tx)] == ["a", "busy"]
        assert calls_of(tx, first.number)[0].state == "accepted"
        assert tag_of(tx, "ann") == tag
        fund(tx, "ann")
        assert resumed(tx, "a", "b", key="k") == Submitted("b")
        assert resumed(tx, "a", "c", key="k") == Replayed("b")


def test_running_a_resume_again_with_the_same_ids_makes_one_job(shared: Database) -> None:
    with scene(shared) as tx:
        failed(tx)
        wanted = asked(tx, "a", "b")
        assert [resume(tx, wanted), resume(tx, wanted)] == [Submitted("b")] * 2
        assert len(all_jobs(tx)) == 2


def test_files_that_came_too_late_are_nobodys_until_the_job_is_resumed(shared: Database) -> None:
    with scene(shared) as tx:
        failed(tx, late=True)
        details = job_details(tx, "a", "ann")
        assert details is not None
        assert details.assets == ()
        assert [found.assets for found in job_page(tx, PageRequest("ann", 9))[0]] == [()]


@pytest.mark.parametrize(("outputs", "captured"), [(2, 30), (4, 15), (1, 30)])
def test_a_resume_has_such_files_at_once_and_pays_for_them(shared: Database, outputs: int, captured: int) -> None:
    with scene(shared) as tx:
        first = failed(tx, late=True, price=30, outputs=outputs)
        assert resumed(tx, "a", "b") == Submitted("b")
        made = job(tx, "b")
        assert (made.status, made.stage, made.progress, made.captured) == ("completed", "delivered", 1.0, captured)
        assert is_at_rest(made)
        assert told(tx, made.number) == ["submitted", "completed"]
        assert [line.kind for line in ledger_of(tx, made.number)] == ["hold", "capture"]
        assert [asset.recovered for asset in assets_of(tx, made.number)] == [False, False]
        assert assets_of(tx, first.number) == []
        assert [call.state for call in calls_of(tx, made.number)] == ["succeeded"]
        details = job_details(tx, "b", "ann")
        assert details is not None
        assert len(details.assets) == 2


def test_a_call_without_a_remote_id_is_no_source(shared: Database) -> None:
    with scene(shared) as tx:
        taken = running(tx, "a", repeatable=False)
        finish(tx, [Ending(taken.number, taken.fence, Status.FAILED, error="{}")])
        assert source_of(tx, taken.number) is None


@pytest.mark.parametrize("asked_of", ["aaaaaa", "abbaab"])
def test_of_two_processes_that_resume_a_call_at_once_one_is_refused(
    database: Database, database_url: str, asked_of: str
) -> None:
    """Whether they ask for it by the job that made it, or by one that failed to fetch its result."""

    async def scenario() -> list[Answer]:
        async with asyncio.timeout(PATIENCE_S), processes(database, database_url) as pair:
            await database.write(lambda tx: (set_scene(tx), failed(tx), fail_to_resume(tx)))
            wanted = [await database.read(asked, of, name) for of, name in zip(asked_of, "cdefgh", strict=True)]
            return list(await asyncio.gather(*(pair[n % 2].write(resume, each) for n, each in enumerate(wanted))))

    answers = asyncio.run(scenario())
    assert sorted(type(answer).__name__ for answer in answers) == ["Conflict"] * 5 + ["Submitted"]
    with database.transaction() as tx:
        assert len(all_jobs(tx)) == 3
        assert_books_balance(tx)
