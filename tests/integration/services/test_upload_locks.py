"""Uploads are locked before accounts, by whoever brings a picture as by whoever submits a job with it."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from safelight.services import uploads
from safelight.services.credits import open_accounts
from safelight.services.uploads import NewUpload, Upload, lock_uploads, reserve_upload
from safelight.store.connect import open_database
from safelight.store.database import Database
from safelight.store.tx import Tx

DAY_S = 86_400.0


def bring(tx: Tx, name: str) -> Upload:
    new = NewUpload(name, "ann", f"uploads/{name}", "image/png", 100, 8, 8, "same-hash")
    made = reserve_upload(tx, new, DAY_S, 10**6)
    assert isinstance(made, Upload)
    return made


def test_who_brings_a_picture_again_waits_with_no_account_locked(postgres_url: str) -> None:
    bringer, submitter = open_database(postgres_url), open_database(postgres_url)
    with bringer.transaction() as tx:
        first = bring(tx, "u-1")
    with bringer.transaction() as mine, submitter.transaction() as theirs:
        assert bring(mine, "u-2").id == first.id
        account = open_accounts(theirs, ["ann"])["ann"]
        theirs._cursor.execute(  # type: ignore[attr-defined]
            "SELECT 1 FROM accounts WHERE number = %s FOR UPDATE NOWAIT", (account,)
        )
    bringer.close()
    submitter.close()


def test_a_picture_that_somebody_brings_at_the_same_moment_is_there_once(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def meanwhile(tx: Tx, users: Iterable[str]) -> dict[str, int]:
        monkeypatch.setattr(uploads, "open_accounts", open_accounts)
        bring(tx, "u-1")
        return open_accounts(tx, users)

    monkeypatch.setattr(uploads, "open_accounts", meanwhile)
    with database.transaction() as tx:
        made = bring(tx, "u-2")
        assert made.id == "u-1"
        assert uploads.unused_bytes(tx, "ann") == 100
        assert lock_uploads(tx, [made.number]) == set()  # its file is not there yet
