"""A judge who finds nothing must be able to find something: each broken promise is seeded, and told."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from safelight.domain.jobs import Status
from safelight.services.calls import CallOutcome
from safelight.services.finish import Ending, finish
from safelight.store.tx import Tx
from safelight.testing.stand_in_journal import Journal
from tests.crash.campaign.house import House
from tests.crash.campaign.verdict import Verdict, judge
from tests.integration.services import scene
from tests.support.server import Installation
from tests.support.stand_in import StandInProcess

PICTURE = b"a picture"


class Story:
    """A house in which nobody lives: one job was delivered, one failed, one of the test's choice may be there too."""

    def __init__(self, folder: Path) -> None:
        journal = folder / "journal.jsonl"
        self._journal = Journal(journal)
        self.house = House(folder, Installation(folder), StandInProcess("", 0, journal), None)
        self.house.in_transaction(self._tell)

    def bill(self, call_id: str) -> None:
        self._journal.bill(call_id, f"gen-{call_id}", "a cat", 0.04)

    def file(self, key: str) -> Path:
        return self.house.folder / "data" / "assets" / key

    def judged(self, *others: str) -> Verdict:
        return judge(self.house, ["done", "failed", *others])

    def close(self) -> None:
        self._journal.close()

    def _tell(self, tx: Tx) -> None:
        scene.set_scene(tx)
        done, failed = (scene.running(tx, name, repeatable=False) for name in ("done", "failed"))
        asset = scene.an_asset("picture")._replace(sha256=hashlib.sha256(PICTURE).hexdigest())
        self.file(asset.key).parent.mkdir(parents=True)
        self.file(asset.key).write_bytes(PICTURE)
        delivered = CallOutcome("call-done", "succeeded")
        refused = CallOutcome("call-failed", "failed")
        assert finish(tx, [Ending(done.number, done.fence, Status.COMPLETED, [asset], None, delivered)])[0]
        assert finish(tx, [Ending(failed.number, failed.fence, Status.FAILED, (), '{"code":"timeout"}', refused)])[0]
        self.bill("call-done")


@pytest.fixture
def story(tmp_path: Path, sqlite_template: Path) -> Iterator[Story]:
    (tmp_path / "data").mkdir()
    shutil.copyfile(sqlite_template, tmp_path / "data" / "safelight.db")
    told = Story(tmp_path)
    yield told
    told.close()


def test_a_story_that_ended_well_has_no_complaints(story: Story) -> None:
    verdict = story.judged()
    assert verdict.complaints == []
    assert dict(verdict.endings) == {"completed": 1, "failed timeout": 1}


def test_a_job_that_is_gone_and_one_that_never_ends_are_lost(story: Story) -> None:
    story.house.in_transaction(lambda tx: scene.submitted(tx, "waiting"))
    assert story.judged("waiting", "gone").lost == 2


def test_a_job_that_ended_after_its_deadline_and_a_sweep_is_late(story: Story) -> None:
    story.house.change("UPDATE jobs SET deadline_at = finished_at - 10 WHERE id = 'done'")
    assert story.judged().late == 1


def test_a_second_bill_for_one_job_counts_as_doubled(story: Story) -> None:
    story.house.change("UPDATE calls SET job = (SELECT number FROM jobs WHERE id = 'done')")
    story.bill("call-failed")
    assert story.judged().doubled == 1


def test_a_bill_that_no_call_tells_of_counts_as_doubled(story: Story) -> None:
    story.bill("call-of-nobody")
    assert story.judged().doubled == 1


def test_a_hold_without_a_job_is_orphaned_and_the_audit_tells_too(story: Story) -> None:
    story.house.change("UPDATE accounts SET held = held + 1")
    verdict = story.judged()
    assert (verdict.holds, verdict.audit > 0) == (1, True)


@pytest.mark.parametrize("data", [b"another picture", None])
def test_a_stored_file_that_was_overwritten_or_removed_is_told(story: Story, data: bytes | None) -> None:
    path = story.file("assets/picture.png")
    path.unlink() if data is None else path.write_bytes(data)
    assert story.judged().assets == 1


def test_a_picture_of_a_job_that_failed_is_told(story: Story) -> None:
    story.house.change("UPDATE assets SET job = (SELECT number FROM jobs WHERE id = 'failed')")
    assert story.judged().assets == 2


def test_an_open_call_of_an_ended_job_that_nobody_looks_after_is_told(story: Story) -> None:
    story.house.change("UPDATE calls SET state = 'unknown', check_at = NULL WHERE id = 'call-failed'")
    assert story.judged().unwatched == 1
