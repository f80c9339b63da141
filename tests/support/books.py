"""What must hold of jobs and credits after any disaster, read from the database file."""

from __future__ import annotations

from tests.support.server import Installation

ENTRIES = {"completed": ["hold", "capture"], "failed": ["hold", "release"], "canceled": ["hold", "release"]}


def check_books(made: Installation) -> None:
    """Accounts are the sums of their ledger; each job was held once and settled once, as it ended."""
    for account in made.rows(
        "SELECT a.*, sum(l.balance_delta) balance_sum, sum(l.held_delta) held_sum"
        " FROM accounts a JOIN ledger l ON l.account = a.number GROUP BY a.number"
    ):
        assert (account["balance"], account["held"]) == (account["balance_sum"], account["held_sum"])
        assert account["held"] == sum(row["price"] for row in made.rows("SELECT price FROM jobs WHERE NOT settled"))
    entries: dict[int, list[str]] = {}
    for entry in made.rows("SELECT job, kind FROM ledger WHERE job IS NOT NULL ORDER BY number"):
        entries.setdefault(entry["job"], []).append(entry["kind"])
    for job in made.rows("SELECT *, (SELECT count(*) FROM assets WHERE job = jobs.number) assets FROM jobs"):
        assert entries[job["number"]] == ENTRIES.get(job["status"], ["hold"]), job
        assert job["captured"] == (job["price"] if job["status"] == "completed" else 0)
        assert job["assets"] == (job["outputs"] if job["status"] == "completed" else 0)


def check_done_once(made: Installation, job_ids: list[str]) -> None:
    """Every job completed, with its one picture, once in the gallery; nothing else is there; the books balance."""
    gallery = made.gallery()
    assert sorted(job["id"] for job in gallery) == sorted(job_ids)
    assert {job["status"] for job in gallery} == {"completed"}
    pictures = [asset["id"] for job in gallery for asset in job["assets"]]
    assert len(pictures) == len(set(pictures)) == len(job_ids)
    for job in gallery:
        assert made.request("GET", job["assets"][0]["url"]).content.startswith(b"\x89PNG")
    doubled = made.rows(
        "SELECT job, type FROM events WHERE type IN ('job.submitted', 'job.completed')"
        " GROUP BY job, type HAVING count(*) > 1"
    )
    assert doubled == []
    check_books(made)
