"""What `safelight credits audit` does: read everything once, and say what does not add up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from itertools import zip_longest

from rich.text import Text

from safelight.cli.direct import opened_database
from safelight.cli.edge import FINE, FOUND
from safelight.cli.out import err, out, plain, print_json
from safelight.cli.working import working
from safelight.services.audit import MOST, Finding
from safelight.services.audit.beside import LONG, audit_beside


def audit(*, as_json: bool) -> int:
    with working("Auditing"), opened_database(LONG) as database:
        found = audit_beside(database)
    if as_json:
        print_json({"findings": [asdict(finding) for finding in found]})
    else:
        _say(found)
    return FOUND if found else FINE


def _say(found: Sequence[Finding]) -> None:
    """A line each, and below those that ask for the same thing to be done that thing, once."""
    for finding, following in zip_longest(found, found[1:]):
        out().print(Text(plain(f"{finding.code}: {finding.what}"), "red"), soft_wrap=True)
        if following is None or following.remedy != finding.remedy:
            out().print(f"  {plain(str(finding.remedy))}", soft_wrap=True)
    if len(found) >= MOST:
        err().print(f"Of each check no more than {MOST} rows are named.", style="dim")
