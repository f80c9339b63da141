"""What `safelight doctor` does in each of its forms: look once, look on, mend, write an archive."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

import typer

from safelight.cli import when
from safelight.cli.edge import FINE, FOUND
from safelight.cli.out import err, out, plain, print_json, print_json_line
from safelight.cli.report import report_lines
from safelight.cli.working import working
from safelight.diagnosis.doctor import Report
from safelight.diagnosis.finding import Finding, finding_of
from safelight.diagnosis.ranking import ranked
from safelight.maintenance.cures import Cure, cures
from safelight.services.audit import Finding as AuditFinding
from safelight.settings import usable_settings
from safelight.store.connect import open_database

Look = Callable[[], Awaitable[Report]]


def look(examine: Look, *, audited: bool, as_json: bool) -> int:
    """Once. The exit code."""
    report = looked(examine)
    broken = _audited(report) if audited else None
    if as_json:
        extra = {} if broken is None else {"audit": [asdict(each) for each in broken]}
        print_json({**report.body(), **extra})
    else:
        for line in report_lines(report):
            out().print(line)
        if broken is not None:
            _say_audit(broken)
    return _code(report) or (FOUND if broken else FINE)


def watch(examine: Look, *, every_s: float, as_json: bool) -> int:
    """Until Ctrl-C. On a terminal the report stays in its place; elsewhere a line comes for each change."""
    report: Report | None = None
    known: set[tuple[str, str]] = set()
    try:
        while True:
            report = asyncio.run(_awaited(examine))
            now = {(finding.code, finding.subject) for finding in report.findings}
            if as_json:
                _print_changes(report, known, now)
            elif sys.stdout.isatty():
                _show_in_place(report, every_s)
            else:
                _say_changes(report, known, now)
            known = now
            time.sleep(every_s)
    except KeyboardInterrupt:
        return FINE if report is None else _code(report)


def fix(examine: Look, *, agreed: bool | None, as_json: bool) -> int:
    """Say the plan, ask unless it is agreed or refused already, do it, look again. The exit code."""
    report, done = looked(examine), list[dict[str, str]]()
    plan = _plan(report)
    if not as_json:
        _say_plan(report, plan)
    if plan and (_asked() if agreed is None and not as_json else agreed):
        done = _applied(plan)
        report = looked(examine)
        if report.facts.rows is not None and any(cure.code == "NOT_MIGRATED" for cure in plan):
            more = _plan(report)  # now the rest can be read
            done += _applied(more)
            plan, report = [*plan, *more], looked(examine) if more else report
    if as_json:
        print_json({"plan": [cure.body() for cure in plan], "done": done, **report.body()})
    else:
        for each in done:
            out().print(f"{each['code']}: {each['done']}", soft_wrap=True)
        if plan and not done:
            err().print("Nothing was changed. Add --yes to do it.")
        elif done:
            out().print(f"Afterwards: {report.status}.")
    return _code(report)


def bundle(examine: Look, file: Path, *, as_json: bool) -> int:
    """Write the archive; the exit code is that of the report in it."""
    from safelight.cli.bundle import write_bundle

    report = looked(examine)
    settings, problems = usable_settings(os.environ, cwd=Path.cwd())
    names = write_bundle(file, report, settings, problems)
    if as_json:
        print_json({"file": str(file), "contents": names, "status": report.status})
    else:
        out().print(f"Wrote {file}: {', '.join(names)}.", soft_wrap=True)
        out().print("Keys, prompts, users and addresses of files are not in it; look it over before you send it.")
    return _code(report)


async def asked() -> Report:
    """What the server finds that SAFELIGHT_URL names. Raises ClientError where it cannot be asked."""
    from safelight.cli.door import opened

    began = time.monotonic()
    async with opened() as door:
        body = await door.client.queue_health()
    found = [finding_of(each) for each in body["findings"]]
    return Report(when.read(body["timestamp"]).timestamp(), time.monotonic() - began, tuple(ranked(found)))


def looked(examine: Look) -> Report:
    with working("Looking"):
        return asyncio.run(_awaited(examine))


async def _awaited(examine: Look) -> Report:
    return await examine()


def _code(report: Report) -> int:
    return FINE if report.status == "healthy" else FOUND


def _audited(report: Report) -> list[AuditFinding] | None:
    """None where the database cannot be read: that is a finding already."""
    from safelight.services.audit.beside import LONG, audit_beside

    if report.facts.rows is None:
        return None
    with working("Auditing"), closing(open_database(_address(), LONG)) as database:
        return audit_beside(database)


def _say_audit(broken: Sequence[AuditFinding]) -> None:
    if not broken:
        out().print("\nThe ledger was audited: every entry adds up.", style="green")
    for finding in broken:
        out().print(f"\n{finding.code} {plain(finding.what)}", style="red", soft_wrap=True)
        out().print(f"  {plain(str(finding.remedy))}", soft_wrap=True)


def _plan(report: Report) -> list[Cure]:
    def read(asked: Callable[..., Any]) -> Any:
        with closing(open_database(_address())) as database, database.reading() as tx:
            return asked(tx)

    return cures(report, _address(), read)


def _applied(plan: Sequence[Cure]) -> list[dict[str, str]]:
    """An upgrade is made before anything opens the database; it stands alone in its plan."""
    if not plan:
        return []
    if plan[0].code == "NOT_MIGRATED":
        return [{"code": cure.code, "done": cure.apply(None)} for cure in plan]
    with closing(open_database(_address())) as database:
        return [{"code": cure.code, "done": cure.apply(database)} for cure in plan]


def _say_plan(report: Report, plan: Sequence[Cure]) -> None:
    for n, cure in enumerate(plan, 1):
        effect = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in cure.effect.items())
        out().print(f"{n}. {plain(cure.what)}", style="bold", soft_wrap=True)
        out().print(f"   {plain(cure.why)}", soft_wrap=True)
        out().print(f"   {plain(effect)}" + (f" · by hand: {cure.command}" if cure.command else ""), style="dim")
    mended = {cure.code for cure in plan}
    left = [group.root for group in report.groups if group.root.severity != "info" and group.root.code not in mended]
    if left:
        out().print("Not to be mended without you:")
    elif not plan:
        out().print("Nothing to mend.")
    for finding in left:
        out().print(f"  {finding.code}: {plain(str(finding.remedy))}", soft_wrap=True)


def _asked() -> bool:
    return sys.stdin.isatty() and typer.confirm("Do it?")


def _address() -> str:
    settings, _ = usable_settings(os.environ, cwd=Path.cwd())
    return settings.database_address


def _show_in_place(report: Report, every_s: float) -> None:
    console = out()
    console.clear()
    for line in report_lines(report):
        console.print(line)
    console.print(f"\n{when.clock(report.body()['checked_at'])}, every {every_s:g} s; Ctrl-C ends it.", style="dim")


def _say_changes(report: Report, known: set[tuple[str, str]], now: set[tuple[str, str]]) -> None:
    at = when.clock(report.body()["checked_at"])
    for finding in _news(report, known):
        out().print(
            f"{at} {finding.severity} {finding.code} {plain(finding.subject)}: {plain(finding.symptom)}", soft_wrap=True
        )
    for code, subject in sorted(known - now):
        out().print(f"{at} over {code} {plain(subject)}", soft_wrap=True)


def _print_changes(report: Report, known: set[tuple[str, str]], now: set[tuple[str, str]]) -> None:
    at = report.body()["checked_at"]
    for finding in _news(report, known):
        print_json_line({"at": at, "change": "found", "finding": finding.body()})
    for code, subject in sorted(known - now):
        print_json_line({"at": at, "change": "over", "code": code, "subject": subject})


def _news(report: Report, known: set[tuple[str, str]]) -> list[Finding]:
    return [finding for finding in report.findings if (finding.code, finding.subject) not in known]
