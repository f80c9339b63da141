"""A server killed again and again while something is deleted: it is there whole or gone, and no file is left."""

from __future__ import annotations

import hashlib
from pathlib import Path

import httpx
import pytest

from tests.support.server import Installation

LEDGER = "SELECT kind, balance_delta, held_delta FROM ledger ORDER BY number"
POINTS = {
    "jobs": ("mark_job.before_commit", "mark_job.after_commit", "remove.before_commit", "remove.after_commit"),
    "assets": (
        "mark_asset.before_commit",
        "mark_asset.after_commit",
        "forget_assets.before_commit",
        "forget_assets.after_commit",
    ),
}
"""In the order in which one deletion comes by them."""


@pytest.mark.parametrize("what", POINTS)
def test_a_deletion_ends_however_often_its_server_is_killed(made: Installation, what: str) -> None:
    first, *others = POINTS[what]
    server = made.serve(test_mode=1, test_crash=f"{first}=kill")
    (job,) = made.until_ended([made.submit()])
    (asset,) = job["assets"]
    ledger = made.rows(LEDGER)
    path = f"/api/{what}/{job['id'] if what == 'jobs' else asset['id']}"
    _delete(made, path)
    server.wait()
    for point in others:
        server = made.serve(test_mode=1, test_crash=f"{point}=kill")
        if point == others[0]:
            (still,) = made.job(job["id"])["assets"]
            assert hashlib.sha256(made.request("GET", still["url"]).content).hexdigest() == asset["sha256"]
        _delete(made, path)
        server.wait()
    made.serve()
    assert made.request("DELETE", path).status_code == 404
    assert made.request("GET", f"/api/jobs/{job['id']}").status_code == (404 if what == "jobs" else 200)
    assert _files(made) == []
    assert made.rows("SELECT number FROM assets") == []
    assert made.rows(LEDGER) == ledger


def _delete(made: Installation, path: str) -> None:
    """The server may die over it."""
    try:
        made.request("DELETE", path)
    except httpx.HTTPError:
        return


def _files(made: Installation) -> list[Path]:
    return [path for path in (made.database.parent / "assets").rglob("*") if path.is_file()]
