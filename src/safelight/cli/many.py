"""What is said, asked and done where a command deals with many jobs at once."""

from __future__ import annotations

import sys
from collections import Counter
from typing import Any

import typer

from safelight.cli import when
from safelight.cli.door import opened
from safelight.cli.edge import FINE, FOUND
from safelight.cli.out import err, out, plain, print_json
from safelight.cli.tables import found_table
from safelight.cli.working import counted

OUTCOMES = {
    "made": "made again",
    "due": "due now",
    "stopping": "being stopped",
    "held": "left alone: a worker runs them",
    "called": "left alone: a call of theirs is open",
    "ended": "had ended",
    "changed": "had changed",
    "again": "had been made again",
    "gone": "were gone",
}
"""In words, where the word itself is none."""


async def many_jobs(verb: str, meant: dict[str, Any], *, dry_run: bool, yes: bool, as_json: bool) -> int:
    """Cancel or retry one's own jobs: what it would be first, then slice by slice."""
    async with opened() as door:
        ask = door.client.cancel_many if verb == "cancel" else door.client.retry_many
        found = await ask(meant, dry_run=True)
        if not as_json:
            say_found(found)
        if dry_run or not _agreed(found, f"{verb.capitalize()} them?", yes=yes, as_json=as_json):
            if as_json:
                print_json({"applied": False, **found})
            elif not dry_run and found["jobs"]:
                err().print("Nothing was changed. Add --yes to do it.")
            return FINE if dry_run and found["jobs"] else FOUND
        answers = [await ask(meant)]
        while answers[-1]["more"] and answers[-1]["jobs"] and answers[-1]["refusal"] is None:
            answers.append(await ask(meant))
    outcomes = sum((Counter(answer["outcomes"]) for answer in answers), Counter[str]())
    made = [each for answer in answers for each in answer["made"]]
    refusal = answers[-1]["refusal"]
    if as_json:
        print_json({"applied": True, "outcomes": outcomes, "made": made, "refusal": refusal})
    else:
        out().print(f"{in_words(outcomes)}.", soft_wrap=True)
        for each in made:
            print(each["id"])
        if refusal:
            err().print(f"Stopped at: {plain(refusal)}", style="red", soft_wrap=True)
    return FOUND if refusal else FINE


def say_found(found: dict[str, Any]) -> None:
    """How many jobs, credits and users, some of them, and what is left alone."""
    console, more = out(), " There are more: they take another." if found["more"] else ""
    users = f" of {counted(found['users'], 'user')}" if "users" in found else ""
    console.print(
        f"{counted(found['jobs'], 'job')}{users}, {counted(found['credits'], 'credit')}.{more}", soft_wrap=True
    )
    for left in found["untouched"]:
        console.print(f"{left_alone(left)}.", soft_wrap=True)
    if found["sample"]:
        console.print(found_table(found["sample"], when.now()))
    if found["jobs"] > len(found["sample"]):
        console.print(f"... and {found['jobs'] - len(found['sample'])} more.")


def somebody_is_there() -> bool:
    """Whether somebody can be asked."""
    return sys.stdin.isatty()


def left_alone(left: dict[str, Any]) -> str:
    """`Left alone: 3 jobs, each because a worker runs it`."""
    return f"Left alone: {counted(left['jobs'], 'job')},{' each' * (left['jobs'] > 1)} because {left['why']}"


def in_words(outcomes: dict[str, int]) -> str:
    """`380 requeued, 20 ended`."""
    return ", ".join(f"{n} {OUTCOMES.get(word, word)}" for word, n in sorted(outcomes.items())) or "nothing was done"


def _agreed(found: dict[str, Any], question: str, *, yes: bool, as_json: bool) -> bool:
    """Where nobody can be asked, only with `yes`."""
    if not found["jobs"]:
        return False
    return yes or (not as_json and somebody_is_there() and typer.confirm(question))
