"""Projects of the avatar door: a name under which a user's jobs are gathered by their label `project_id`."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import sqlalchemy as sa

from safelight.domain.errors import Conflict, Remedy
from safelight.services.job_pages import labelled
from safelight.services.sql import INTEGER, arg
from safelight.store import tables
from safelight.store.statements import Change, Query
from safelight.store.tx import Tx

projects = tables.projects

LABEL: Final = "project_id"


class Project(NamedTuple):
    number: int
    id: str
    user_id: str
    name: str
    description: str
    created_at: float
    updated_at: float


_COLUMNS = tuple(projects.c[name] for name in Project._fields)
_mine = sa.and_(projects.c.id == arg("public_id"), projects.c.user_id == arg("owner"))
_INSERT = Change(sa.insert(projects), columns=("id", "user_id", "name", "description", "created_at", "updated_at"))
_ONE = Query(sa.select(*_COLUMNS).where(_mine), Project)
_PAGE = Query(
    sa.select(*_COLUMNS)
    .where(projects.c.user_id == arg("owner"), projects.c.number < arg("before", INTEGER))
    .order_by(projects.c.number.desc())
    .limit(arg("page_size", INTEGER)),
    Project,
)
_RENAME = Change(
    sa.update(projects)
    .where(_mine)
    .values(name=arg("new_name"), description=arg("new_description"), updated_at=arg("changed_at", sa.Float(53)))
)
_REMOVE = Change(sa.delete(projects).where(_mine))


def create_project(tx: Tx, project_id: str, user_id: str, name: str, description: str) -> Project:
    now = tx.now
    row = {"id": project_id, "user_id": user_id, "name": name, "description": description}
    tx.many(_INSERT, [{**row, "created_at": now, "updated_at": now}])
    made = project(tx, project_id, user_id)
    assert made is not None  # noqa: S101  # inserted above
    return made


def project(tx: Tx, project_id: str, user_id: str) -> Project | None:
    """None also for those of others."""
    return tx.one(_ONE, public_id=project_id, owner=user_id)


def project_page(tx: Tx, user_id: str, limit: int, before: int) -> tuple[list[Project], int | None]:
    """Newest first, and the number to continue before, if there are more."""
    rows = tx.all(_PAGE, owner=user_id, before=before, page_size=limit + 1)
    return rows[:limit], rows[limit - 1].number if len(rows) > limit else None


def change_project(tx: Tx, project_id: str, user_id: str, changes: dict[str, Any]) -> Project | None:
    """Rename it or describe it anew; what is left out stays. None if there is none."""
    found = project(tx, project_id, user_id)
    if found is None:
        return None
    name, description = changes.get("name", found.name), changes.get("description", found.description)
    values = {"new_name": name, "new_description": description, "changed_at": tx.now}
    tx.run(_RENAME, public_id=project_id, owner=user_id, **values)
    return project(tx, project_id, user_id)


def remove_project(tx: Tx, project_id: str, user_id: str) -> bool | Conflict:
    """Whether it was there. Its jobs stay with their user; refused while some of them are unfinished."""
    live = labelled(tx, user_id, LABEL, project_id, live=True)
    if live and project(tx, project_id, user_id) is not None:
        return Conflict(
            f"{live} generation(s) of this project are unfinished.",
            remedy=Remedy("Wait for them or cancel them first."),
            evidence={"unfinished": live},
        )
    return tx.run(_REMOVE, public_id=project_id, owner=user_id) > 0
