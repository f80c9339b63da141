"""Prune: what may go, what has to stay, and what is left of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import pytest
import sqlalchemy as sa

from safelight.domain.errors import Gone
from safelight.domain.jobs import Status
from safelight.events.log import news
from safelight.services import deliveries, originals, prune, prune_keys, read_jobs, replay
from safelight.services.callback import Callback, written
from safelight.services.calls import Accepted, accepted
from safelight.services.cancel import cancel
from safelight.services.claim import claim
from safelight.services.finish import Ending, finish
from safelight.services.job_pages import PageRequest, job_page
from safelight.services.prune import KINDS, Cutoffs, mark, remove, walk
from safelight.services.sql import INTEGER, REAL, TEXT, arg
from safelight.store import tables
from safelight.store.database import Database
from safelight.store.statements import Change, Query
from safelight.store.tx import Tx
from tests.integration.services.scene import (
    all_jobs,
    assets_of,
    batched,
    calls_of,
    claimed,
    complete,
    events_of,
    job,
    ledger_of,
    running,
    scene,
    send,
    submitted,
    turn_back,
    wish,
)

DAY_S = 86_400.0


class Number(NamedTuple):
    number: int


_jobs = tables.jobs
_PICK_UP = Change(
    sa.update(_jobs).where(_jobs.c.number == arg("this_job", INTEGER)).values(resumed_call=arg("source", TEXT))
)
_LOOK_AFTER = Change(
    sa.update(tables.calls).where(tables.calls.c.job == arg("of_job", INTEGER)).values(check_at=arg("when", REAL))
)
_BATCHES = Query(sa.select(tables.batches.c.job), Number)
_DELIVERIES, _TRIES = (
    Query(sa.select(column), Number) for column in (tables.deliveries.c.number, tables.delivery_tries.c.delivery)
)
_AGE_KEYS = Change(sa.update(tables.idempotency_keys).values(created_at=arg("moved_to", REAL)))


def ended(tx: Tx, *names: str, days_ago: float = 31.0, **given: Any) -> None:
    """Completed jobs with a file, a call and events."""
    for name in names:
        taken = running(tx, name, **given)
        assert complete(tx, taken)
        turn_back(tx, taken.number, "finished_at", days_ago * DAY_S)


def prunable(tx: Tx, keep_s: float = 30 * DAY_S) -> list[str]:
    """The ids of the jobs that the walk would mark, in order."""
    names = {row.number: row.id for row in all_jobs(tx)}
    return [names[seen.number] for seen in walk(tx, 0, cutoffs(tx, keep_s)) if seen.prunable]


def cutoffs(tx: Tx, keep_s: float, **kinds: float) -> Cutoffs:
    """The same for all kinds, but those that are named."""
    return Cutoffs(**{kind: tx.now - kinds.get(kind, keep_s) for kind in KINDS})


def marked(tx: Tx, names: Sequence[str], keep_s: float = 30 * DAY_S) -> int:
    return mark(tx, [job(tx, name).number for name in names], cutoffs(tx, keep_s))


def test_only_jobs_that_ended_before_the_cutoff_may_go(shared: Database) -> None:
    with scene(shared) as tx:
        ended(tx, "old")
        ended(tx, "young", days_ago=29)
        claimed(tx, "running")
        submitted(tx, "waiting")
        assert prunable(tx) == ["old"]
        assert marked(tx, ["old", "young", "running", "waiting"]) == 1
        assert [row.id for row in prune.marked_jobs(tx, 0)] == ["old"]


def test_what_a_callback_was_told_goes_with_its_job(shared: Database) -> None:
    with scene(shared) as tx:
        told = written(Callback("http://hooks.test/"))
        ended(tx, "old", callback=told)
        ended(tx, "kept", days_ago=1, callback=told)
        for taken in deliveries.take_deliveries(tx, 10):
            deliveries.record_try(tx, deliveries.Tried(taken.number, taken.n, 0.1, 204))
        assert marked(tx, ["old"]) == 1
        remove(tx, [job(tx, "old").number])
        found = deliveries.of_job(tx, "kept", "ann") or []
        assert [(delivery.state, len(tries)) for delivery, tries in found] == [("delivered", 1)]
        assert len(tx.all(_TRIES)) == len(tx.all(_DELIVERIES)) == 1


def test_a_job_whose_call_is_still_looked_after_stays(shared: Database) -> None:
    with scene(shared) as tx:
        ended(tx, "a", "b")
        tx.run(_LOOK_AFTER, of_job=job(tx, "a").number, when=tx.now + 60)
        assert prunable(tx) == ["b"]
        assert marked(tx, ["a", "b"]) == 1


def test_each_kind_has_a_time_of_its_own_and_an_unknown_one_is_kept_longest(shared: Database) -> None:
    with scene(shared) as tx:
        for kind in (*KINDS, "hologram"):
            ended(tx, f"old-{kind}", days_ago=31, kind=kind)
            ended(tx, f"young-{kind}", days_ago=8, kind=kind)
        video_sooner = cutoffs(tx, 30 * DAY_S, video=7 * DAY_S, text=90 * DAY_S)
        numbers = [row.number for row in all_jobs(tx)]
        assert mark(tx, numbers, video_sooner) == 4
        names = {row.number: row.id for row in all_jobs(tx)}
        gone = [names[row.number] for row in prune.marked_jobs(tx, 0)]
        assert sorted(gone) == ["old-image", "old-upscale", "old-video", "young-video"]


def test_a_batch_goes_when_the_times_of_all_kinds_in_it_are_over(shared: Database) -> None:
    with scene(shared) as tx:
        batched(tx, "batch", ["item-1"], kind="image")
        (item,) = claim(tx, "w1", ["image"], 1)
        assert complete(tx, item)
        for name in ("batch", "item-1"):
            turn_back(tx, job(tx, name).number, "finished_at", 8 * DAY_S)
        number = job(tx, "batch").number
        assert mark(tx, [number], cutoffs(tx, 7 * DAY_S, image=30 * DAY_S)) == 0
        assert mark(tx, [number], cutoffs(tx, 30 * DAY_S, image=7 * DAY_S)) == 2


def test_a_job_whose_call_a_live_job_picks_up_stays_until_that_one_has_ended(shared: Database) -> None:
    with scene(shared) as tx:
        ended(tx, "source")
        submitted(tx, "resume")
        assert tx.run(_PICK_UP, this_job=job(tx, "resume").number, source="call-source") == 1
        assert prunable(tx) == []
        assert marked(tx, ["source"]) == 0
        assert cancel(tx, "resume", "ann") == "pending"
        assert prunable(tx) == ["source"]


def test_a_call_of_a_job_that_is_being_removed_is_not_picked_up_again(shared: Database) -> None:
    """The request looked at the job before it was marked, and comes to it after."""
    with scene(shared) as tx:
        run_it = running(tx, "source", repeatable=False)
        assert accepted(tx, [Accepted("call-source", "remote-1")]) == [True]
        assert complete(tx, run_it)
        turn_back(tx, run_it.number, "finished_at", 31 * DAY_S)
        original, call = originals.original(tx, "source", "ann"), replay.source_of(tx, run_it.number)
        assert original is not None
        assert call is not None
        tx.run(_LOOK_AFTER, of_job=run_it.number, when=None)
        assert marked(tx, ["source"]) == 1
        answer = replay.resume(tx, replay.Resume(original, call, wish("again", key="k"), "call-again"))
        assert isinstance(answer, Gone)
        assert [row.id for row in all_jobs(tx)] == ["source"]
        assert prune_keys.walk(tx, prune_keys.FIRST) == []


def test_a_batch_goes_with_all_its_items_or_not_at_all(shared: Database) -> None:
    with scene(shared) as tx:
        batched(tx, "batch", ["item-1", "item-2"])
        first, second = claim(tx, "w1", ["image"], 2)
        assert complete(tx, first)
        turn_back(tx, first.number, "finished_at", 40 * DAY_S)
        assert prunable(tx) == []
        assert marked(tx, ["batch", "item-1", "item-2"]) == 0, "an item stays with its live batch, however old it is"
        assert complete(tx, second)
        turn_back(tx, job(tx, "batch").number, "finished_at", 31 * DAY_S)
        assert prunable(tx) == [], "one item ended a moment ago"
        turn_back(tx, second.number, "finished_at", 31 * DAY_S)
        assert prunable(tx) == ["batch"]
        assert marked(tx, ["item-1"]) == 0
        assert marked(tx, ["batch"]) == 3
        numbers = [row.number for row in prune.marked_jobs(tx, 0)]
        assert sorted(numbers) == sorted([job(tx, "batch").number, first.number, second.number])
        assert remove(tx, numbers) == 3
        assert tx.all(_BATCHES) == []


def test_a_batch_stays_while_a_call_of_one_of_its_items_is_looked_after(shared: Database) -> None:
    with scene(shared) as tx:
        batched(tx, "batch", ["item-1"])
        (item,) = claim(tx, "w1", ["image"], 1)
        assert send(tx, item, repeatable=False)
        assert complete(tx, item)
        tx.run(_LOOK_AFTER, of_job=item.number, when=tx.now + 60)
        assert prunable(tx, keep_s=-1) == []


def test_a_marked_job_is_no_longer_shown_anywhere(shared: Database) -> None:
    with scene(shared) as tx:
        ended(tx, "old", "young")
        number = job(tx, "old").number
        (asset,) = assets_of(tx, number)
        assert read_jobs.asset_file(tx, asset.id) is not None
        assert marked(tx, ["old"]) == 1
        assert read_jobs.job_details(tx, "old", "ann") is None
        assert [found.job.id for found in job_page(tx, PageRequest("ann", 10))[0]] == ["young"]
        assert read_jobs.asset_file(tx, asset.id) is None
        assert news(tx, "old", 0) is None


def test_removing_leaves_nothing_but_the_ledger(shared: Database) -> None:
    with scene(shared) as tx:
        ended(tx, "old", "young")
        old, young = job(tx, "old"), job(tx, "young")
        before = ledger_of(tx, old.number)
        assert [entry.kind for entry in before] == ["hold", "capture"]
        assert marked(tx, ["old"]) == 1
        assert remove(tx, [old.number, young.number]) == 1, "a job that is not marked stays"
        assert [row.id for row in all_jobs(tx)] == ["young"]
        assert (events_of(tx, old.number), calls_of(tx, old.number), assets_of(tx, old.number)) == ([], [], [])
        assert ledger_of(tx, old.number) == before
        assert events_of(tx, young.number) != []
        assert remove(tx, [old.number]) == 0


def test_every_table_that_refers_to_jobs_is_emptied_or_meant_to_stay() -> None:
    referring = {table.name for table in tables.metadata.tables.values() if "job" in table.c}
    emptied = {statement.expression.table.name for statement in prune._REMOVE} - {"jobs"}
    assert referring - emptied == {"ledger"}


def test_jobs_that_failed_or_were_canceled_go_as_well(shared: Database) -> None:
    with scene(shared) as tx:
        submitted(tx, "canceled")
        cancel(tx, "canceled", "ann")
        (taken,) = claimed(tx, "failed")
        assert finish(tx, [Ending(taken.number, taken.fence, Status.FAILED, (), "{}", None)]) == [True]
        assert prunable(tx, keep_s=-1) == ["canceled", "failed"]


def test_a_key_is_kept_as_long_as_its_job_lives(shared: Database) -> None:
    with scene(shared) as tx:
        submitted(tx, "later", key="k", start_at=tx.now + 90 * DAY_S)
        found = prune_keys.walk(tx, prune_keys.FIRST)
        assert prune_keys.forget(tx, found, tx.now + 80 * DAY_S) == 0
        cancel(tx, "later", "ann")
        assert prune_keys.forget(tx, found, tx.now + 80 * DAY_S) == 1


@pytest.mark.parametrize("days", [0.5, 2])
def test_idempotency_keys_are_forgotten_by_their_age_and_not_with_their_jobs(shared: Database, days: float) -> None:
    with scene(shared) as tx:
        submitted(tx, "a", key="k1")
        submitted(tx, "b", key="k2")
        for name in ("a", "b"):
            cancel(tx, name, "ann")
        assert tx.run(_AGE_KEYS, moved_to=tx.now - days * DAY_S) == 2
        found = prune_keys.walk(tx, prune_keys.FIRST)
        assert [row.key for row in found] == ["k1", "k2"]
        assert [row.key for row in prune_keys.walk(tx, found[0])] == ["k2"]
        forgotten = prune_keys.forget(tx, found, tx.now - DAY_S)
        assert forgotten == (2 if days > 1 else 0)
        assert len(prune_keys.walk(tx, prune_keys.FIRST)) == 2 - forgotten
