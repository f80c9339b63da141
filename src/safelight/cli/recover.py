"""`safelight recover`: what an operator does with many jobs: after a restore, an outage, or when they are stuck."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from safelight.cli import filters
from safelight.cli.durations import read_duration

if TYPE_CHECKING:
    from safelight.maintenance.recovery import Recovered
    from safelight.services.recover import Plan

NEXT = "All queues are paused. Start the processes, look around, then let jobs go on: safelight queue resume --all"


AFTER_S = 60.0

app = typer.Typer(rich_markup_mode=None)

Recovery = Annotated[str, typer.Argument(metavar="ID", help="The recovery's id, or the end or beginning of it.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.callback(invoke_without_command=True)
def recover(
    context: typer.Context,
    after_restore: Annotated[
        bool, typer.Option("--after-restore", help="Pause all queues; nothing is sent again without being asked for.")
    ] = False,
    after_outage: Annotated[
        float | None,
        typer.Option(
            parser=read_duration, metavar="2h", help="Give jobs that never started this much more time. Once only."
        ),
    ] = None,
    fail_unsent: Annotated[
        bool,
        typer.Option("--fail-unsent", help="After a restore: fail jobs without a call, and release their credits."),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do it without asking.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Set jobs right after a restore or an outage, or many at once that are stuck.

    It says what would be done, asks, and does it. Where nobody can be asked, only with --yes; exit code 1 if not done.
    """
    if context.invoked_subcommand is not None:
        return
    if after_restore == (after_outage is not None):
        raise typer.BadParameter("choose one of --after-restore and --after-outage.")
    if fail_unsent and not after_restore:
        raise typer.BadParameter("it belongs to --after-restore.", param_hint="--fail-unsent")
    if after_outage is None:
        done = _after_restore(fail_unsent, yes, as_json)
    else:
        done = _after_outage(after_outage, yes, as_json)
    raise typer.Exit(0 if done else 1)


@app.command()
def plan(
    requeue: Annotated[
        bool, typer.Option("--requeue", help="Put them back into their queues, due now, with the time they have lost.")
    ] = False,
    fail: Annotated[bool, typer.Option("--fail", help="Fail them; the credits they hold are free again.")] = False,
    cancel: Annotated[bool, typer.Option("--cancel", help="Cancel them; those that run are stopped.")] = False,
    retry: Annotated[
        bool, typer.Option("--retry", help="Make failed ones again, as new jobs of their users at the prices of today.")
    ] = False,
    message: Annotated[str, typer.Option(help="What their users are told.")] = "",
    finding: Annotated[
        str | None, typer.Option(metavar="CODE", help="The jobs that a finding of `safelight doctor` is about.")
    ] = None,
    queue: filters.Queue = None,
    status: filters.Statuses = None,
    model: filters.Model = None,
    provider: filters.Provider = None,
    kind: filters.Kind = None,
    error: filters.ErrorCode = None,
    user: Annotated[str | None, typer.Option(help="Only jobs of this user.")] = None,
    label: filters.Labels = None,
    older_than: filters.OlderThan = None,
    submitted_after: filters.After = None,
    submitted_before: filters.Before = None,
    after: Annotated[
        float | None,
        typer.Option(
            parser=read_duration,
            metavar="60s",
            help="When it takes effect; it can be stopped till then. [60s]",
        ),
    ] = None,
    now: Annotated[bool, typer.Option("--now", help="At once. It cannot be stopped then.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what it would touch.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Plan it without asking.")] = False,
    as_json: AsJson = False,
) -> None:
    """Requeue, fail, cancel or retry many stuck jobs of everybody at once.

    It says how many jobs, credits and users it touches, and asks. Then it is planned, and done by any process of the
    installation a minute later. Exit code 1 if nothing was planned.
    """
    import asyncio

    from safelight.cli.recovering import plan_recovery

    actions = {"requeue": requeue, "fail": fail, "cancel": cancel, "retry": retry}
    chosen = [action for action, wanted in actions.items() if wanted]
    if len(chosen) != 1:
        raise typer.BadParameter("choose one of --requeue, --fail, --cancel and --retry.")
    meant = filters.filter_of(
        status=status,
        label=label,
        older_than=older_than,
        finding=finding,
        queue=queue,
        model=model,
        provider=provider,
        kind=kind,
        error_code=error,
        user=user,
        submitted_after=submitted_after,
        submitted_before=submitted_before,
    )
    if not meant:
        raise typer.BadParameter("say which jobs, such as --queue image or --older-than 10m.")
    if now and after is not None:
        raise typer.BadParameter("choose one of --now and --after.")
    after_s = 0.0 if now else AFTER_S if after is None else after
    asked = plan_recovery(chosen[0], meant, message, after_s, dry_run=dry_run, yes=yes, as_json=as_json)
    raise typer.Exit(asyncio.run(asked))


@app.command("list")
def list_recoveries(
    limit: Annotated[int, typer.Option(min=1, max=200, help="How many.")] = 20, as_json: AsJson = False
) -> None:
    """List what was planned for many jobs at once, newest first."""
    import asyncio

    from safelight.cli.recovering import list_recoveries as run

    asyncio.run(run(limit, as_json=as_json))


@app.command()
def show(recovery: Recovery, as_json: AsJson = False) -> None:
    """Show who planned what, for which jobs, and what became of each."""
    import asyncio

    from safelight.cli.recovering import show_recovery

    asyncio.run(show_recovery(recovery, as_json=as_json))


@app.command()
def stop(recovery: Recovery, as_json: AsJson = False) -> None:
    """Stop a recovery before it takes effect. Exit code 1 if it has begun."""
    import asyncio

    from safelight.cli.recovering import stop_recovery

    asyncio.run(stop_recovery(recovery, as_json=as_json))


def say_recovered(done: Recovered) -> None:
    """What was done, a line each."""
    from safelight.cli.out import out
    from safelight.cli.working import counted

    lines = [f"Paused {counted(done.queues, 'queue')}."]
    if done.processing:
        lines.append(f"Took {counted(done.processing, 'job')} back from workers that are gone.")
    if done.unknown:
        lines.append(f"{counted(done.unknown, 'call')} may or may not have been accepted; that is settled by policy.")
    if done.unsent_failed:
        lines.append(f"Failed {counted(done.unsent_failed, 'job')} without a call; the credits are free again.")
    for line in lines:
        out().print(line, soft_wrap=True)


def _after_restore(fail_unsent: bool, yes: bool, as_json: bool) -> bool:
    from contextlib import closing
    from dataclasses import asdict
    from functools import partial

    from safelight.cli.direct import existing_database
    from safelight.cli.out import out, print_json
    from safelight.maintenance.recovery import recover_after_restore, refuse_while_processes_beat
    from safelight.services.recover import plan
    from safelight.store.connect import open_database
    from safelight.worker.servers import is_live

    settings = existing_database()
    with closing(open_database(settings.database_address)) as database:
        with database.reading() as tx:
            refuse_while_processes_beat(tx, partial(is_live, lease_s=settings.lease_seconds))
            planned = plan(tx)
        if not as_json:
            _say_plan(planned, fail_unsent)
        if not _agreed(yes, as_json):
            return _only_planned(planned._asdict(), as_json)
        done = recover_after_restore(database.transaction, fail_unsent=fail_unsent)
    if as_json:
        print_json({"applied": True, **asdict(done)})
    else:
        say_recovered(done)
        out().print(NEXT, soft_wrap=True)
    return True


def _after_outage(outage_s: float, yes: bool, as_json: bool) -> bool:
    from contextlib import closing

    from safelight.cli.direct import existing_database
    from safelight.cli.out import out, print_json
    from safelight.cli.when import span
    from safelight.cli.working import counted
    from safelight.maintenance.recovery import recover_after_outage
    from safelight.store.connect import open_database

    settings = existing_database()
    with closing(open_database(settings.database_address)) as database:
        waiting = recover_after_outage(database.transaction, outage_s, dry_run=True)
        if not as_json:
            out().print(f"To get {span(outage_s)} more, because they never started: {counted(waiting, 'job')}.")
        if not _agreed(yes, as_json):
            return _only_planned({"jobs": waiting, "outage_s": outage_s}, as_json)
        shifted = recover_after_outage(database.transaction, outage_s, dry_run=False)
    if as_json:
        print_json({"applied": True, "jobs": shifted, "outage_s": outage_s})
    else:
        out().print(f"Gave {counted(shifted, 'job')} more time.")
    return True


def _say_plan(planned: Plan, fail_unsent: bool) -> None:
    from safelight.cli.out import out
    from safelight.cli.working import counted

    held = f"{planned.unsent_credits} credits"
    unsent = f"will fail and free {held}" if fail_unsent else f"wait for your word and hold {held}"
    lines = [f"To be paused: {counted(planned.queues, 'queue')}."]
    if planned.processing:
        lines.append(f"With workers that are gone, to be taken back: {counted(planned.processing, 'job')}.")
    if planned.unknown:
        lines.append(f"Being sent, so perhaps accepted, to become unknown: {counted(planned.unknown, 'call')}.")
    if planned.resumable:
        lines.append(f"Known to their provider, to go on where they were: {counted(planned.resumable, 'call')}.")
    if planned.unsent:
        lines.append(f"{counted(planned.unsent, 'job')} without a call, perhaps sent after the backup, {unsent}.")
    for line in lines:
        out().print(line, soft_wrap=True)


def _agreed(yes: bool, as_json: bool) -> bool:
    return yes or (not as_json and sys.stdin.isatty() and typer.confirm("Do it?"))


def _only_planned(planned: dict[str, Any], as_json: bool) -> bool:
    from safelight.cli.out import err, print_json

    if as_json:
        print_json({"applied": False, **planned})
    else:
        err().print("Nothing was changed. Add --yes to do it.")
    return False
