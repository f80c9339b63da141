"""Free disk: below a reserve no new jobs are taken, so that those accepted can be finished."""

from __future__ import annotations

import shutil
from collections.abc import Callable

from safelight.domain.errors import Remedy, Unavailable
from safelight.store.database import Database
from safelight.store.sqlite import SqliteDatabase

LEAST_FREE_BYTES = 256 * 1024 * 1024


def free_disk_bytes(of_assets: Callable[[], int | None], database: Database) -> int | None:
    """Room on the fullest disk that jobs need, for assets or for a SQLite file; None where none is limited.

    Raises Unavailable when one of them cannot be looked at.
    """
    try:
        found = (of_assets(), _free_beside(database))
    except OSError as error:
        raise Unavailable(
            f"The folder {error.filename} cannot be looked at: {error.strerror}. No new jobs are taken.",
            remedy=Remedy("The operator must bring it back, readable for the user Safelight runs as."),
        ) from error
    return min((free for free in found if free is not None), default=None)


def refuse_on_full_disk(free_bytes: int | None) -> None:
    """New work is refused while there is still room to finish what was accepted."""
    if free_bytes is not None and free_bytes < LEAST_FREE_BYTES:
        least = LEAST_FREE_BYTES // 2**20
        raise Unavailable(
            f"Only {free_bytes // 2**20} MB of disk are free; below {least} MB no new jobs are taken.",
            remedy=Remedy("The operator must free disk space. Jobs already accepted go on."),
            evidence={"free_bytes": free_bytes},
        )


def _free_beside(database: Database) -> int | None:
    return shutil.disk_usage(database.path.parent).free if isinstance(database, SqliteDatabase) else None
