"""`safelight explain`: why a job waits, runs or ended as it did, and what would change that."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from safelight.diagnosis.explain.explanation import Explanation
    from safelight.store.tx import Tx


def explain(
    what: Annotated[
        str,
        typer.Argument(
            metavar="JOB",
            help="A job or batch by its id or the end of it; one of its files, or its address; the provider's own id of"
            " it; or the idempotency key it was submitted under.",
        ),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Explain why a job waits, runs or ended as it did: the cause, what mends it, what comes next, and its timeline.

    It reads the database of these settings; no server has to run. With SAFELIGHT_URL that server is asked, and JOB is
    an id or the end of one. Exit code 1 if something is wrong with the job.
    """
    import asyncio

    from safelight.cli.edge import FINE, FOUND
    from safelight.cli.load import load
    from safelight.cli.out import out, print_json
    from safelight.diagnosis.finding import Severity

    settings = load()
    body = asyncio.run(_asked(what)) if settings.url else _explained(what).body()
    if as_json:
        print_json(body)
    else:
        from safelight.cli.explained import lines

        for line in lines(body):
            out().print(line)
    raise typer.Exit(FINE if body["verdict"]["severity"] == Severity.INFO else FOUND)


async def _asked(what: str) -> dict[str, Any]:
    """Of the server that is named."""
    from safelight.cli.door import opened
    from safelight.cli.pick import pick

    async with opened() as door:
        return await door.client.explain(await pick(door.client, what))


def _explained(what: str) -> Explanation:
    from safelight.app import onlooking_from
    from safelight.cli.direct import existing_database
    from safelight.diagnosis.explain.explanation import explain as explain_facts
    from safelight.diagnosis.explain.look_job import look_at_job
    from safelight.services.desk import no_such_job
    from safelight.store.connect import open_database

    settings = existing_database()
    look = onlooking_from(settings)
    database = open_database(settings.database_address)
    try:
        with database.reading() as tx:
            job_id = _meant(tx, what)
            facts = look_at_job(tx, job_id, look)
    finally:
        database.close()
    if facts is None:
        raise no_such_job(job_id)
    return explain_facts(facts)


def _meant(tx: Tx, what: str) -> str:
    """The id of the job. A file tells it itself; a short id is looked for last, among the newest jobs."""
    from safelight.cli.pick import pick_among
    from safelight.diagnosis.explain.find_job import find_job
    from safelight.services.newest_jobs import newest_jobs

    found = _in_file(what) or find_job(tx, what)
    return found or pick_among(what, lambda at_most: newest_jobs(tx, at_most))


def _in_file(what: str) -> str | None:
    from safelight.storage.provenance import read_file

    if (os.sep not in what and "." not in what) or not Path(what).is_file():
        return None
    with Path(what).open("rb") as file:
        papers = read_file(file)
    return papers.job_id if papers else None
