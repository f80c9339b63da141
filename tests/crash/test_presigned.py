"""An upload straight into an object store is completed once, whenever the server that completes it dies."""

from __future__ import annotations

import signal
from pathlib import Path

import httpx
import pytest

from safelight.testing.pictures import tiny_png
from tests.support.server import installation


@pytest.mark.parametrize("moment", ["before_commit", "after_commit"])
def test_a_server_killed_as_it_completes_an_upload_leaves_it_to_the_next(
    tmp_path: Path, s3_url: str, moment: str
) -> None:
    with installation(tmp_path, storage_url=s3_url) as made:
        doomed = made.serve("--no-worker", test_mode=1, test_crash=f"complete_upload.{moment}=kill")
        address = made.request("POST", "/api/uploads/presign").json()
        with httpx.Client(trust_env=False) as browser:
            assert browser.request(address["method"], address["url"], content=tiny_png()).is_success
        complete = httpx.URL(address["complete"]).path
        with pytest.raises(httpx.HTTPError):
            made.request("POST", complete)
        assert doomed.wait() == -signal.SIGKILL
        made.serve("--no-worker")
        answers = [made.request("POST", complete) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [200, 200]
        assert answers[0].json() == answers[1].json()
        assert answers[0].json()["bytes"] == len(tiny_png())
        assert [row["id"] for row in made.rows("SELECT id FROM uploads WHERE stored_at IS NOT NULL")] == [address["id"]]
