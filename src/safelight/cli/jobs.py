"""`safelight jobs`: list, show, watch, cancel, delete, make again.

Ids may be shortened to their first or last characters.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import typer

from safelight.cli import filters
from safelight.domain.jobs import Status

app = typer.Typer(help="Look at jobs, cancel them, make them again.", no_args_is_help=True, rich_markup_mode=None)

JobId = Annotated[str, typer.Argument(metavar="ID", help="The job's id, or the end or beginning of it.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
OneOrMany = Annotated[
    str | None, typer.Argument(metavar="ID", help="The job's id, or the end or beginning of it.", show_default=False)
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say which jobs that would be.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask, where it is many.")]


@app.command("list")
def list_jobs(
    status: Annotated[Status | None, typer.Option(help="Only jobs in this status.")] = None,
    kind: Annotated[str | None, typer.Option(help="Only jobs of this kind.")] = None,
    label: Annotated[
        list[str] | None, typer.Option("--label", "-l", metavar="NAME=VALUE", help="Only jobs with this label.")
    ] = None,
    user: Annotated[str | None, typer.Option(help="Somebody else's jobs; a key must have the scope admin.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=200, help="How many.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List jobs, newest first."""
    import asyncio

    from safelight.cli.looking import list_jobs as run
    from safelight.cli.submit import pairs

    labels = {f"label.{key}": text for key, text in pairs(label, "--label")}
    filters = {"status": status, "kind": kind, "user": user, **labels}
    asyncio.run(run(limit, filters, as_json=as_json))


@app.command()
def show(job_id: JobId, as_json: AsJson = False) -> None:
    """Show one job: what was asked, how it went, what it made. Exit code 1 if it did not complete."""
    import asyncio

    from safelight.cli.looking import show_job as run

    raise typer.Exit(asyncio.run(run(job_id, as_json=as_json)))


@app.command()
def watch(
    job_id: JobId,
    timeout: Annotated[float | None, typer.Option(min=0, metavar="SECONDS", help="Give up after this time.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print each event as a line of JSON.")] = False,
) -> None:
    """Follow a job until it ends. Exit code 1 if it did not complete."""
    import asyncio

    from safelight.cli.looking import watch_job as run

    raise typer.Exit(asyncio.run(run(job_id, timeout_s=timeout, as_json=as_json)))


@app.command()
def cancel(
    job_id: OneOrMany = None,
    status: filters.Statuses = None,
    queue: filters.Queue = None,
    model: filters.Model = None,
    provider: filters.Provider = None,
    kind: filters.Kind = None,
    label: filters.Labels = None,
    older_than: filters.OlderThan = None,
    submitted_after: filters.After = None,
    submitted_before: filters.Before = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Cancel a job, or all of yours that fit. Exit code 1 if it had ended before, or none was there."""
    import asyncio

    from safelight.cli.looking import cancel_job as run

    meant = filters.filter_of(
        status=status,
        label=label,
        older_than=older_than,
        queue=queue,
        model=model,
        provider=provider,
        kind=kind,
        submitted_after=submitted_after,
        submitted_before=submitted_before,
    )
    if job_id is not None and not meant:
        raise typer.Exit(asyncio.run(run(job_id, as_json=as_json)))
    _many("cancel", job_id, meant, dry_run, yes, as_json)


@app.command()
def delete(
    job_id: JobId,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Delete an ended job, or a whole batch, with its files. What it has cost stays in the ledger."""
    import asyncio

    from safelight.cli.looking import delete_job as run

    asyncio.run(run(job_id, is_sure=yes or as_json, as_json=as_json))


@app.command()
def retry(
    job_id: OneOrMany = None,
    status: filters.Statuses = None,
    queue: filters.Queue = None,
    model: filters.Model = None,
    provider: filters.Provider = None,
    kind: filters.Kind = None,
    error: filters.ErrorCode = None,
    label: filters.Labels = None,
    older_than: filters.OlderThan = None,
    submitted_after: filters.After = None,
    submitted_before: filters.Before = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Try a waiting job now, or make a failed or canceled one again; of a batch, the items that did not complete.

    Or all of yours that fit: failed ones, if no status is given.
    """
    import asyncio

    from safelight.cli.repeating import retry_job as run

    meant = filters.filter_of(
        status=status,
        label=label,
        older_than=older_than,
        queue=queue,
        model=model,
        provider=provider,
        kind=kind,
        error_code=error,
        submitted_after=submitted_after,
        submitted_before=submitted_before,
    )
    if job_id is not None and not meant:
        asyncio.run(run(job_id, as_json=as_json))
        return
    _many("retry", job_id, meant, dry_run, yes, as_json)


@app.command()
def replay(
    job_id: JobId,
    mode: Annotated[
        Literal["rerun", "resume"],
        typer.Option(help="Make it again, or fetch what its call made at the provider."),
    ] = "rerun",
    as_json: AsJson = False,
) -> None:
    """Make an ended job once more, as a new job."""
    import asyncio

    from safelight.cli.repeating import replay_job as run

    asyncio.run(run(job_id, mode, as_json=as_json))


@app.command()
def items(
    job_id: JobId,
    status: Annotated[Status | None, typer.Option(help="Only items in this status.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the items of a batch, in order."""
    import asyncio

    from safelight.cli.repeating import list_items as run

    asyncio.run(run(job_id, status=status, as_json=as_json))


@app.command()
def deliveries(job_id: JobId, as_json: AsJson = False) -> None:
    """Show what a job's callback was told, and how its receiver answered. Exit code 1 if any of it failed."""
    import asyncio

    from safelight.cli.deliveries import show_deliveries as run

    raise typer.Exit(asyncio.run(run(job_id, as_json=as_json)))


def _many(verb: str, job_id: str | None, meant: dict[str, Any], dry_run: bool, yes: bool, as_json: bool) -> None:
    import asyncio

    from safelight.cli.many import many_jobs

    if job_id is not None or not meant:
        raise typer.BadParameter("give one job's id, or say which jobs, such as --label NAME=VALUE.")
    raise typer.Exit(asyncio.run(many_jobs(verb, meant, dry_run=dry_run, yes=yes, as_json=as_json)))
