"""What `safelight doctor --fix` may do: only what is safe, and what Safelight itself would do if nobody were missing.

A plan is made of what was found, with numbers; nothing happens before it is agreed. Each cure can be repeated and is
guarded: what changed meanwhile is left alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from safelight.diagnosis.doctor import Report
from safelight.diagnosis.facts import ProviderFacts, Rows, WorkerFacts
from safelight.diagnosis.words import count, named
from safelight.services import mend_holds, presence, sweep
from safelight.services.gates import open_gates
from safelight.store import migrate
from safelight.store.database import Database
from safelight.store.tx import Tx


@dataclass(frozen=True, slots=True)
class Cure:
    """`what` is done, `why`, and `effect` in numbers. `command` does the same by hand, where there is one."""

    code: str
    what: str
    why: str
    effect: dict[str, int | str]
    apply: Callable[[Database | None], str]
    """Does it, and says what was done."""
    command: str | None = None

    def body(self) -> dict[str, Any]:
        return {
            "code": self.code,
            "what": self.what,
            "why": self.why,
            "effect": self.effect,
            "command": self.command,
        }


def cures(report: Report, address: str, read: Callable[[Callable[[Tx], Any]], Any]) -> list[Cure]:
    """What may be done about what was found, in this order. `read` runs a look at the database that was examined.

    After an upgrade of the schema the rest is planned anew: until then nobody can read it.
    """
    facts = report.facts
    database = facts.database
    if database.exists and not database.trouble and database.schema and not database.is_migrated:
        return [] if database.is_newer else [_upgrade(database.schema, database.needed, address)]
    if facts.rows is None:
        return []
    codes = {finding.code for finding in report.findings}
    found = [*_of_the_lost(facts.rows), *_overdue(facts.rows, codes), *_gates(facts.providers)]
    if "LEDGER_MISMATCH" in codes:
        found += _books(read)
    return found


def _upgrade(schema: str, needed: str, address: str) -> Cure:
    return Cure(
        "NOT_MIGRATED",
        f"Upgrade the database's schema from {schema} to {needed}.",
        "Servers and workers of this release cannot work on the old one. Upgrades only add.",
        {"from": schema, "to": needed},
        lambda _: f"It is at {migrate.upgrade(address)}.",
        "safelight db upgrade",
    )


def _of_the_lost(rows: Rows) -> Iterator[Cure]:
    """Their jobs go back into their queues, and then their rows are forgotten."""
    gone = [worker for worker in rows.workers if not worker.live]
    if not gone:
        return
    names = ", ".join(named(worker.process) for worker in gone[:3]) + (", …" if len(gone) > 3 else "")
    yield Cure(
        "LEASE_EXPIRED",
        f"Take back what {_processes(len(gone))} no longer run, and forget them.",
        f"They do not beat: {names}. A call that may have been accepted is not made again for it.",
        {"processes": len(gone)},
        lambda database: _take_back(_opened(database), gone),
    )


def _take_back(database: Database, gone: list[WorkerFacts]) -> str:
    with database.transaction() as tx:
        for worker in gone:  # one that has beaten since keeps what it has
            if worker.process.lost_at is None:
                presence.declare_lost(tx, worker.process.id, worker.process.beat_n)
    taken = _slices(database, sweep.take_from_lost)
    with database.transaction() as tx:
        forgotten = presence.forget_lost(tx, [worker.process.id for worker in gone])
    return f"{count(taken)} went back, {_processes(forgotten)} forgotten."


def _overdue(rows: Rows, codes: set[str]) -> Iterator[Cure]:
    """What a sweep would see to, where none comes by."""
    if not codes & {"SWEEPER_DEAD", "JOBS_PAST_DEADLINE"}:
        return
    delayed = sum(queue.delayed for queue in rows.queues)
    if not (rows.past_deadline.jobs or delayed):
        return
    yield Cure(
        "SWEEPER_DEAD",
        "Sweep once: end what is past its deadline, let in what is due.",
        "No process that lives does it. Jobs that end so fail, and their credits are free again.",
        {"past_deadline": rows.past_deadline.jobs, "credits": rows.past_deadline.credits, "delayed": delayed},
        lambda database: _sweep(_opened(database)),
    )


def _sweep(database: Database) -> str:
    ended, let_in = _slices(database, sweep.expire), _slices(database, sweep.make_ready)
    return f"{count(ended)} ended, {count(let_in)} let in."


def _gates(providers: tuple[ProviderFacts, ...]) -> Iterator[Cure]:
    """A gate that is shut by an earlier refusal gets its trial now, unless the provider has just refused again."""
    for provider in providers:
        gate = provider.standing.gate if provider.standing else None
        if gate is None or gate.tripped_at is None or _refuses(provider):
            continue
        yield Cure(
            "PROVIDER_BREAKER_OPEN",
            f"Let the next call to {provider.name} try.",
            "One call shows whether its trouble is over; if not, the gate shuts again.",
            {"jobs_waiting": provider.jobs_waiting},
            partial(_try_gate, provider.name),
            f"safelight providers open {provider.name}",
        )


def _refuses(provider: ProviderFacts) -> bool:
    probe = provider.probe
    return probe is not None and (not probe.reachable or probe.key_valid is False or probe.has_money is False)


def _try_gate(name: str, database: Database | None) -> str:
    with _opened(database).transaction() as tx:
        opened = open_gates(tx, name)
    return f"{count(len(opened), 'gate')} will let the next call through."


def _books(read: Callable[[Callable[[Tx], Any]], Any]) -> Iterator[Cure]:
    """Holds of ended jobs first: what is left then is a wrong count."""
    unreleased, miscounted = read(mend_holds.unreleased), read(mend_holds.miscounted)
    if unreleased:
        yield Cure(
            "LEDGER_MISMATCH",
            f"Release what {count(len(unreleased), 'ended job')} still holds.",
            "They failed or were canceled, and their holds were never freed; each gets its entry in the ledger.",
            {"jobs": len(unreleased), "credits": sum(job.price for job in unreleased)},
            lambda database: _mended(_opened(database), mend_holds.release_holds, "job"),
        )
    freed = Counter[int]()
    for job in unreleased:
        freed[job.account] += job.price
    miscounted = [each for each in miscounted if each.held - freed[each.account] != each.should_be]
    if miscounted:
        off = sum(abs(each.held - each.should_be) for each in miscounted)
        yield Cure(
            "LEDGER_MISMATCH",
            f"Set what {count(len(miscounted), 'account')} hold to what their unfinished jobs say.",
            "; ".join(f"{each.user_id}: {each.held} becomes {each.should_be}" for each in miscounted[:3]),
            {"accounts": len(miscounted), "credits": off},
            lambda database: _mended(_opened(database), mend_holds.count_holds, "account"),
        )


def _mended(database: Database, mend: Callable[[Tx], int], noun: str) -> str:
    with database.transaction() as tx:
        done = mend(tx)
    return f"{count(done, noun)} put right."


def _slices(database: Database, case: Callable[[Tx], int]) -> int:
    """Slice by slice until nothing is left; others may write between the slices."""
    total = 0
    while True:
        with database.transaction() as tx:
            took = case(tx)
        total += took
        if took < sweep.SLICE:
            return total


def _processes(n: int) -> str:
    return "1 process" if n == 1 else f"{n:,} processes"


def _opened(database: Database | None) -> Database:
    if database is None:
        raise ValueError("this cure needs the database")
    return database
